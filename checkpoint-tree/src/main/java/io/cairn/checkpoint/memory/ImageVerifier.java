package io.cairn.checkpoint.memory;

import io.cairn.checkpoint.CheckpointId;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Reads an image as a restore would, and compares every page with its digest. */
final class ImageVerifier {
  private final BlockFileSystem files;
  private final Path directory;

  ImageVerifier(BlockFileSystem files, Path directory) {
    this.files = files;
    this.directory = directory;
  }

  List<Finding> verify(CheckpointId id) throws IOException {
    List<Finding> findings = new ArrayList<>();
    String object = "memory of " + id.hex();
    ImageMap map;
    try {
      map = MapFile.read(files, directory, id);
    } catch (StorageException e) {
      return List.of(finding(object, e, ""));
    }
    try (Packs packs = new Packs(files, directory);
        MemoryImage image = new MemoryImage(files, directory, map);
        PageReader reader = new PageReader(packs, map.packs(), map.layout().pageSizeBytes())) {
      MessageDigest sha256 = Checks.sha256();
      StoredPages pages = StoredPages.of(map, OptionalInt.empty());
      pages.read(
          reader,
          0,
          pages.size(),
          (block, first, from, offset, count) -> {
            int size = map.layout().pageSizeBytes();
            for (int i = 0; i < count; i++) {
              sha256.update(from, offset + i * size, size);
              int page = map.layout().firstPage(block) + first + i;
              long place = map.pages().get(page);
              if (!reader.hasDigest(place, sha256.digest())) {
                throw Checks.damaged(
                    reader.packOf(place).path(),
                    "the page at " + map.layout().describe(page) + " is not the one recorded");
              }
            }
          },
          (failure, failed) -> findings.add(finding(object, failure, affected(map, failed))));
      if (findings.isEmpty()) {
        image.proveDigest();
      }
    } catch (StorageException e) {
      findings.add(finding(object, e, ""));
    }
    return findings;
  }

  private static String affected(ImageMap map, int[] pages) {
    int first = pages[0];
    int last = pages[0];
    for (int page : pages) {
      first = Math.min(first, page);
      last = Math.max(last, page);
    }
    return String.format(
        "; %d %s affected, from %s to %s",
        pages.length,
        pages.length == 1 ? "page is" : "pages are",
        map.layout().describe(first),
        map.layout().describe(last));
  }

  private static Finding finding(String object, StorageException e, String more) {
    Finding.Kind kind =
        e.code() == ErrorCode.NOT_FOUND ? Finding.Kind.MISSING : Finding.Kind.CORRUPT;
    return new Finding(kind, object, e.getMessage() + more);
  }
}
