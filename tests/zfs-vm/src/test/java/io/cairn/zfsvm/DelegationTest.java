package io.cairn.zfsvm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.testkit.ToolResult;
import io.cairn.testkit.Tools;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user who is not root, with the rights that docs/zfs.md lists. */
@Tag("zfs")
final class DelegationTest {
  private static final String RIGHTS =
      "snapshot,clone,create,mount,destroy,rename,promote,rollback,hold,release,userprop";

  private final RealPool pool = RealPool.shared();
  private final String home = pool.home();

  @TempDir Path directory = Path.of("");

  /** The programs, where the user may read them. */
  private String programs() {
    List<String> copy = new ArrayList<>(List.of("cp", "-rL", "--parents"));
    List<String> places = new ArrayList<>();
    for (String place : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      copy.add(place);
      places.add(directory + place);
    }
    copy.add(directory.toString());
    Tools.run(copy).expect(0);
    Tools.output("chmod", "-R", "a+rX", directory.toString());
    return String.join(File.pathSeparator, places);
  }

  @Test
  void volume_ofAUserWithTheRights_goesAnywhereAndWithoutThemNowhere() throws Exception {
    pool.volume("d", home + "/mine/d", 1 << 20);
    pool.volume("d", home + "/other", 1 << 20);
    Tools.output("zfs", "allow", "-u", "nobody", RIGHTS, home + "/mine");
    ToolResult result =
        Tools.run(
            List.of(
                "setpriv",
                "--reuid=nobody",
                "--regid=disk", // whom the volumes' devices belong to
                "--clear-groups",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"),
                "-cp",
                programs(),
                DelegatedUser.class.getName(),
                home + "/mine/d",
                home + "/other"),
            Map.of(),
            Duration.ofMinutes(3));
    assertTrue(result.expect(0).out().startsWith("done as nobody"));
  }
}
