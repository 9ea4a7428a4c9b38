package io.cairn.checkpoint.memory;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.cairn.storage.io.BlockFileSystem;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The open packs of a directory. Those used last stay open, with their indexes, as long as there
 * are not more than {@value #OPEN_MAX}: some 16 MiB. Safe for use by threads.
 */
final class Packs implements Closeable {
  private static final int OPEN_MAX = 48;

  private final BlockFileSystem files;
  private final Path directory;

  @GuardedBy("this")
  private final Map<PackId, Entry> open = new LinkedHashMap<>(16, 0.75f, true);

  /** An open pack and how many users it has now. */
  private static final class Entry {
    final PackReader reader;
    int users;

    Entry(PackReader reader) {
      this.reader = reader;
    }
  }

  Packs(BlockFileSystem files, Path directory) {
    this.files = files;
    this.directory = directory;
  }

  /** Opens a pack, which stays open until it is given back. */
  synchronized PackReader acquire(PackId id) throws IOException {
    Entry entry = open.get(id);
    if (entry == null) {
      entry = new Entry(PackReader.open(files, directory, id));
      open.put(id, entry);
    }
    entry.users++;
    return entry.reader;
  }

  synchronized void release(PackReader reader) throws IOException {
    Entry entry = open.get(reader.id());
    if (entry != null) {
      entry.users--;
    }
    Iterator<Entry> oldest = open.values().iterator();
    while (open.size() > OPEN_MAX && oldest.hasNext()) {
      Entry candidate = oldest.next();
      if (candidate.users == 0) {
        oldest.remove();
        candidate.reader.close();
      }
    }
  }

  @Override
  public synchronized void close() throws IOException {
    IOException failure = null;
    for (Entry entry : open.values()) {
      try {
        entry.reader.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    open.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
