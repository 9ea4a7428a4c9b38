package io.cairn.cli.image;

import io.cairn.cli.image.io.IoTool;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** All tools, each made only when it is needed. */
public final class Tools {
  private static final List<String> NAMES =
      List.of(
          "create",
          "info",
          "check",
          "snapshot",
          "map",
          "convert",
          "compare",
          "commit",
          "rebase",
          "resize",
          "amend",
          "measure",
          "dd",
          "bitmap");

  private Tools() {}

  static Optional<Tool> find(String name) {
    return switch (name) {
      case "amend" -> Optional.of(new AmendTool());
      case "bitmap" -> Optional.of(new BitmapTool());
      case "check" -> Optional.of(new CheckTool());
      case "commit" -> Optional.of(new CommitTool());
      case "compare" -> Optional.of(new CompareTool());
      case "convert" -> Optional.of(new ConvertTool());
      case "create" -> Optional.of(new CreateTool());
      case "dd" -> Optional.of(new DdTool());
      case "info" -> Optional.of(new InfoTool());
      case "map" -> Optional.of(new MapTool());
      case "measure" -> Optional.of(new MeasureTool());
      case "rebase" -> Optional.of(new RebaseTool());
      case "resize" -> Optional.of(new ResizeTool());
      case "snapshot" -> Optional.of(new SnapshotTool());
      default -> Optional.empty();
    };
  }

  /** The command lines of all tools in the order of the help, io the last. */
  public static List<Syntax> syntaxes() {
    List<Syntax> syntaxes = new ArrayList<>();
    for (String name : NAMES) {
      find(name).map(Tool::syntax).ifPresent(syntaxes::add);
    }
    syntaxes.add(IoTool.SYNTAX);
    return syntaxes;
  }
}
