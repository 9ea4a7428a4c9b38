package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SettingsTest {
  @TempDir Path home;
  private final Map<Settings.Key, String> flags = new HashMap<>();
  private final Map<String, String> variables = new HashMap<>();

  @BeforeEach
  void makeConfigurationDirectory() throws IOException {
    Files.createDirectories(home.resolve(".config/cairn"));
  }

  private Settings load() {
    return load(false);
  }

  private Settings load(boolean superuser) {
    return Settings.load(
        flags,
        new Environment(variables, home, home.resolve("system"), superuser, Clock.systemUTC()));
  }

  private String origin() {
    Settings.Value value = load().all().get(0);
    assertEquals(Settings.Key.STORE, value.key());
    return value.text() + " from " + value.origin();
  }

  @Test
  void load_everySource_theNearestWins() throws IOException {
    assertEquals(home.resolve(".local/share/cairn") + " from default", origin());
    Files.writeString(home.resolve("system"), "# for all\n\nstore = /system\n");
    assertEquals("/system from file " + home.resolve("system"), origin());
    Path user = home.resolve(".config/cairn/config");
    Files.writeString(user, "store=/user\n");
    assertEquals("/user from file " + user, origin());
    variables.put("CAIRN_STORE", "/variable");
    assertEquals("/variable from environment CAIRN_STORE", origin());
    flags.put(Settings.Key.STORE, "/flag");
    assertEquals("/flag from flag --store", origin());
  }

  @Test
  void store_ofRoot_isTheSystems() {
    assertEquals(Path.of("/var/lib/cairn"), load(true).store());
  }

  @Test
  void lockWait_everyUnit_isUnderstood() {
    assertEquals(Duration.ofSeconds(10), load().lockWait());
    for (Map.Entry<String, Duration> each :
        Map.of(
                "0", Duration.ZERO,
                "7", Duration.ofSeconds(7),
                "250ms", Duration.ofMillis(250),
                "5m", Duration.ofMinutes(5),
                "1h", Duration.ofHours(1))
            .entrySet()) {
      variables.put("CAIRN_LOCK_WAIT", each.getKey());
      assertEquals(each.getValue(), load().lockWait());
    }
  }

  @Test
  void load_badValue_namesWhereItComesFrom() {
    variables.put("CAIRN_LOCK_WAIT", "soon");
    CairnException error = assertThrows(CairnException.class, this::load);
    assertEquals(ErrorCode.USAGE, error.code());
    assertEquals("it comes from: environment CAIRN_LOCK_WAIT", error.hint().orElseThrow());
  }

  @Test
  void load_badLineInAFile_namesTheLine() throws IOException {
    Files.writeString(home.resolve("system"), "store=/x\nstroe=/y\n");
    CairnException error = assertThrows(CairnException.class, this::load);
    assertTrue(String.valueOf(error.getMessage()).contains("system, line 2: 'stroe=/y'"));
  }
}
