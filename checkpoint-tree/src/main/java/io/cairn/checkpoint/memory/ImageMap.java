package io.cairn.checkpoint.memory;

import com.google.common.io.BaseEncoding;
import io.cairn.checkpoint.CheckpointId;
import java.util.List;

/**
 * One image: where its pages are, and its parts.
 *
 * @param id the checkpoint it belongs to
 * @param layout its blocks
 * @param packs the packs that its pages are in, and those of the bases of differences
 * @param pages where each page is
 * @param parts what the hypervisor needs besides
 * @param digest of all content, in hexadecimal; see {@link ImageDigest}
 */
record ImageMap(
    CheckpointId id,
    PageLayout layout,
    PackTable packs,
    PageMap pages,
    List<MemoryPart> parts,
    String digest) {
  static final String SUFFIX = ".map";

  ImageMap {
    parts = List.copyOf(parts);
  }

  static String fileName(CheckpointId id) {
    return id.hex() + SUFFIX;
  }

  static boolean isFile(String name) {
    return name.matches("[0-9a-f]{32}\\.map");
  }

  byte[] digestBytes() {
    return BaseEncoding.base16().lowerCase().decode(digest);
  }
}
