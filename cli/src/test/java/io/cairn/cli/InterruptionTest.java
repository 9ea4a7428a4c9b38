package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class InterruptionTest {
  private int cancelled;

  private final Interruption.Running running =
      new Interruption.Running() {
        @Override
        public boolean cancel() {
          cancelled++;
          return true;
        }

        @Override
        public String status() {
          return "half way";
        }
      };

  @Test
  void arrive_first_asksTheOperationToStop() {
    List<Interruption> connected = new ArrayList<>();
    Interruption interruption = new Interruption(connected::add);
    assertEquals(List.of(), connected);
    interruption.running(Optional.of(running));
    interruption.running(Optional.of(running));
    assertEquals(List.of(interruption), connected);
    assertEquals(Interruption.Answer.STOPPING, interruption.arrive("INT"));
    assertEquals(1, cancelled);
    assertEquals(130, interruption.exitCode());
    assertEquals(Interruption.Answer.END, interruption.arrive("INT"));
    assertEquals(1, cancelled);
  }

  @Test
  void arrive_nothingRuns_endsTheProcess() {
    Interruption interruption = new Interruption();
    assertEquals(Interruption.Answer.END, interruption.arrive("TERM"));
    assertEquals(143, interruption.exitCode());
  }

  @Test
  void status_whileAnOperationRuns_isItsLine() {
    Interruption interruption = new Interruption();
    assertEquals("no operation is running", interruption.status());
    interruption.running(Optional.of(running));
    assertEquals("half way", interruption.status());
  }
}
