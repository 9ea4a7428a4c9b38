package io.cairn.checkpoint.memory;

import static com.google.common.base.Preconditions.checkArgument;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What a hypervisor saved beside the pages, such as the state of the devices. Opaque here; its name
 * and version say how its driver reads it.
 */
public final class MemoryPart {
  /** The most bytes a part can have. */
  public static final int SIZE_BYTES_MAX = 256 << 20;

  private final String name;
  private final int version;
  private final ByteBuffer content;

  private MemoryPart(String name, int version, ByteBuffer content) {
    this.name = name;
    this.version = version;
    this.content = content;
  }

  /**
   * A part.
   *
   * @param name such as {@code qemu.devices}, at most 255 bytes of UTF-8
   * @param version of its form, not negative
   * @param content the bytes, which are not copied and must not be changed afterwards
   */
  public static MemoryPart of(String name, int version, byte[] content) {
    checkArgument(content.length <= SIZE_BYTES_MAX, "%s has %s bytes", name, content.length);
    checkArgument(version >= 0, "version %s of %s", version, name);
    checkArgument(name.getBytes(StandardCharsets.UTF_8).length <= 255, "too long: %s", name);
    return new MemoryPart(name, version, ByteBuffer.wrap(content).asReadOnlyBuffer());
  }

  /** What it is. */
  public String name() {
    return name;
  }

  /** The version of its form. */
  public int version() {
    return version;
  }

  /** Its bytes, read-only; each call returns a buffer of its own. */
  public ByteBuffer content() {
    return content.duplicate();
  }

  @Override
  public String toString() {
    return name + " version " + version + ", " + content.remaining() + " bytes";
  }
}
