package io.cairn.guest.qemu.stream;

import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryPart;
import io.cairn.checkpoint.memory.PageSink;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Writes an image as a stream: the head, the table of blocks, one section with all pages, and the
 * devices as they were. Pages that are zero are left out of large blocks, which are zero in a new
 * process, and are written for small ones, which may hold a ROM there. For a process that is not
 * new they are written for all.
 */
final class StreamWriter {
  private static final int BUFFER_BYTES = 1 << 20;

  private final MemoryImage image;
  private final DataOutputStream out;

  /** Whether the process that loads the stream has nothing in its memory yet. */
  private boolean fresh = true;

  /** By block, the pages to write; all pages of a block that is missing. */
  private Map<Integer, BitSet> wanted = Map.of();

  /** From where on the process that loads the stream is to count; empty to leave it as it is. */
  private OptionalLong ticks = OptionalLong.empty();

  /** The block of the page before. */
  private int lastBlock = -1;

  StreamWriter(MemoryImage image, OutputStream out) {
    this.image = image;
    this.out = new DataOutputStream(new BufferedOutputStream(out, BUFFER_BYTES));
  }

  void writePlain() throws IOException {
    out.write(bytes(StreamReader.HEAD_PART));
    write(Set.of(), false);
  }

  /** Whether the time stamp counters are known that QEMU emulates. */
  boolean hasProcessorClock() throws IOException {
    return ProcessorClock.find(bytes(StreamReader.DEVICES_PART)).isPresent();
  }

  /**
   * For a process whose memory is known: of these blocks only these pages, of others all.
   *
   * @param higher more than the ticks that the process has counted to, if it counts them itself
   */
  void writeChanges(Map<Integer, BitSet> changed, OptionalLong higher) throws IOException {
    fresh = false;
    ticks = higher;
    wanted = Map.copyOf(changed);
    out.write(bytes(StreamReader.HEAD_PART));
    write(Set.of(), false);
  }

  void writeWithout(Set<String> leftOut) throws IOException {
    out.write(StreamHeads.ignoringShared(bytes(StreamReader.HEAD_PART)));
    write(leftOut, true);
  }

  private byte[] bytes(String name) throws IOException {
    MemoryPart part = part(name);
    if (part.version() != StreamReader.PART_VERSION) {
      throw foreign("its part " + part + " is of a version that this Cairn does not know");
    }
    ByteBuffer content = part.content();
    byte[] bytes = new byte[content.remaining()];
    content.get(bytes);
    return bytes;
  }

  private MemoryPart part(String name) throws IOException {
    return image.part(name).orElseThrow(() -> foreign("it has no part " + name));
  }

  private StorageException foreign(String what) {
    return new StorageException(
        ErrorCode.UNSUPPORTED,
        "the memory of checkpoint " + image.id().hex() + " cannot be given to QEMU: " + what,
        "");
  }

  private void write(Set<String> leftOut, boolean withAddresses) throws IOException {
    RamSection ram = RamSection.of(part(RamSection.PART));
    out.writeByte(StreamFormat.SECTION_START);
    out.writeInt(ram.section());
    StreamHeads.text(out, StreamFormat.RAM);
    out.writeInt(ram.instance());
    out.writeInt(ram.version());
    table(withAddresses);
    out.writeLong(StreamFormat.RAM_EOS);
    footer(ram);
    out.writeByte(StreamFormat.SECTION_END);
    out.writeInt(ram.section());
    List<MemoryBlock> blocks = image.blocks();
    for (int block = 0; block < blocks.size(); block++) {
      if (!leftOut.contains(blocks.get(block).name())) {
        pages(block);
      }
    }
    out.writeLong(StreamFormat.RAM_EOS);
    footer(ram);
    out.write(devices());
    out.flush();
  }

  private byte[] devices() throws IOException {
    byte[] devices = bytes(StreamReader.DEVICES_PART);
    if (ticks.isEmpty()) {
      return devices;
    }
    return ProcessorClock.find(devices)
        .orElseThrow(() -> foreign("the time of its processors is not found in it"))
        .from(ticks.getAsLong());
  }

  private void table(boolean withAddresses) throws IOException {
    long total = image.blocks().stream().mapToLong(MemoryBlock::sizeBytes).sum();
    out.writeLong(total | StreamFormat.RAM_MEM_SIZE);
    for (MemoryBlock block : image.blocks()) {
      StreamHeads.text(out, block.name());
      out.writeLong(block.sizeBytes());
      if (withAddresses) {
        // Where the block is for the guest; read by QEMU only for blocks that it left out itself.
        out.writeLong(0);
      }
    }
  }

  private void footer(RamSection ram) throws IOException {
    out.writeByte(StreamFormat.FOOTER);
    out.writeInt(ram.section());
  }

  private void pages(int block) throws IOException {
    int size = image.pageSizeBytes();
    MemoryBlock of = image.blocks().get(block);
    int pages = Math.toIntExact(of.sizeBytes() / size);
    BitSet missing = new BitSet(pages);
    missing.set(0, pages);
    PageSink sink =
        (number, first, from, offset, count) -> {
          for (int i = 0; i < count; i++) {
            record(block, first + i, StreamFormat.RAM_PAGE);
            out.write(from, offset + i * size, size);
          }
          missing.clear(first, first + count);
        };
    BitSet only = wanted.get(block);
    if (only == null) {
      image.readPages(OptionalInt.of(block), 1, sink);
    } else {
      missing.and(only);
      image.readPages(block, only, sink);
    }
    if (!fresh || of.sizeBytes() < MigrationStreams.LARGE_BYTES) {
      for (int page = missing.nextSetBit(0); page >= 0; page = missing.nextSetBit(page + 1)) {
        record(block, page, StreamFormat.RAM_ZERO);
        out.writeByte(0);
      }
    }
  }

  private void record(int block, int page, int flag) throws IOException {
    long address = (long) page * image.pageSizeBytes();
    if (block == lastBlock) {
      out.writeLong(address | flag | StreamFormat.RAM_CONTINUE);
    } else {
      out.writeLong(address | flag);
      StreamHeads.text(out, image.blocks().get(block).name());
      lastBlock = block;
    }
  }
}
