package io.cairn.qcow2.backend;

import io.cairn.qcow2.Qcow2Image;
import io.cairn.storage.SnapshotLabel;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.util.Optional;

/** Writes what Cairn keeps in the headers of files. */
final class LayerLabels {
  private LayerLabels() {}

  /**
   * Keeps the label of a layer that an overlay is about to leave. If no other header states it, it
   * goes into the layer's own; that is durable on return, and only then may the overlay go. Nobody
   * has the layer open then, because nothing else is based on it.
   */
  static void keep(
      BlockFileSystem files, OverlayFiles found, OverlayFile layer, OverlayFile leaving)
      throws IOException {
    Optional<SnapshotLabel> label = found.writtenLabel(layer);
    boolean elsewhere =
        found.ownLabel(layer).isPresent()
            || found.users(layer).stream()
                .anyMatch(u -> !u.sameFile(leaving) && found.baseLabel(u, layer).isPresent());
    if (label.isEmpty() || elsewhere || layer.cairn().isEmpty()) {
      return;
    }
    LayerHeader header = layer.cairn().get().withOwn(label.get());
    try (Qcow2Image image = DiskImages.change(files, layer.path())) {
      image.writeExtension(header.toExtension().encode());
    }
  }
}
