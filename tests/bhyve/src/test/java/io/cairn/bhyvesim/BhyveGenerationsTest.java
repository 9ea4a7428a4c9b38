package io.cairn.bhyvesim;

import io.cairn.guest.bhyve.control.SocketGeneration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The suite of every driver with the bhyves between and after those of the ordinary run. */
@Tag("crash")
@EnabledIfSystemProperty(
    named = "cairn.bhyve.generations",
    matches = "all",
    disabledReason = "G1 and G4 pass the same suite; -Dcairn.bhyve.generations=all runs the others")
final class BhyveGenerationsTest {
  @Nested
  final class Of2021 extends BhyveContract {
    Of2021() {
      super(SocketGeneration.G2);
    }
  }

  @Nested
  final class Of2022 extends BhyveContract {
    Of2022() {
      super(SocketGeneration.G3);
    }
  }

  @Nested
  final class Of2025 extends BhyveContract {
    Of2025() {
      super(SocketGeneration.G5);
    }
  }
}
