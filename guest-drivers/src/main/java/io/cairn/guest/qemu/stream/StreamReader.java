package io.cairn.guest.qemu.stream;

import io.cairn.checkpoint.memory.MemoryBlock;
import io.cairn.checkpoint.memory.MemoryPart;
import io.cairn.storage.io.BlockFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads one stream into a sink. */
final class StreamReader {
  static final String HEAD_PART = "qemu.head";
  static final String DEVICES_PART = "qemu.devices";
  static final int PART_VERSION = 1;

  private static final int BLOCKS_MAX = 4096;

  private final StreamInput in;
  private final StreamSink sink;

  /** The file, where the stream is one, so that pages at fixed offsets can be read. */
  private final @Nullable BlockFile file;

  private final List<MemoryBlock> blocks = new ArrayList<>();
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<MappedBlock> mapped = new ArrayList<>();
  private int pageSizeBytes;

  /** The block of the page before, for pages that do not name theirs. */
  private int lastBlock = -1;

  StreamReader(StreamInput in, StreamSink sink, @Nullable BlockFile file) {
    this.in = in;
    this.sink = sink;
    this.file = file;
  }

  void read() throws IOException {
    StreamHead.Parsed parsed = StreamHead.parse(in);
    StreamHead head = parsed.head();
    pageSizeBytes = 1 << head.pageBits();
    if (head.capabilities().contains(StreamFormat.IGNORE_SHARED)) {
      throw in.unsupported("it leaves shared memory out");
    }
    boolean isMapped = head.capabilities().contains(StreamFormat.MAPPED_RAM);
    if (isMapped && file == null) {
      throw in.unsupported("a mapped-ram stream must be a file");
    }
    RamSection ram = start(parsed.nextType());
    records(true, isMapped);
    footer(ram.section());
    sink.blocks(pageSizeBytes, blocks);
    int type = in.u8();
    // A background stream has no END section, as its memory is not complete before its devices are.
    while (type == StreamFormat.SECTION_PART
        || type == StreamFormat.SECTION_END
        || type == StreamFormat.COMMAND) {
      if (type == StreamFormat.COMMAND) {
        command();
      } else {
        part(ram);
      }
      type = in.u8();
    }
    byte[] devices = devices(type);
    for (MappedBlock block : mapped) {
      block.read(java.util.Objects.requireNonNull(file), pageSizeBytes, sink);
    }
    sink.part(MemoryPart.of(HEAD_PART, PART_VERSION, withoutCapabilities(head)));
    sink.part(ram.toPart());
    sink.part(MemoryPart.of(DEVICES_PART, PART_VERSION, devices));
  }

  private void part(RamSection ram) throws IOException {
    int section = in.be32();
    if (section != ram.section()) {
      throw in.damaged("section " + section + " was never begun");
    }
    records(false, false);
    footer(section);
  }

  /**
   * QEMU 10.0 says that the guest was stopped, for devices that get ready then. Nothing is lost
   * without it; other commands change what follows.
   */
  private void command() throws IOException {
    int command = in.be16();
    int length = in.be16();
    if (command != StreamFormat.SWITCHOVER_START || length != 0) {
      throw in.unsupported("a command " + command + " of " + length + " bytes in its memory");
    }
  }

  /** The head of the plain stream that the image is written as again. */
  private static byte[] withoutCapabilities(StreamHead head) throws IOException {
    return head.capabilities().isEmpty() ? head.raw() : StreamHeads.plain(head.raw());
  }

  private RamSection start(int type) throws IOException {
    if (type != StreamFormat.SECTION_START) {
      throw in.unsupported("it begins with a section of type " + type + ", not with the memory");
    }
    int section = in.be32();
    String name = in.text();
    int instance = in.be32();
    int version = in.be32();
    if (!name.equals(StreamFormat.RAM)) {
      throw in.unsupported("it has a section '" + name + "', which is saved while the guest runs");
    }
    if (version != StreamFormat.RAM_VERSION) {
      throw in.unsupported("its memory is of version " + version);
    }
    return new RamSection(section, instance, version);
  }

