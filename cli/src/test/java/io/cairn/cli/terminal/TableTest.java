package io.cairn.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class TableTest {
  private record Row(String name, long size) {}

  private static final List<Row> ROWS = List.of(new Row("b", 2048), new Row("a", 10));

  private static String print(Table.Options options) {
    Captured captured = new Captured();
    Terminal terminal = captured.terminal(false);
    new Table<Row>()
        .text("name", true, Row::name)
        .bytes("size", true, r -> Optional.of(r.size()))
        .text("hidden", false, r -> "h")
        .print(ROWS, options, terminal);
    return captured.out(terminal);
  }

  private static Table.Options options(boolean script, boolean exact, List<String> columns) {
    return new Table.Options(script, exact, columns, List.of());
  }

  @Test
  void print_forPeople_alignsUnderAHeader() {
    assertEquals(
        "NAME   SIZE\nb     2.00K\na       10B\n", print(options(false, false, List.of())));
  }

  @Test
  void print_forScripts_hasTabsAndExactNumbers() {
    assertEquals("b\t2048\na\t10\n", print(options(true, true, List.of())));
  }

  @Test
  void print_chosenColumns_inThatOrder() {
    assertEquals("h\tb\nh\ta\n", print(options(true, false, List.of("hidden", "NAME"))));
  }

  @Test
  void print_sorted_bySizeNotByText() {
    Table.Options bySize =
        new Table.Options(true, true, List.of(), List.of(new Table.SortKey("size", false)));
    assertEquals("a\t10\nb\t2048\n", print(bySize));
    Table.Options descending =
        new Table.Options(true, true, List.of(), List.of(new Table.SortKey("name", true)));
    assertEquals("b\t2048\na\t10\n", print(descending));
  }

  @Test
  void print_unknownColumn_isRefused() {
    assertThrows(
        Table.UnknownColumnException.class, () -> print(options(false, false, List.of("colour"))));
  }
}
