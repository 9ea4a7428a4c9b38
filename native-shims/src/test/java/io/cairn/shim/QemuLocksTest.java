package io.cairn.shim;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.io.ByteLocks;
import io.cairn.storage.platform.PlatformFiles;
import io.cairn.storage.platform.PlatformFilesLookup;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.RunningTool;
import io.cairn.testkit.ToolResult;
import io.cairn.testkit.Tools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Our locks against a real QEMU's, in both directions. */
@Tag("interop")
final class QemuLocksTest {
  /** QEMU's byte for "I write", and for "others may not". */
  private static final int WRITING = 101;

  private static final int WRITING_UNSHARED = 201;

  @TempDir private Path directory = Path.of("");

  static Stream<PlatformFiles> providers() {
    return Stream.of(new LinuxPlatformFiles(), PlatformFilesLookup.pureJava());
  }

  private Path image() {
    Path image = directory.resolve("image.qcow2");
    QemuTools.create(image, "", 1 << 20);
    return image;
  }

  private static ToolResult tryToWrite(Path image) {
    return Tools.run(
        List.of(
            QemuTools.program("qemu-io"), "-f", "qcow2", "-c", "write 0 512", image.toString()));
  }

  @ParameterizedTest
  @MethodSource("providers")
  void qemu_imageWeWrite_isRefused(PlatformFiles platform) throws IOException {
    Path image = image();
    try (ByteLocks locks = platform.locks(image)) {
      assertTrue(locks.tryShared(WRITING));
      assertTrue(locks.tryShared(WRITING_UNSHARED));
      ToolResult refused = tryToWrite(image);
      assertFalse(refused.succeeded(), refused::toString);
      assertTrue(refused.toString().contains("lock"), refused::toString);
      assertFalse(locks.heldByOther(WRITING), "a failed attempt leaves nothing behind");
      assertFalse(locks.heldByOther(WRITING_UNSHARED));
      assertFalse(tryToWrite(image).succeeded(), "looking must not lose our own locks");
    }
    assertTrue(tryToWrite(image).succeeded());
  }

  @ParameterizedTest
  @MethodSource("providers")
  void heldByOther_imageQemuWrites_isSeen(PlatformFiles platform) throws IOException {
    Path image = image();
    try (RunningTool qemu = QemuTools.hold(image);
        ByteLocks locks = platform.locks(image)) {
      assertTrue(qemu.isAlive());
      assertTrue(locks.heldByOther(WRITING));
      assertTrue(locks.heldByOther(WRITING_UNSHARED));
      assertFalse(locks.heldByOther(104));
      qemu.kill();
      assertFalse(locks.heldByOther(WRITING), "the end of the process gives its locks back");
    }
  }
}
