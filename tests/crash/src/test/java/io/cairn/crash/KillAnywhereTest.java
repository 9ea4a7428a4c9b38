package io.cairn.crash;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** kill -9 of the command at two hundred instants, on two guests side by side. */
@Tag("crash")
@Execution(ExecutionMode.CONCURRENT)
final class KillAnywhereTest {
  private static final int KILLS_PER_LANE = 100;

  /** If fewer kills than this strike within a transaction, the instants are chosen badly. */
  private static final int RECOVERIES_MIN = 15;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void command_killedAtAnyInstant_happensWhollyOrNotAtAll(int number) throws IOException {
    KillLane lane = KillLane.make(directory, Seeds.random("kill lane " + number));
    while (lane.kills() < KILLS_PER_LANE) {
      lane.round();
    }
    System.out.println("kill lane " + number + ": " + lane);
    assertTrue(lane.recovered() >= RECOVERIES_MIN, lane::toString);
  }
}