  private void footer(int section) throws IOException {
    if (in.u8() != StreamFormat.FOOTER || in.be32() != section) {
      throw in.damaged("section " + section + " does not end at " + in.position());
    }
  }

  /** The records of one section, to its end. */
  private void records(boolean isStart, boolean isMapped) throws IOException {
    while (true) {
      long record = in.be64();
      int flags = (int) record & (pageSizeBytes - 1);
      long address = record & -pageSizeBytes;
      switch (flags & ~StreamFormat.RAM_CONTINUE) {
        case StreamFormat.RAM_EOS -> {
          return;
        }
        case StreamFormat.RAM_MEM_SIZE -> {
          if (!isStart || !blocks.isEmpty()) {
            throw in.damaged("a second table of blocks");
          }
          table(address, isMapped);
        }
        case StreamFormat.RAM_PAGE -> {
          int block = block(flags);
          int page = page(block, address);
          int at = in.take(pageSizeBytes);
          sink.pages(block, page, in.buffer(), at, 1);
        }
        case StreamFormat.RAM_ZERO -> {
          int block = block(flags);
          filled(block, page(block, address), in.u8());
        }
        default ->
            throw in.unsupported(
                String.format(
                    "a record of memory with flags 0x%x at %d: it was made with a capability such"
                        + " as xbzrle, compress or multifd",
                    flags, in.position()));
      }
    }
  }

  private void filled(int block, int page, int value) throws IOException {
    if (value == 0) {
      sink.zeroPages(block, page, 1);
    } else {
      byte[] content = new byte[pageSizeBytes];
      Arrays.fill(content, (byte) value);
      sink.pages(block, page, content, 0, 1);
    }
  }

  private void table(long totalBytes, boolean isMapped) throws IOException {
    long left = totalBytes;
    while (left > 0) {
      String name = in.text();
      long size = in.be64();
      if (size <= 0 || size > left || size % pageSizeBytes != 0) {
        throw in.damaged("block " + name + " has " + size + " of the " + left + " bytes left");
      }
      if (blocks.size() == BLOCKS_MAX || numbers.put(name, blocks.size()) != null) {
        throw in.damaged("block " + name + " is one too many");
      }
      if (isMapped) {
        MappedBlock block = MappedBlock.parse(in, blocks.size(), size, pageSizeBytes);
        mapped.add(block);
        in.skipTo(block.pagesOffset() + size);
      }
      blocks.add(new MemoryBlock(name, size));
      left -= size;
    }
  }

  private int block(int flags) throws IOException {
    if ((flags & StreamFormat.RAM_CONTINUE) == 0) {
      String name = in.text();
      Integer known = numbers.get(name);
      if (known == null) {
        throw in.damaged("a page of a block '" + name + "' that is not in the table");
      }
      lastBlock = known;
    }
    if (lastBlock < 0) {
      throw in.damaged("the first page names no block");
    }
    return lastBlock;
  }

  private int page(int block, long address) throws IOException {
    if (address < 0 || address >= blocks.get(block).sizeBytes()) {
      throw in.damaged(
          "a page at " + address + " of " + blocks.get(block).name() + ", past its end");
    }
    return (int) (address / pageSizeBytes);
  }

  /** Everything from the first section of a device on, which must be there to the last byte. */
  private byte[] devices(int type) throws IOException {
    if (type != StreamFormat.SECTION_FULL) {
      throw in.unsupported("a section of type " + type + " after the memory");
    }
    byte[] rest = in.rest(MemoryPart.SIZE_BYTES_MAX - 1);
    byte[] devices = new byte[rest.length + 1];
    devices[0] = (byte) type;
    System.arraycopy(rest, 0, devices, 1, rest.length);
    if (!Descriptions.endsWithDescription(devices)) {
      throw in.damaged("it was cut off: the description of the machine at its end is missing");
    }
    return devices;
  }
}
