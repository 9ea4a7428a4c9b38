package io.cairn.qcow2.backend;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.CairnExtension;
import io.cairn.qcow2.HeaderExtension;
import io.cairn.qcow2.Qcow2Header;
import io.cairn.storage.DiskSnapshot;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.FileFacts;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Every qcow2 file in the directory of a disk in overlay mode, read at one moment: which are its
 * layers, and which files are overlays of which. All that this mode knows it learns from here.
 *
 * <p>Where the label of a layer is kept: in the header of each overlay of it, written when Cairn
 * makes the overlay. A layer that is about to lose its last such overlay gets the label into its
 * own header first ({@link LayerLabels}). So the file that becomes a layer needs no write, which
 * matters when a hypervisor still has it open.
 */
final class OverlayFiles {
  private final LayerNames names;
  private final Map<Path, OverlayFile> byPath = new LinkedHashMap<>();
  private final List<Path> temporaries = new ArrayList<>();
  private final List<Path> unreadable = new ArrayList<>();

  private OverlayFiles(LayerNames names) {
    this.names = names;
  }

  static OverlayFiles scan(BlockFileSystem files, LayerNames names) throws IOException {
    OverlayFiles found = new OverlayFiles(names);
    for (Path path : files.list(names.directory())) {
      if (names.isTemporary(path)) {
        found.temporaries.add(path);
      }
      found.addIfQcow2(files, path);
    }
    return found;
  }

  /** Reads one file; empty if it is missing. */
  static Optional<OverlayFile> read(BlockFileSystem files, Path path) throws IOException {
    if (!files.exists(path)) {
      return Optional.empty();
    }
    FileFacts facts = files.facts(path);
    try (BlockFile file = files.open(path, OpenMode.READ)) {
      Qcow2Header header = Qcow2Header.read(file);
      Optional<LayerHeader> cairn =
          header
              .extension(HeaderExtension.CAIRN)
              .flatMap(CairnExtension::parse)
              .map(LayerHeader::of);
      Optional<String> backingKey =
          header.backing().isPresent()
              ? backingKey(files, path, header.backing().get())
              : Optional.empty();
      return Optional.of(new OverlayFile(path, facts, header, cairn, backingKey));
    }
  }

  private static Optional<String> backingKey(BlockFileSystem files, Path path, BackingFile backing)
      throws IOException {
    try {
      Path target = path.resolveSibling(backing.name()).normalize();
      return files.exists(target) ? Optional.of(files.facts(target).fileKey()) : Optional.empty();
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  private void addIfQcow2(BlockFileSystem files, Path path) throws IOException {
    try {
      if (files.facts(path).regular()) {
        read(files, path).ifPresent(file -> byPath.put(path, file));
      }
    } catch (StorageException e) {
      // Another kind of file, or a damaged one, is an overlay of nothing. One that cannot be read
      // could be, and is a failure if it is ours.
      if (e.code() == ErrorCode.FAILED) {
        if (path.equals(names.head()) || names.checkpointOf(path).isPresent()) {
          throw e;
        }
        unreadable.add(path);
      }
    }
  }

  LayerNames names() {
    return names;
  }

  Optional<OverlayFile> file(Path path) {
    return Optional.ofNullable(byPath.get(path));
  }

  OverlayFile requireHead() throws StorageException {
    OverlayFile head = byPath.get(names.head());
    if (head == null) {
      throw new StorageException(
          ErrorCode.NOT_FOUND, names.head() + " is not there or is no qcow2 image", "");
    }
    return head;
  }

  /** The disk's id; a disk gets it when it joins a guest. */
  UUID requireImageId() throws StorageException {
    return requireHead()
        .cairn()
        .map(LayerHeader::imageId)
        .orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.CORRUPT,
                    names.head() + " does not carry the id of a registered disk",
                    "the disk was replaced by another file; put the right one back"));
  }

  List<Path> temporaries() {
    return List.copyOf(temporaries);
  }

  List<Path> unreadable() {
    return List.copyOf(unreadable);
  }

  /** The disk's layers in no particular order. */
  List<OverlayFile> layers() {
    return byPath.values().stream().filter(this::isLayer).toList();
  }

