package io.cairn.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TerminalTest {
  private static boolean colored(
      boolean isTerminal, Map<String, String> environment, ColorMode mode) {
    Terminal terminal = new Captured().terminal(isTerminal, environment, mode);
    boolean out = terminal.styled(Style.RED, "x").contains("\u001b");
    assertEquals(out, terminal.styledErr(Style.RED, "x").contains("\u001b"));
    assertEquals(out, terminal.outColor());
    return out;
  }

  @Test
  void color_auto_onlyOnATerminalThatMayHaveIt() {
    assertTrue(colored(true, Map.of(), ColorMode.AUTO));
    assertFalse(colored(false, Map.of(), ColorMode.AUTO));
    assertFalse(colored(true, Map.of("NO_COLOR", "1"), ColorMode.AUTO));
    assertTrue(colored(true, Map.of("NO_COLOR", ""), ColorMode.AUTO));
    assertFalse(colored(true, Map.of("TERM", "dumb"), ColorMode.AUTO));
  }

  @Test
  void color_explicit_winsOverTerminalAndEnvironment() {
    assertTrue(colored(false, Map.of("NO_COLOR", "1"), ColorMode.ALWAYS));
    assertFalse(colored(true, Map.of(), ColorMode.NEVER));
  }

  @Test
  void unicode_locale_firstVariableThatIsSetDecides() {
    assertTrue(unicode(Map.of("LANG", "de_DE.UTF-8")));
    assertTrue(unicode(Map.of("LC_ALL", "", "LC_CTYPE", "C.utf8", "LANG", "C")));
    assertFalse(unicode(Map.of("LC_ALL", "C", "LANG", "de_DE.UTF-8")));
    assertFalse(unicode(Map.of()));
  }

  private static boolean unicode(Map<String, String> environment) {
    return new Captured().terminal(false, environment, ColorMode.AUTO).unicode();
  }

  @Test
  void out_readerGone_saysSo() {
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    Terminal terminal =
        new Terminal(
            new Streams(InputStream.nullInputStream(), broken, broken, false, false, false),
            Map.of(),
            ColorMode.AUTO,
            false);
    terminal.out("buffered");
    assertThrows(ClosedPipeException.class, terminal::flush);
    terminal.err("nobody hears this, and that is no error");
  }

  @Test
  void err_afterTransientLine_erasesItFirst() {
    Captured captured = new Captured();
    Terminal terminal = captured.terminal(true);
    terminal.transientErr("half");
    terminal.err("done");
    assertEquals("\rhalf\r    \rdone\n", captured.err());
  }
}
