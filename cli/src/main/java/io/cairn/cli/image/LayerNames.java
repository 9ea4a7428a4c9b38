package io.cairn.cli.image;

import io.cairn.qcow2.BackingFile;
import io.cairn.qcow2.Qcow2Header;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the files of a backing chain are called, as seen from where the image was named. */
final class LayerNames {
  private final Images images;
  private final List<String> names = new ArrayList<>();

  LayerNames(Images images, Images.Opened opened) {
    this.images = images;
    names.add(opened.name());
  }

  /** The name of the file that a layer's data are in: the layer's own, or its data file's. */
  String of(int depth, Optional<Path> file) {
    while (names.size() <= depth) {
      String above = names.get(names.size() - 1);
      names.add(
          header(above)
              .flatMap(Qcow2Header::backing)
              .map(BackingFile::name)
              .map(name -> BackingNames.resolve(above, name))
              .orElse(""));
    }
    String layer = names.get(depth);
    Optional<String> dataFile = header(layer).flatMap(FormatInfo::dataFile);
    return file.isEmpty() || dataFile.isEmpty()
        ? layer
        : BackingNames.resolve(layer, dataFile.get());
  }

  private Optional<Qcow2Header> header(String name) {
    try {
      return Images.header(images.path(name));
    } catch (ToolFailure e) {
      return Optional.empty();
    }
  }
}
