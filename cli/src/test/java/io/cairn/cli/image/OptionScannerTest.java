package io.cairn.cli.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.cli.image.OptionScanner.Texts;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OptionScannerTest {
  private static final Syntax SYNTAX =
      Syntax.of("tool", "A tool.")
          .flag("-q --quiet", "")
          .flag("--backing-chain", "")
          .value("-f --format", "FMT", "")
          .value("--output", "FMT", "")
          .value("--object", "OBJECT", "")
          .operands("FILE");

  private static List<Given> scan(OptionScanner scanner) throws ToolFailure {
    List<Given> all = new ArrayList<>();
    for (Given given = scanner.next(); given != null; given = scanner.next()) {
      all.add(given);
    }
    return all;
  }

  private static OptionScanner scanner(String... arguments) {
    return new OptionScanner(SYNTAX, List.of(arguments), Texts.QEMU_IMG);
  }

  private static String failure(Texts texts, String... arguments) {
    OptionScanner scanner = new OptionScanner(SYNTAX, List.of(arguments), texts);
    return assertThrows(ToolFailure.class, () -> scan(scanner)).message();
  }

  @Test
  void next_optionsBetweenOperands_areAllFound() throws ToolFailure {
    OptionScanner scanner = scanner("a", "-q", "b", "-f", "raw", "c", "--output=json");
    assertEquals(
        List.of(new Given("q", ""), new Given("f", "raw"), new Given("output", "json")),
        scan(scanner));
    assertEquals(List.of("a", "b", "c"), scanner.operands());
  }

  @Test
  void next_joinedAndAbbreviated_areTakenApart() throws ToolFailure {
    assertEquals(
        List.of(
            new Given("q", ""),
            new Given("f", "raw"),
            new Given("backing-chain", ""),
            new Given("output", "json"),
            new Given("f", "x=y")),
        scan(scanner("-qfraw", "--back", "--out", "json", "--format=x=y")));
  }

  @Test
  void next_afterTwoDashes_everythingIsAnOperand() throws ToolFailure {
    OptionScanner scanner = scanner("-q", "--", "-f", "-");
    assertEquals(List.of(new Given("q", "")), scan(scanner));
    assertEquals(List.of("-f", "-"), scanner.operands());
  }

  @Test
  void next_wrongOption_saysSoInTheChosenWords() {
    assertEquals("unrecognized option '-x'", failure(Texts.QEMU_IMG, "-x"));
    assertEquals("invalid option -- 'x'", failure(Texts.GETOPT, "-qx"));
    assertEquals("unrecognized option '--x'", failure(Texts.GETOPT, "--x"));
    assertEquals("unrecognized option '--o'", failure(Texts.QEMU_IMG, "--o", "json"));
    assertEquals("missing argument for option '-f'", failure(Texts.QEMU_IMG, "-f"));
    assertEquals("option requires an argument -- 'f'", failure(Texts.GETOPT, "-f"));
  }
}
