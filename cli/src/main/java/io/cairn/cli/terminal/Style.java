package io.cairn.cli.terminal;

/** How a piece of text looks where colour is on. */
public enum Style {
  /** Emphasised. */
  BOLD("1"),
  /** Of less interest, such as an automatic checkpoint. */
  DIM("2"),
  /** An error. */
  RED("31"),
  /** Success. */
  GREEN("32"),
  /** A warning. */
  YELLOW("33");

  private final String sgr;

  Style(String sgr) {
    this.sgr = sgr;
  }

  String apply(String text) {
    return "\u001b[" + sgr + "m" + text + "\u001b[0m";
  }
}
