package io.cairn.checkpoint.memory;

import com.google.common.io.BaseEncoding;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;

/**
 * What proves that an image is the one that was recorded: a SHA-256 over the blocks, the number and
 * digest of every page that is not zero, and the parts. It does not depend on where and how pages
 * are stored, so it stays the same when packs are replaced.
 *
 * <pre>
 *   "cairn-memory-image/1", u32 page size, u32 blocks
 *   for each block:          u32 length and UTF-8 of its name, u64 size
 *   for each stored page:    u32 number in the image, 16 bytes of the SHA-256 of its content
 *   u32 0xffffffff, u32 parts
 *   for each part:           u32 length and UTF-8 of its name, u32 version, u64 length, content
 * </pre>
 */
final class ImageDigest {
  private static final String DOMAIN = "cairn-memory-image/1";
  private static final int DIGEST_BYTES = PackIndex.DIGEST_BYTES;

  /** How many pages are digested by one call. */
  private static final int PAGES_AT_ONCE = 1024;

  private final MessageDigest sha256 = Checks.sha256();
  private final ByteBuffer number = ByteBuffer.allocate(Long.BYTES);

  private ImageDigest() {}

  /** Computes it from the digests in the packs' indexes; reads no page. */
  static String of(PageLayout layout, PageMap pages, List<MemoryPart> parts, PageReader reader)
      throws IOException {
    ImageDigest digest = new ImageDigest();
    digest.sha256.update(DOMAIN.getBytes(StandardCharsets.UTF_8));
    digest.add(layout.pageSizeBytes());
    digest.add(layout.blocks().size());
    for (MemoryBlock block : layout.blocks()) {
      digest.add(block.name());
      digest.addLong(block.sizeBytes());
    }
    digest.addPages(pages, reader);
    digest.add(-1);
    digest.add(parts.size());
    for (MemoryPart part : parts) {
      digest.add(part.name());
      digest.add(part.version());
      digest.addLong(part.content().remaining());
      digest.sha256.update(part.content());
    }
    return BaseEncoding.base16().lowerCase().encode(digest.sha256.digest());
  }

  private void addPages(PageMap pages, PageReader reader) throws IOException {
    ByteBuffer entries = ByteBuffer.allocate(PAGES_AT_ONCE * (Integer.BYTES + DIGEST_BYTES));
    for (int page = pages.nextStored(0); page < pages.pages(); page = pages.nextStored(page + 1)) {
      long place = pages.get(page);
      byte[] digests = reader.packOf(place).index().digests();
      entries.putInt(page);
      entries.put(digests, PageMap.ordinal(place) * DIGEST_BYTES, DIGEST_BYTES);
      if (!entries.hasRemaining()) {
        sha256.update(entries.flip());
        entries.clear();
      }
    }
    sha256.update(entries.flip());
  }

  private void add(int value) {
    sha256.update(number.clear().putInt(value).flip());
  }

  private void addLong(long value) {
    sha256.update(number.clear().putLong(value).flip());
  }

  private void add(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    add(bytes.length);
    sha256.update(bytes);
  }
}
