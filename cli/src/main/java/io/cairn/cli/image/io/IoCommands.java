package io.cairn.cli.image.io;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** All commands of the language. */
final class IoCommands {
  private IoCommands() {}

  /** Made when the first command runs. */
  private static final class Holder {
    static final List<IoCommand> ALL = all();

    private static List<IoCommand> all() {
      List<IoCommand> all = new ArrayList<>();
      all.addAll(ReadCommands.ALL);
      all.addAll(WriteCommands.ALL);
      all.addAll(AsyncCommands.ALL);
      all.addAll(MapCommands.ALL);
      all.addAll(SessionCommands.ALL);
      all.sort(Comparator.comparing(IoCommand::name));
      return List.copyOf(all);
    }
  }

  /** The commands by name. */
  static List<IoCommand> all() {
    return Holder.ALL;
  }

  /** The command of a name or an alias. */
  static Optional<IoCommand> find(String name) {
    return all().stream().filter(c -> c.name().equals(name) || c.alias().equals(name)).findFirst();
  }
}
