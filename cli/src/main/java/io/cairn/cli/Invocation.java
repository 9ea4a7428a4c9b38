package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.LockHolder;
import io.cairn.checkpoint.StoreOptions;
import io.cairn.checkpoint.UnfinishedTransaction;
import io.cairn.cli.terminal.Streams;
import io.cairn.cli.terminal.Style;
import io.cairn.cli.terminal.Table;
import io.cairn.cli.terminal.Terminal;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One run of one subcommand: what was asked, where to answer, and the store, opened when used. */
final class Invocation implements AutoCloseable {
  private final Options options;
  private final Settings settings;
  private final Environment environment;
  private final Streams streams;
  private final Terminal terminal;
  private final Interruption interruption;
  private @Nullable CheckpointStore store;

  Invocation(
      Options options,
      Settings settings,
      Environment environment,
      Streams streams,
      Terminal terminal,
      Interruption interruption) {
    this.options = options;
    this.settings = settings;
    this.environment = environment;
    this.streams = streams;
    this.terminal = terminal;
    this.interruption = interruption;
  }

  /** The subcommand; the root command without one is no case for this. */
  Command command() {
    if (options.leaf().commandSpec().userObject() instanceof Command command) {
      return command;
    }
    throw new CairnException(ErrorCode.USAGE, "say what to do", "see: cairn --help");
  }

  Options options() {
    return options;
  }

  boolean has(String option) {
    return options.has(option);
  }

  Optional<String> value(String option) {
    return options.value(option);
  }

  /** An argument that the subcommand requires, so that the parser has made sure of it. */
  String argument(int index) {
    return options
        .argument(index)
        .orElseThrow(() -> new IllegalStateException("argument " + index + " is not required"));
  }

  Terminal terminal() {
    return terminal;
  }

  Settings settings() {
    return settings;
  }

  Environment environment() {
    return environment;
  }

  Streams streams() {
    return streams;
  }

  Interruption interruption() {
    return interruption;
  }

  boolean json() {
    return options.has("--json");
  }

  boolean dryRun() {
    return options.has("--dry-run");
  }

  /** How a table is to be printed. */
  Table.Options tableOptions() {
    List<String> columns = value("-o").map(text -> List.of(text.split(",", -1))).orElse(List.of());
    List<Table.SortKey> keys = new ArrayList<>();
    options.values("-s").forEach(column -> keys.add(new Table.SortKey(column, false)));
    options.values("-S").forEach(column -> keys.add(new Table.SortKey(column, true)));
    return new Table.Options(has("-H"), has("-p"), columns, keys);
  }

  /**
   * The store for a command that changes nothing. If a transaction was interrupted, it is brought
   * to its end first, so that nobody has to ask for that; without the right to do so the last
   * committed state is shown.
   */
  CheckpointStore reading() {
    CheckpointStore opened = open(builder().readOnly(true).build());
    if (!interrupted(opened)) {
      return opened;
    }
    opened.close();
    try {
      return writing(false);
    } catch (CairnException e) {
      notice("an interrupted transaction could not be recovered now: " + e.getMessage());
      return open(builder().readOnly(true).build());
    }
  }

  /** The store for a command that changes something, or shows what it would change. */
  CheckpointStore writing(boolean create) {
    return open(builder().create(create).readOnly(false).build());
  }

  /** The store as it is, interrupted transactions included. */
  CheckpointStore openAsIs() {
    return open(builder().readOnly(true).build());
  }

  /** The store for writing, with what is done on opening it told to a list. */
  CheckpointStore openCollecting(List<String> notices) {
    return open(builder().notices(notices::add).build());
  }

  /** How this command opens stores. */
  StoreOptions.Builder builder() {
    List<String> line = new ArrayList<>(List.of("cairn"));
    line.addAll(options.original());
    return StoreOptions.builder()
        .lockWait(settings.lockWait())
        .clock(environment.clock())
        .command(String.join(" ", line))
        .notices(this::notice);
  }

  private CheckpointStore open(StoreOptions storeOptions) {
    close();
    CheckpointStore opened = CheckpointStore.open(settings.store(), storeOptions);
    store = opened;
    return opened;
  }

  /** Whether a transaction is unfinished that no running process works on. */
  private static boolean interrupted(CheckpointStore store) {
    List<UnfinishedTransaction> unfinished = store.unfinished();
    if (unfinished.isEmpty()) {
      return false;
    }
    List<String> held =
        store.locks().stream().filter(l -> !l.stale()).map(LockHolder::guest).toList();
    return unfinished.stream().anyMatch(t -> !held.contains(t.guest()));
  }

  /** Says something on standard error that is neither data nor an error. */
  void notice(String text) {
    if (!json()) {
      terminal.err(terminal.styledErr(Style.DIM, "cairn: " + text));
    }
  }

  @Override
  public void close() {
    if (store != null) {
      store.close();
      store = null;
    }
  }
}
