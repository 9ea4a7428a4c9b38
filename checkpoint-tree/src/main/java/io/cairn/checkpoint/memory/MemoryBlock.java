package io.cairn.checkpoint.memory;

import static com.google.common.base.Preconditions.checkArgument;

import java.nio.charset.StandardCharsets;

/**
 * A contiguous piece of a guest's memory, such as its main RAM or the shadow of a ROM.
 *
 * @param name what the hypervisor calls it, at most 255 bytes of UTF-8
 * @param sizeBytes its length, a multiple of the image's page size
 */
public record MemoryBlock(String name, long sizeBytes) {
  /** Checks the length. */
  public MemoryBlock {
    checkArgument(sizeBytes >= 0, "a block of %s bytes", sizeBytes);
    checkArgument(name.getBytes(StandardCharsets.UTF_8).length <= 255, "too long: %s", name);
  }
}
