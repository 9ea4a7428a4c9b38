package io.cairn.cli.image;

import java.util.Map;
import java.util.Optional;

/**
 * An image described by options: {@code driver=qcow2,file.filename=disk.qcow2}.
 *
 * @param file the file's name
 * @param format the driver, if given
 */
public record ImageOptions(String file, Optional<String> format) {
  /** The answer to {@code --object}. */
  public static final String NO_OBJECTS =
      "--object is not supported: encrypted images and network storage, which need objects, are not"
          + " either";

  /** Reads the options; one that Cairn does not have is refused by name. */
  public static ImageOptions parse(String text) throws ToolFailure {
    Map<String, String> options = KeyValues.parse(text, "");
    Optional<String> file = Optional.empty();
    Optional<String> format = Optional.empty();
    for (Map.Entry<String, String> option : options.entrySet()) {
      switch (option.getKey()) {
        case "driver" -> format = Optional.of(option.getValue());
        case "file.filename", "filename" -> file = Optional.of(option.getValue());
        case "file.driver" -> {
          if (!option.getValue().equals("file")) {
            throw ToolFailure.of(
                "Could not open '" + text + "': Unknown driver '" + option.getValue() + "'");
          }
        }
        default ->
            throw ToolFailure.of(
                "Could not open '"
                    + text
                    + "': the option '"
                    + option.getKey()
                    + "' is not supported; driver, file.driver and file.filename are");
      }
    }
    if (format.isPresent() && format.get().equals("file")) {
      format = Optional.of(Images.RAW);
    }
    if (file.isEmpty()) {
      throw ToolFailure.of(
          "Could not open '" + text + "': A block device must be specified for \"file\"");
    }
    return new ImageOptions(file.get(), format);
  }
}
