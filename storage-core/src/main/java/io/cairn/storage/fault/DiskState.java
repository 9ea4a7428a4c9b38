package io.cairn.storage.fault;

import io.cairn.storage.fault.LoggedOperation.Content;
import io.cairn.storage.fault.LoggedOperation.Create;
import io.cairn.storage.fault.LoggedOperation.Delete;
import io.cairn.storage.fault.LoggedOperation.Link;
import io.cairn.storage.fault.LoggedOperation.Names;
import io.cairn.storage.fault.LoggedOperation.Rename;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.storage.io.SparseBytes;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** What is on the platter: files by number, and the names that lead to them. */
final class DiskState {
  private final Map<Integer, SparseBytes> files;
  private final Map<Path, Integer> names;

  DiskState() {
    this(new HashMap<>(), new TreeMap<>());
  }

  private DiskState(Map<Integer, SparseBytes> files, Map<Path, Integer> names) {
    this.files = files;
    this.names = names;
  }

  DiskState copy() {
    Map<Integer, SparseBytes> copies = new HashMap<>();
    files.forEach((file, content) -> copies.put(file, content.copy()));
    return new DiskState(copies, new TreeMap<>(names));
  }

  /** The file system that a machine finds when it starts on this disk. */
  MemoryFileSystem toFileSystem() {
    Map<Path, SparseBytes> contents = new TreeMap<>();
    names.forEach((path, file) -> contents.put(path, content(file)));
    return MemoryFileSystem.of(contents);
  }

  void put(Path path, int file, SparseBytes content) {
    names.put(path, file);
    files.put(file, content);
  }

  void apply(Content operation) {
    operation.apply(content(operation.file()));
  }

  void applyTorn(Content operation, BitSet sectors) {
    operation.applyTorn(content(operation.file()), sectors);
  }

  void apply(Names operation) {
    // Names are compared with the file they led to, because any earlier operation may be lost.
    if (operation instanceof Create create) {
      names.put(create.path(), create.file());
    } else if (operation instanceof Link link) {
      names.put(link.path(), link.file());
    } else if (operation instanceof Rename rename) {
      names.remove(rename.from(), rename.file());
      names.put(rename.to(), rename.file());
    } else if (operation instanceof Delete delete) {
      names.remove(delete.path(), delete.file());
    }
  }

  /** A file exists as soon as any operation on it survived, empty at first. */
  private SparseBytes content(int file) {
    return files.computeIfAbsent(file, f -> SparseBytes.ofSize(0));
  }
}
