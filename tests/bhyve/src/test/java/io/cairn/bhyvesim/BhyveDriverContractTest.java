package io.cairn.bhyvesim;

import io.cairn.guest.bhyve.control.SocketGeneration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** bhyves of every generation behind the driver, each a process of its own. */
@Tag("crash")
final class BhyveDriverContractTest {
  @Nested
  final class Of2020 extends BhyveContract {
    Of2020() {
      super(SocketGeneration.G1);
    }
  }

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
  final class Of2023 extends BhyveContract {
    Of2023() {
      super(SocketGeneration.G4);
    }
  }

  @Nested
  final class Of2025 extends BhyveContract {
    Of2025() {
      super(SocketGeneration.G5);
    }
  }
}
