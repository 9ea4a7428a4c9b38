package io.cairn.guest.qemu;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.storage.StorageException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The memory of a guest that was continued from a flat file: what it has not written since is still
 * that of the file's checkpoint. The kernel keeps the account: a page of a private mapping that was
 * written is no page of the file any more (proc(5), pagemap, bit 61).
 */
final class MappedMemory {
  /** What the kernel counts in; images of other page sizes are not asked about. */
  static final int PAGE_BYTES = 4096;

  private static final long IN_MEMORY_OR_SWAP = 3L << 62;
  private static final long OF_FILE = 1L << 61;

  private static final Pattern MAPPING =
      Pattern.compile(
          "([0-9a-f]+)-([0-9a-f]+) (\\S+) ([0-9a-f]+) \\S+ \\d+ +(/.*?)(?: \\(deleted\\))?");
  private static final Pattern NAME =
      Pattern.compile("([0-9a-f]{32})-([0-9a-f]{16})" + Pattern.quote(CommandLine.FLAT_SUFFIX));

  private MappedMemory() {}

  /**
   * The pages of a block that a guest, which is paused, holds with another content than an image.
   * Empty if that cannot be told: its memory is not mapped from a file that Cairn wrote, the image
   * of that file is gone, or the kernel does not say.
   */
  static Optional<BitSet> changed(long pid, MemoryImage image, int block) throws IOException {
    Optional<Path> file = file(pid);
    if (file.isEmpty() || image.pageSizeBytes() != PAGE_BYTES) {
      return Optional.empty();
    }
    Matcher name = NAME.matcher(file.get().getFileName().toString());
    if (!name.matches()) {
      return Optional.empty();
    }
    try (MemoryImage base = image.beside(new CheckpointId(name.group(1)))) {
      OptionalInt there = base.block(image.blocks().get(block).name());
      boolean same =
          base.digest().startsWith(name.group(2))
              && there.isPresent()
              && base.blocks().get(there.getAsInt()).equals(image.blocks().get(block));
      if (!same) {
        return Optional.empty();
      }
      BitSet changed = image.differing(block, base);
      long bytes = image.blocks().get(block).sizeBytes();
      changed.or(written(pid, file.get(), Math.toIntExact(bytes / PAGE_BYTES)));
      return Optional.of(changed);
    } catch (StorageException e) {
      return Optional.empty();
    }
  }

  /** The flat file that a process has mapped; empty if it has none, or several. */
  private static Optional<Path> file(long pid) throws IOException {
    Path found = null;
    for (String line : Files.readAllLines(ProcFiles.of(pid).resolve("maps"))) {
      Matcher mapping = MAPPING.matcher(line);
      if (mapping.matches() && mapping.group(5).endsWith(CommandLine.FLAT_SUFFIX)) {
        Path path = Path.of(mapping.group(5));
        if (found != null && !found.equals(path)) {
          return Optional.empty();
        }
        found = path;
      }
    }
    return Optional.ofNullable(found);
  }

  /** Pages that are no pages of the file any more; those that are not mapped count as such. */
  private static BitSet written(long pid, Path file, int pages) throws IOException {
    BitSet written = new BitSet(pages);
    written.set(0, pages);
    Path process = ProcFiles.of(pid);
    try (SeekableByteChannel pagemap = Files.newByteChannel(process.resolve("pagemap"))) {
      for (String line : Files.readAllLines(process.resolve("maps"), StandardCharsets.ISO_8859_1)) {
        Matcher mapping = MAPPING.matcher(line);
        if (!mapping.matches() || !mapping.group(5).equals(file.toString())) {
          continue;
        }
        long from = Long.parseUnsignedLong(mapping.group(1), 16);
        long end = Long.parseUnsignedLong(mapping.group(2), 16);
        long offset = Long.parseUnsignedLong(mapping.group(4), 16);
        int count = Math.toIntExact((end - from) / PAGE_BYTES);
        ByteBuffer each = ByteBuffer.allocate(Math.multiplyExact(count, Long.BYTES));
        pagemap.position(from / PAGE_BYTES * Long.BYTES);
        while (each.hasRemaining()) {
          if (pagemap.read(each) < 0) {
            throw new EOFException("the account of " + file + " ends early");
          }
        }
        each.flip().order(ByteOrder.nativeOrder());
        int first = Math.toIntExact(offset / PAGE_BYTES);
        for (int i = 0; i < count && first + i < pages; i++) {
          long entry = each.getLong();
          boolean clean = (entry & IN_MEMORY_OR_SWAP) == 0 || (entry & OF_FILE) != 0;
          if (clean && mapping.group(3).endsWith("p")) {
            written.clear(first + i);
          }
        }
      }
    }
    return written;
  }
}
