package io.cairn.guest.bhyve;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.files.DurableFiles;
import io.cairn.checkpoint.json.Json;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.checkpoint.memory.MemoryImages;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The RAM file of the checkpoint that a guest was last put back on, in the file {@code kept.ram} of
 * its directory, with {@code kept.json} beside it. It is kept only where the file system shares
 * blocks between files: then it costs nothing while the guest's own file is there, and the next
 * restore of the same checkpoint shares its blocks instead of writing the memory again.
 *
 * <p>It is a cache. Nothing of it is durable before it is used, so that it is compared with its
 * checksum each time, and whatever goes wrong with it means only that it is not used.
 */
final class KeptMemory {
  private static final String RAM = "kept.ram";
  private static final String FACTS = "kept.json";
  private static final String SCHEMA = "cairn/bhyve-kept/1";
  private static final long FACTS_BYTES_MAX = 4096;

  private final BlockFileSystem files;
  private final Path directory;

  KeptMemory(BlockFileSystem files, Path directory) {
    this.files = files;
    this.directory = directory;
  }

  private Path ram() {
    return directory.resolve(RAM);
  }

  private Path facts() {
    return directory.resolve(FACTS);
  }

  /**
   * Gives a new file the blocks of the kept one, if that has the memory of this image.
   *
   * @return false if there is none, or it is not as it was kept; the file is as before then
   */
  boolean cloneTo(MemoryImage image, BlockFile to) {
    try {
      if (!files.exists(facts()) || !files.exists(ram())) {
        return false;
      }
      JsonObject json = Json.object(DurableFiles.read(files, facts(), FACTS_BYTES_MAX));
      if (!Json.text(json, "schema").equals(SCHEMA)
          || !Json.text(json, "digest").equals(image.digest())) {
        return false;
      }
      try (BlockFile kept = files.open(ram(), OpenMode.READ)) {
        if (kept.size() != Json.number(json, "size")
            || RamSum.of(kept) != Json.number(json, "sum")) {
          forget();
          return false;
        }
      }
      return to.reflink(ram());
    } catch (IOException | JsonParseException e) {
      return false;
    }
  }

  /** Keeps a RAM file that has just been made from an image, if that costs no copy. */
  void keep(MemoryImage image, Path made, long sizeBytes, long sum) throws IOException {
    forget();
    try {
      boolean shared;
      try (BlockFile kept = files.open(ram(), OpenMode.CREATE_NEW)) {
        shared = kept.reflink(made);
      }
      if (shared) {
        JsonObject json = new JsonObject();
        json.addProperty("schema", SCHEMA);
        json.addProperty("checkpoint", image.id().hex());
        json.addProperty("digest", image.digest());
        json.addProperty("size", sizeBytes);
        json.addProperty("sum", sum);
        // Last: without it there is no kept memory.
        DurableFiles.replace(files, facts(), json.toString());
      } else {
        forget();
      }
    } catch (IOException e) {
      forget(); // a restore does not fail for want of a cache
    }
  }

  /** Removes what is kept if its checkpoint was deleted. */
  void forgetIfGone(MemoryImages images) throws IOException {
    try {
      if (files.exists(facts())) {
        JsonObject json = Json.object(DurableFiles.read(files, facts(), FACTS_BYTES_MAX));
        if (images.exists(new CheckpointId(Json.text(json, "checkpoint")))) {
          return;
        }
      }
    } catch (JsonParseException | IllegalArgumentException e) {
      // What cannot be understood is of no use.
    }
    forget();
  }

  /** Removes what is kept; does nothing if that is nothing. */
  void forget() throws IOException {
    files.delete(facts());
    files.delete(ram());
  }
}
