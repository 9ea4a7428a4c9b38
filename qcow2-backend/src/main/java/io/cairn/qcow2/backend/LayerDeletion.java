package io.cairn.qcow2.backend;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Removes layers of a disk. A layer that nothing is based on is unlinked; one with a single user is
 * merged into it first; one with several users, or whose user is not Cairn's to change, or that
 * another program's internal snapshots rest on, is retained.
 *
 * <p>The directory is read again after each removal: it can turn a layer with two users into one
 * with a single user. Every removal is complete in itself, so that a crash between two of them, or
 * within one, leaves a state from which deleting again goes on.
 */
final class LayerDeletion {
  private final BlockFileSystem files;
  private final LayerNames names;

  LayerDeletion(BlockFileSystem files, LayerNames names) {
    this.files = files;
    this.names = names;
  }

  /**
   * What became of the layers.
   *
   * @param retained those that are still there
   * @param bytesFreed what became free
   */
  record Result(List<OverlayFile> retained, long bytesFreed) {}

  /** What can be done with a layer now; {@code user} is present if it is to be merged into it. */
  record Removal(OverlayFile layer, Optional<OverlayFile> user) {}

  Result delete(List<Path> layers) throws IOException {
    List<Path> remaining = new ArrayList<>(layers);
    long freed = 0;
    while (true) {
      OverlayFiles found = OverlayFiles.scan(files, names);
      remaining.removeIf(path -> found.file(path).filter(found::isLayer).isEmpty());
      Optional<Removal> next = next(found, remaining);
      if (next.isEmpty()) {
        List<OverlayFile> retained =
            remaining.stream().flatMap(p -> found.file(p).stream()).toList();
        return new Result(retained, freed);
      }
      requireAllReadable(found);
      freed += remove(found, next.get());
      remaining.remove(next.get().layer().path());
    }
  }

  /** An overlay that cannot be read could lose the layer it is based on. */
  private void requireAllReadable(OverlayFiles found) throws StorageException {
    if (!found.unreadable().isEmpty()) {
      throw new StorageException(
          ErrorCode.BLOCKED,
          "cannot tell whether " + found.unreadable() + " needs the layers of " + names.head(),
          "run as a user who may read every file of the directory");
    }
  }

  /**
   * The cheapest removal: layers without users, then a layer whose user stays, so that nothing is
   * copied twice.
   */
  static Optional<Removal> next(OverlayFiles found, List<Path> remaining) {
    Optional<Removal> merge = Optional.empty();
    for (Path path : remaining) {
      OverlayFile layer = found.file(path).orElseThrow();
      List<OverlayFile> users = found.users(layer);
      if (layer.hasInternalSnapshots()) {
        continue;
      }
      if (users.isEmpty()) {
        return Optional.of(new Removal(layer, Optional.empty()));
      }
      if (users.size() == 1 && mayChange(found, users.get(0))) {
        Removal candidate = new Removal(layer, Optional.of(users.get(0)));
        if (merge.isEmpty() || !remaining.contains(users.get(0).path())) {
          merge = Optional.of(candidate);
        }
      }
    }
    return merge;
  }

  /** Only the head and our layers; and no file whose internal snapshots see through to the base. */
  private static boolean mayChange(OverlayFiles found, OverlayFile user) {
    boolean ours = user.path().equals(found.names().head()) || found.isLayer(user);
    return ours && !user.hasInternalSnapshots();
  }

  /**
   * Order: (1) the label of the layer below is kept somewhere else, durably; (2) merge, durable on
   * return; (3) unlink; (4) sync the directory. Nothing is lost at any point: until (3) every file
   * reads as before and is based on files that are there.
   */
  private long remove(OverlayFiles found, Removal removal) throws IOException {
    OverlayFile layer = removal.layer();
    Path path = layer.path();
    Optional<OverlayFile> base = found.base(layer);
    if (base.isPresent()) {
      LayerLabels.keep(files, found, base.get(), layer);
    }
    long grown = removal.user().isPresent() ? merge(layer, removal.user().get()) : 0;
    ImageLock.holding(files, path, () -> files.delete(path));
    files.syncDirectory(names.directory());
    return Math.max(0, layer.facts().allocatedBytes() - grown);
  }

  private long merge(OverlayFile layer, OverlayFile user) throws IOException {
    Path path = user.path();
    ImageLock.holding(files, path, () -> LayerMerge.mergeInto(files, path, layer.path()));
    return files.facts(path).allocatedBytes() - user.facts().allocatedBytes();
  }
}
