package io.cairn.guest.bhyve.state;

import java.util.List;
import java.util.OptionalInt;

/**
 * One saved structure of the kernel, or one device.
 *
 * @param name such as {@code vlapic} or {@code virtio-blk@pci.0.4.0}
 * @param request the number by which old files name kernel structures, if it is there
 * @param metaOffset where the entry begins in the {@code .meta} file; 0 if it comes from no file
 * @param content where its bytes are
 */
public record StateEntry(String name, OptionalInt request, long metaOffset, Content content) {
  /** Where the bytes of an entry are. */
  public sealed interface Content {
    /**
     * In the {@code .kern} file.
     *
     * @param offset the first byte
     * @param sizeBytes how many there are; 0 for a device that is not there
     */
    record Blob(long offset, long sizeBytes) implements Content {}

    /** In the {@code .meta} file. */
    record Fields(List<StateField> fields) implements Content {
      /** Copies the list. */
      public Fields {
        fields = List.copyOf(fields);
      }
    }
  }
}
