package io.cairn.interop;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cairn.testkit.QemuTools;
import io.cairn.testkit.SmallFileSystem;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Within a changed root, which stands in no list of mounted file systems. */
@Tag("interop")
final class ChangedRootTest {
  /** Everything of this machine is below the new root, where only the images are its own. */
  private static final String SCRIPT =
      """
      set -e
      root=$1 java=$2 classes=$3
      for place in /*; do
        name=${place#/}
        if [ -L "$place" ]; then cp -P "$place" "$root/$name"
        elif [ -d "$place" ] && [ "$name" != images ]; then
          mkdir -p "$root/$name"
          mount --rbind "$place" "$root/$name"
        fi
      done
      cairn() {
        chroot "$root" "$java" -cp "$classes" io.cairn.cli.Main --store /images/store "$@"
      }
      cairn guest add vm --disk root=qcow2:/images/root.qcow2
      cairn create vm@one
      cairn restore vm@one
      cairn verify vm
      """;

  @TempDir Path root;

  @Test
  void create_rootIsNoMountPoint_works() throws IOException {
    assumeTrue(SmallFileSystem.available(), "only root changes the root");
    Path images = Files.createDirectory(root.resolve("images"));
    QemuTools.img("create", "-f", "qcow2", images.resolve("root.qcow2").toString(), "8M").expect(0);
    Tools.run(
            List.of(
                Tools.require("unshare", "util-linux"),
                "--mount",
                "--propagation",
                "private",
                "bash",
                "-c",
                SCRIPT,
                "bash",
                root.toString(),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                System.getProperty("java.class.path")))
        .expect(0);
  }
}
