package io.cairn.cli.terminal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * A table with named columns, for people or, with tabs and exact numbers, for scripts.
 *
 * @param <T> what a row shows
 */
public final class Table<T> {
  /**
   * How a table is printed, in the words of the zfs command.
   *
   * @param script no header, columns separated by one tab ({@code -H})
   * @param exact exact numbers and UTC times ({@code -p})
   * @param columns which columns, in which order; empty for the default ones ({@code -o})
   * @param sortKeys columns to sort by, the first first ({@code -s}, {@code -S})
   */
  public record Options(
      boolean script, boolean exact, List<String> columns, List<SortKey> sortKeys) {
    /** Copies the lists. */
    public Options {
      columns = List.copyOf(columns);
      sortKeys = List.copyOf(sortKeys);
    }
  }

  /** One column to sort by. */
  public record SortKey(String column, boolean descending) {}

  /** A column name that the table does not have. */
  public static final class UnknownColumnException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    UnknownColumnException(String name, String known) {
      super("there is no column '" + name + "'; the columns are " + known);
    }
  }

  private record Column<T>(
      String name,
      boolean standard,
      boolean right,
      Function<T, String> shown,
      Function<T, String> exact,
      Comparator<T> order) {}

  private final Map<String, Column<T>> columns = new LinkedHashMap<>();

  /** Adds a column of text; {@code standard} ones are shown by default. */
  public Table<T> text(String name, boolean standard, Function<T, String> value) {
    columns.put(
        name, new Column<>(name, standard, false, value, value, Comparator.comparing(value)));
    return this;
  }

  /** Adds a column of text that has another form for scripts, sorted by that form. */
  public Table<T> text(
      String name, boolean standard, Function<T, String> shown, Function<T, String> exact) {
    columns.put(
        name, new Column<>(name, standard, false, shown, exact, Comparator.comparing(exact)));
    return this;
  }

  /** Adds a column of sizes in bytes. */
  public Table<T> bytes(String name, boolean standard, Function<T, Optional<Long>> value) {
    columns.put(
        name,
        new Column<>(
            name,
            standard,
            true,
            row -> value.apply(row).map(Human::bytes).orElse("-"),
            row -> value.apply(row).map(String::valueOf).orElse("-"),
            Comparator.comparing(row -> value.apply(row).orElse(-1L))));
    return this;
  }

  /** Adds a column of counts. */
  public Table<T> number(String name, boolean standard, Function<T, Long> value) {
    Function<T, String> text = row -> String.valueOf(value.apply(row));
    columns.put(name, new Column<>(name, standard, true, text, text, Comparator.comparing(value)));
    return this;
  }

  /** The names of all columns, separated by commas. */
  public String columnNames() {
    return String.join(", ", columns.keySet());
  }

  /** Whether printing with these options needs the column. */
  public boolean uses(Options options, String column) {
    return chosen(options).stream().anyMatch(c -> c.name.equals(column))
        || options.sortKeys().stream().anyMatch(k -> normal(k.column()).equals(column));
  }

  /**
   * Prints the rows.
   *
   * @throws UnknownColumnException if the options name a column that does not exist
   */
  public void print(List<T> rows, Options options, Terminal terminal) {
    List<Column<T>> chosen = chosen(options);
    List<List<String>> cells = new ArrayList<>();
    for (T row : sorted(rows, options)) {
      List<String> line = new ArrayList<>();
      for (Column<T> column : chosen) {
        line.add((options.exact() ? column.exact : column.shown).apply(row));
      }
      cells.add(line);
    }
    if (options.script()) {
      cells.forEach(line -> terminal.out(String.join("\t", line)));
      return;
    }
    int[] widths = new int[chosen.size()];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = chosen.get(i).name.length();
      for (List<String> line : cells) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    List<String> header =
        chosen.stream().map(column -> column.name.toUpperCase(Locale.ROOT)).toList();
    terminal.out(terminal.styled(Style.BOLD, line(header, chosen, widths)));
    cells.forEach(line -> terminal.out(line(line, chosen, widths)));
  }

  private List<Column<T>> chosen(Options options) {
    if (options.columns().isEmpty()) {
      return columns.values().stream().filter(Column::standard).toList();
    }
    return options.columns().stream().map(this::column).toList();
  }

  private List<T> sorted(List<T> rows, Options options) {
    Comparator<T> order = null;
    for (SortKey key : options.sortKeys()) {
      Comparator<T> next = column(key.column()).order;
      next = key.descending() ? next.reversed() : next;
      order = order == null ? next : order.thenComparing(next);
    }
    return order == null ? rows : rows.stream().sorted(order).toList();
  }

  private Column<T> column(String name) {
    Column<T> column = columns.get(normal(name));
    if (column == null) {
      throw new UnknownColumnException(name, columnNames());
    }
    return column;
  }

  private static String normal(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  private static <T> String line(List<String> cells, List<Column<T>> columns, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < cells.size(); i++) {
      String padding = " ".repeat(widths[i] - cells.get(i).length());
      line.append(i == 0 ? "" : "  ");
      line.append(columns.get(i).right ? padding + cells.get(i) : cells.get(i) + padding);
    }
    return line.toString().stripTrailing();
  }
}
