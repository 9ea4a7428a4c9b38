package io.cairn.bench;

import java.util.ArrayList;
import java.util.List;

/** A table in the form that both people and Markdown read. */
final class Table {
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... header) {
    rows.add(List.of(header));
  }

  Table row(String... cells) {
    rows.add(List.of(cells));
    return this;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int r = 0; r < rows.size(); r++) {
      line(text, rows.get(r), ' ');
      if (r == 0) {
        line(text, rows.get(0).stream().map(cell -> "-").toList(), '-');
      }
    }
    return text.toString();
  }

  private void line(StringBuilder text, List<String> cells, char padding) {
    for (int c = 0; c < cells.size(); c++) {
      int column = c;
      int width = rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
      String cell = cells.get(c);
      text.append("| ").append(cell);
      text.append(String.valueOf(padding).repeat(width - cell.length())).append(' ');
    }
    text.append("|\n");
  }
}
