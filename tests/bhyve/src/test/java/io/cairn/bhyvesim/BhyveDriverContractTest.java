package io.cairn.bhyvesim;

import io.cairn.guest.bhyve.control.SocketGeneration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** bhyves behind the driver, each a process of its own: the one of 2020, and that of today. */
@Tag("crash")
final class BhyveDriverContractTest {
  @Nested
  final class Of2020 extends BhyveContract {
    Of2020() {
      super(SocketGeneration.G1);
    }
  }

  @Nested
  final class Of2023 extends BhyveContract {
    Of2023() {
      super(SocketGeneration.G4);
    }
  }
}