  /** The layer of a checkpoint. */
  Optional<OverlayFile> layer(String checkpointId) {
    return file(names.layer(checkpointId)).filter(this::isLayer);
  }

  /**
   * Whether the file is a layer of this disk: by its name, by its id, and by not being the head.
   * The latter tells a layer from the second name that a step in the making gives to the head.
   */
  boolean isLayer(OverlayFile file) {
    OverlayFile head = byPath.get(names.head());
    if (names.checkpointOf(file.path()).isEmpty() || (head != null && file.sameFile(head))) {
      return false;
    }
    Optional<UUID> disk = head == null ? Optional.empty() : head.cairn().map(LayerHeader::imageId);
    return disk.isEmpty() || file.cairn().map(LayerHeader::imageId).equals(disk);
  }

  /** Second names of the head that a step in the making left. */
  List<OverlayFile> headLinks() throws StorageException {
    OverlayFile head = requireHead();
    return byPath.values().stream()
        .filter(f -> names.checkpointOf(f.path()).isPresent() && f.sameFile(head))
        .toList();
  }

  /** The recorded layer. */
  Optional<OverlayFile> layer(DiskSnapshot recorded) {
    String name = recorded.identity().getOrDefault(OverlaySnapshots.FILE, "");
    return layers().stream()
        .filter(f -> String.valueOf(f.path().getFileName()).equals(name))
        .findFirst();
  }

  /** The files whose backing file this is, each once however many names it has. */
  List<OverlayFile> users(OverlayFile file) {
    Map<String, OverlayFile> users = new LinkedHashMap<>();
    byPath.values().stream()
        .filter(f -> f.isOverlayOf(file) && !names.isTemporary(f.path()))
        .forEach(f -> users.merge(f.facts().fileKey(), f, this::preferred));
    return List.copyOf(users.values());
  }

  /** The head is known by its own name. */
  private OverlayFile preferred(OverlayFile one, OverlayFile other) {
    return other.path().equals(names.head()) ? other : one;
  }

  /** The layer that this file is an overlay of, if it is one of ours. */
  Optional<OverlayFile> base(OverlayFile file) {
    return layers().stream().filter(file::isOverlayOf).findFirst();
  }

  /** What is known of the checkpoint of a layer. */
  SnapshotLabel label(OverlayFile layer) {
    String id = names.checkpointOf(layer.path()).orElseThrow();
    return writtenLabel(layer)
        .orElseGet(
            () ->
                new SnapshotLabel(
                    id,
                    base(layer).flatMap(b -> names.checkpointOf(b.path())),
                    id.substring(0, 8),
                    Instant.EPOCH));
  }

  /** The label as some header states it. */
  Optional<SnapshotLabel> writtenLabel(OverlayFile layer) {
    Optional<SnapshotLabel> own = ownLabel(layer);
    if (own.isPresent()) {
      return own;
    }
    return users(layer).stream().flatMap(u -> baseLabel(u, layer).stream()).findFirst();
  }

  Optional<SnapshotLabel> ownLabel(OverlayFile layer) {
    return layer.cairn().flatMap(LayerHeader::own).filter(l -> isOf(l, layer));
  }

  /** What an overlay says of the layer it is based on. */
  Optional<SnapshotLabel> baseLabel(OverlayFile overlay, OverlayFile layer) {
    return overlay.cairn().flatMap(LayerHeader::base).filter(l -> isOf(l, layer));
  }

  private boolean isOf(SnapshotLabel label, OverlayFile layer) {
    return names.checkpointOf(layer.path()).equals(Optional.of(label.checkpointId()));
  }

  /** How many files below this one the chain has, our own and others, as far as it is here. */
  int depth(OverlayFile file) {
    int depth = 0;
    Optional<OverlayFile> at = Optional.of(file);
    while (at.isPresent() && depth <= byPath.size()) {
      OverlayFile here = at.get();
      if (here.header().backing().isEmpty()) {
        return depth;
      }
      depth++;
      at = byPath.values().stream().filter(here::isOverlayOf).findFirst();
    }
    return depth;
  }
}
