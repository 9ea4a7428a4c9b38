package io.cairn.shim.zfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ZfsLibrariesTest {
  @TempDir private Path directory = Path.of("");

  private String refusal(Map<String, List<String>> names) {
    ZfsLibraries libraries =
        new ZfsLibraries(directory.resolve("zfs"), directory.resolve("module"), names);
    StorageException e = assertThrows(StorageException.class, libraries::open);
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    String message = String.valueOf(e.getMessage());
    assertTrue(message.startsWith("ZFS is not available on this machine: "), message);
    return message;
  }

  @Test
  void open_withoutDevice_loadsNothingAndSaysWhatWasTried() {
    String message = refusal(Map.of("libnvpair", List.of("libnowhere.so.1")));
    assertTrue(message.endsWith("is not loaded (no " + directory.resolve("module") + ")"), message);
  }

  @Test
  void open_moduleWithoutDevice_saysSo() throws IOException {
    Files.createDirectory(directory.resolve("module"));
    assertTrue(refusal(Map.of("a", List.of())).contains("although the kernel module is loaded"));
  }

  @Test
  void open_withoutLibrary_namesEachThatWasTried() throws IOException {
    Files.createFile(directory.resolve("zfs"));
    String message =
        refusal(Map.of("libnvpair", List.of("libno-nvpair.so.3", "libno-nvpair.so.2")));
    assertTrue(message.contains("no usable libnvpair, tried libno-nvpair.so.3 ("), message);
    assertTrue(message.contains(", libno-nvpair.so.2 ("), message);
  }

  @Test
  void open_libraryWithoutTheFunctions_isRefusedBeforeACall() throws IOException {
    Files.createFile(directory.resolve("zfs"));
    String message = refusal(Map.of("libnvpair", List.of("libc.so.6")));
    assertTrue(message.contains("tried libc.so.6"), message);
  }

  @Test
  void open_unknownSystem_isRefused() {
    assertTrue(refusal(Map.of()).contains("on Linux and FreeBSD"));
  }
}
