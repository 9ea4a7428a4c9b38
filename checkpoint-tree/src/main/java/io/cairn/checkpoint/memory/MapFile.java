package io.cairn.checkpoint.memory;

import com.github.luben.zstd.Zstd;
import com.google.common.io.BaseEncoding;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The file of an {@link ImageMap}, big-endian:
 *
 * <pre>
 *   0  "CairnMap"
 *   8  u32 version, 1
 *  12  u32 bytes in a page
 *  16  16 bytes: the checkpoint's id
 *  32  32 bytes: the digest of the image
 *  64  u32 number of sections
 *  68  u32 CRC-32C of 0..67
 *  72  sections: u32 kind, u32 0, u64 raw length, u64 stored length, u32 CRC-32C of what is stored,
 *      u32 CRC-32C of the 28 bytes before; then what is stored, a zstd frame
 *
 *  kind 1, layout   u32 blocks; for each u16 length and UTF-8 of its name, u64 size
 *                   u32 packs; for each its id of 16 bytes
 *  kind 2, pages    runs, see {@link PageRuns}
 *  kind 3, part     u16 length and UTF-8 of its name, u32 version, content; any number of these
 * </pre>
 */
final class MapFile {
  private static final long MAGIC = 0x436169726e4d6170L;
  private static final int VERSION = 1;
  private static final int HEADER_BYTES = 72;
  private static final int SECTION_HEADER_BYTES = 32;
  private static final int KIND_LAYOUT = 1;
  private static final int KIND_PAGES = 2;
  private static final int KIND_PART = 3;
  private static final int ZSTD_LEVEL = 3;
  private static final long RAW_BYTES_MAX = (1L << 30) + (1 << 20);

  private MapFile() {}

  // Writing

  static byte[] encode(ImageMap image) throws IOException {
    List<byte[]> sections = new ArrayList<>();
    sections.add(section(KIND_LAYOUT, layout(image)));
    sections.add(section(KIND_PAGES, PageRuns.encode(image.pages())));
    for (MemoryPart part : image.parts()) {
      sections.add(section(KIND_PART, part(part)));
    }
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    header.putLong(MAGIC).putInt(VERSION).putInt(image.layout().pageSizeBytes());
    header.put(BaseEncoding.base16().lowerCase().decode(image.id().hex()));
    header.put(image.digestBytes());
    header.putInt(sections.size());
    header.putInt(Checks.crc32c(header.array(), 0, HEADER_BYTES - Integer.BYTES));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(header.array());
    for (byte[] section : sections) {
      out.write(section);
    }
    return out.toByteArray();
  }

