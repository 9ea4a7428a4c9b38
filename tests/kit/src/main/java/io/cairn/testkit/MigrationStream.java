package io.cairn.testkit;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes migration streams as QEMU does, after its sources (migration/savevm.c, ram.c), so that
 * they can be read without a QEMU.
 */
public final class MigrationStream {
  /** The bytes in a page. */
  public static final int PAGE = 4096;

  private static final int RAM_SECTION = 2;

  private final DataOutputStream out;
  private String last = "";

  /** Begins to write. */
  public MigrationStream(OutputStream to) {
    this.out = new DataOutputStream(new BufferedOutputStream(to, 1 << 20));
  }

  /** A block as the table names it. */
  public record Block(String name, long size) {}

  /** The head. */
  @CanIgnoreReturnValue
  public MigrationStream begin(String... capabilities) throws IOException {
    out.writeInt(0x5145564d);
    out.writeInt(3);
    out.writeByte(7);
    out.writeInt(10);
    out.writeBytes("pc-q35-7.2");
    if (capabilities.length > 0) {
      out.writeByte(5);
      text("configuration/capabilities");
      out.writeInt(1);
      out.writeInt(capabilities.length);
      for (String capability : capabilities) {
        text(capability);
      }
    }
    out.writeByte(5);
    text("configuration/uuid");
    out.writeInt(1);
    out.write(new byte[16]);
    return this;
  }

  /** The section with the table of blocks. */
  @CanIgnoreReturnValue
  public MigrationStream table(List<Block> blocks) throws IOException {
    startTable(blocks.stream().mapToLong(Block::size).sum());
    for (Block block : blocks) {
      text(block.name());
      out.writeLong(block.size());
    }
    return endSection();
  }

  /** The begin of the section with the table of blocks. */
  public void startTable(long total) throws IOException {
    out.writeByte(1);
    out.writeInt(RAM_SECTION);
    text("ram");
    out.writeInt(0);
    out.writeInt(4);
    out.writeLong(total | 4);
  }

  /** The begin of a section with pages: 2, or 3 for the last one. */
  @CanIgnoreReturnValue
  public MigrationStream part(int type) throws IOException {
    out.writeByte(type);
    out.writeInt(RAM_SECTION);
    return this;
  }

  /** A page. */
  @CanIgnoreReturnValue
  public MigrationStream page(String block, long address, byte[] content) throws IOException {
    header(block, address, 8);
    out.write(content);
    return this;
  }

  /** A page filled with one byte. */
  @CanIgnoreReturnValue
  public MigrationStream zero(String block, long address, int fill) throws IOException {
    header(block, address, 2);
    out.writeByte(fill);
    return this;
  }

  private void header(String block, long address, int flag) throws IOException {
    out.writeLong(address | flag | (block.equals(last) ? 0x20 : 0));
    if (!block.equals(last)) {
      text(block);
      last = block;
    }
  }

  /** The end of a section. */
  @CanIgnoreReturnValue
  public MigrationStream endSection() throws IOException {
    out.writeLong(0x10);
    out.writeByte(0x7e);
    out.writeInt(RAM_SECTION);
    return this;
  }

  /** A command without data, between two sections. */
  @CanIgnoreReturnValue
  public MigrationStream command(int number) throws IOException {
    out.writeByte(8);
    out.writeShort(number);
    out.writeShort(0);
    return this;
  }

  /** Bytes as they are. */
  @CanIgnoreReturnValue
  public MigrationStream raw(byte[] content) throws IOException {
    out.write(content);
    return this;
  }

  /** How many bytes there are so far. */
  public int position() {
    return out.size();
  }

  /** A text with its length. */
  public void text(String text) throws IOException {
    out.writeByte(text.length());
    out.writeBytes(text);
  }

  /** A number of 32 bits. */
  public void be32(int value) throws IOException {
    out.writeInt(value);
  }

  /** A number of 64 bits. */
  public void be64(long value) throws IOException {
    out.writeLong(value);
  }

  /** The state of some devices, and the description. */
  public static byte[] devices() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeByte(4);
    out.writeInt(9);
    out.writeByte(5);
    out.writeBytes("timer");
    out.writeInt(0);
    out.writeInt(2);
    // Looks like an end of the sections, but is the content of a device.
    out.write(new byte[] {0, 6, 0, 0, 0, 1, '{', 0x7e, 0, 0, 0, 9, 0});
    byte[] json = "{\"page_size\": 4096}".getBytes(StandardCharsets.UTF_8);
    out.writeByte(6);
    out.writeInt(json.length);
    out.write(json);
    return bytes.toByteArray();
  }

  /** The devices, and the end. */
  public void end() throws IOException {
    out.write(devices());
    out.flush();
  }
}
