package io.cairn.qcow2.backend;

import io.cairn.storage.DiskRef;
import io.cairn.storage.Finding;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks all files of a disk in overlay mode: the head, its layers, and what steps that were never
 * finished left beside them. Leftovers are removed only by repair, only if they are named as
 * Cairn's, and only if nobody has them open and they hold no data.
 */
final class OverlayCheck {
  private final BlockFileSystem files;
  private final DiskRef disk;
  private final LayerNames names;

  OverlayCheck(BlockFileSystem files, DiskRef disk, LayerNames names) {
    this.files = files;
    this.disk = disk;
    this.names = names;
  }

  List<Finding> run(boolean repair) throws IOException {
    List<Finding> findings = new ArrayList<>();
    OverlayFiles found = OverlayFiles.scan(files, names);
    findings.addAll(leftovers(found, repair));
    findings.addAll(DiskImages.check(files, found.requireHead().path(), repair));
    for (OverlayFile layer : found.layers()) {
      findings.addAll(DiskImages.check(files, layer.path(), repair));
    }
    return findings;
  }

  private List<Finding> leftovers(OverlayFiles found, boolean repair) throws IOException {
    List<Finding> findings = new ArrayList<>();
    OverlayHead heads = new OverlayHead(files, names);
    boolean removed = false;
    for (Path temporary : found.temporaries()) {
      if (heads.handedOver(temporary)) {
        findings.add(
            new Finding(
                Finding.Kind.ORPHAN,
                DiskErrors.object(disk),
                temporary + " is an overlay that a guest wrote to and that never became the head"));
      } else if (repair) {
        heads.remove(temporary);
        removed = true;
      } else {
        findings.add(leftover(temporary));
      }
    }
    for (OverlayFile link : found.headLinks()) {
      if (repair) {
        files.delete(link.path());
        removed = true;
      } else {
        findings.add(leftover(link.path()));
      }
    }
    if (removed) {
      files.syncDirectory(names.directory());
    }
    return findings;
  }

  private Finding leftover(Path path) {
    return new Finding(
        Finding.Kind.LEAK,
        DiskErrors.object(disk),
        path + " is left from a step that was never finished");
  }
}