  private static byte[] layout(ImageMap image) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeInt(image.layout().blocks().size());
    for (MemoryBlock block : image.layout().blocks()) {
      name(out, block.name());
      out.writeLong(block.sizeBytes());
    }
    out.writeInt(image.packs().size());
    for (PackId id : image.packs().ids()) {
      out.writeLong(id.high());
      out.writeLong(id.low());
    }
    return bytes.toByteArray();
  }

  private static byte[] part(MemoryPart part) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    name(out, part.name());
    out.writeInt(part.version());
    ByteBuffer content = part.content();
    byte[] copy = new byte[content.remaining()];
    content.get(copy);
    out.write(copy);
    return bytes.toByteArray();
  }

  private static void name(DataOutputStream out, String name) throws IOException {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    out.writeShort(bytes.length);
    out.write(bytes);
  }

  private static byte[] section(int kind, byte[] raw) {
    byte[] stored = Zstd.compress(raw, ZSTD_LEVEL);
    ByteBuffer out = ByteBuffer.allocate(SECTION_HEADER_BYTES + stored.length);
    out.putInt(kind).putInt(0).putLong(raw.length).putLong(stored.length);
    out.putInt(Checks.crc32c(stored, 0, stored.length));
    out.putInt(Checks.crc32c(out.array(), 0, SECTION_HEADER_BYTES - Integer.BYTES));
    out.put(stored);
    return out.array();
  }

  // Reading

  static ImageMap read(BlockFileSystem files, Path directory, CheckpointId id) throws IOException {
    Path path = directory.resolve(ImageMap.fileName(id));
    try (BlockFile file = files.open(path, OpenMode.READ)) {
      return new Parser(file, id).parse();
    } catch (BufferUnderflowException e) {
      throw Checks.damaged(path, "a section ends too soon");
    }
  }

  /** Reads one file from its begin to its end. */
  private static final class Parser {
    private final BlockFile file;
    private final CheckpointId id;
    private final List<MemoryBlock> blocks = new ArrayList<>();
    private final PackTable packs = new PackTable();
    private final List<MemoryPart> parts = new ArrayList<>();
    private @Nullable PageLayout layout;
    private @Nullable PageMap pages;

    Parser(BlockFile file, CheckpointId id) {
      this.file = file;
      this.id = id;
    }

    ImageMap parse() throws IOException {
      if (file.size() < HEADER_BYTES) {
        throw damaged("it has " + file.size() + " bytes, too few for a map");
      }
      byte[] bytes = Checks.read(file, 0, HEADER_BYTES);
      ByteBuffer header = ByteBuffer.wrap(bytes);
      if (header.getLong() != MAGIC) {
        throw damaged("it does not begin as a map does");
      }
      int version = header.getInt();
      int pageSizeBytes = header.getInt();
      String found = hex(header, 16);
      String digest = hex(header, 32);
      int sections = header.getInt();
      if (header.getInt() != Checks.crc32c(bytes, 0, HEADER_BYTES - Integer.BYTES)) {
        throw damaged("the checksum of its header is wrong");
      }
      if (version != VERSION) {
        throw new StorageException(
            ErrorCode.UNSUPPORTED,
            file.path() + " is a map of version " + version + ", this Cairn reads " + VERSION,
            "use a newer Cairn");
      }
      if (!found.equals(id.hex())) {
        throw damaged("it is the map of checkpoint " + found);
      }
      long position = HEADER_BYTES;
      for (int i = 0; i < sections; i++) {
        position = section(position, pageSizeBytes);
      }
      PageLayout knownLayout = layout;
      PageMap knownPages = pages;
      if (position != file.size() || knownLayout == null || knownPages == null) {
        throw damaged("its sections are not those of a map");
      }
      return new ImageMap(id, knownLayout, packs, knownPages, parts, digest);
    }

    private long section(long position, int pageSizeBytes) throws IOException {
      byte[] bytes = Checks.read(file, position, SECTION_HEADER_BYTES);
      ByteBuffer header = ByteBuffer.wrap(bytes);
      int kind = header.getInt();
      header.getInt();
      long rawLength = header.getLong();
      long storedLength = header.getLong();
      int crc = header.getInt();
      if (header.getInt() != Checks.crc32c(bytes, 0, SECTION_HEADER_BYTES - Integer.BYTES)) {
        throw damaged("the checksum of the section header at " + position + " is wrong");
      }
      long start = position + SECTION_HEADER_BYTES;
      if (storedLength < 0
          || storedLength > file.size() - start
          || storedLength > RAW_BYTES_MAX
          || rawLength < 0
          || rawLength > RAW_BYTES_MAX) {
        throw damaged("the section at " + position + " has " + storedLength + " bytes");
      }
      ByteBuffer raw = ByteBuffer.wrap(raw(start, (int) storedLength, (int) rawLength, crc));
      PageLayout known = layout;
      if (kind == KIND_LAYOUT && known == null) {
        layout(raw, pageSizeBytes);
      } else if (kind == KIND_PAGES && known != null && pages == null) {
        pages = PageRuns.decode(file.path(), raw, known.pages(), packs.size());
      } else if (kind == KIND_PART && known != null) {
        parts.add(part(raw));
      } else {
        throw damaged("an unexpected section of kind " + kind + " at " + position);
      }
      return start + storedLength;
    }

    private byte[] raw(long position, int storedLength, int rawLength, int crc) throws IOException {
      byte[] stored = Checks.read(file, position, storedLength);
      if (Checks.crc32c(stored, 0, storedLength) != crc) {
        throw damaged(
            BitFlip.describe(stored, crc, position)
                .orElse("the checksum of the section at " + position + " is wrong"));
      }
      if (Zstd.getFrameContentSize(stored, 0, storedLength) != rawLength) {
        throw damaged("the section at " + position + " has another length than recorded");
      }
      byte[] raw = new byte[rawLength];
      if (Zstd.decompress(raw, stored) != rawLength) {
        throw damaged("the section at " + position + " cannot be decompressed");
      }
      return raw;
    }

    private void layout(ByteBuffer in, int pageSizeBytes) throws StorageException {
      int count = in.getInt();
      for (int i = 0; i < count; i++) {
        String name = name(in);
        long size = in.getLong();
        if (size < 0) {
          throw damaged("block " + name + " has " + size + " bytes");
        }
        blocks.add(new MemoryBlock(name, size));
      }
      layout = PageLayout.of(pageSizeBytes, blocks);
      int packCount = in.getInt();
      for (int i = 0; i < packCount; i++) {
        if (packs.add(PackId.get(in)) != i) {
          throw damaged("it names a pack twice");
        }
      }
    }

    private MemoryPart part(ByteBuffer in) throws StorageException {
      String name = name(in);
      int version = in.getInt();
      if (version < 0 || in.remaining() > MemoryPart.SIZE_BYTES_MAX) {
        throw damaged(
            "part " + name + " has version " + version + " and " + in.remaining() + " bytes");
      }
      byte[] content = new byte[in.remaining()];
      in.get(content);
      return MemoryPart.of(name, version, content);
    }

    private static String name(ByteBuffer in) {
      byte[] bytes = new byte[in.getShort() & 0xffff];
      in.get(bytes);
      return new String(bytes, StandardCharsets.UTF_8);
    }

    private static String hex(ByteBuffer in, int length) {
      byte[] bytes = new byte[length];
      in.get(bytes);
      return BaseEncoding.base16().lowerCase().encode(bytes);
    }

    private StorageException damaged(String what) {
      return Checks.damaged(file.path(), what);
    }
  }
}
