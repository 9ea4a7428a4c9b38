package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import io.cairn.testkit.ToolResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Images that QEMU encrypted are recognised, refused by name, and left as they are. */
@Tag("interop")
class EncryptedImageTest {
  @TempDir Path dir;

  @ParameterizedTest
  @CsvSource({"luks,LUKS", "aes,AES"})
  void open_encryptedImage_isRefusedByName(String format, String name) throws IOException {
    Path image = dir.resolve("disk.qcow2");
    create(image, format);
    byte[] before = Files.readAllBytes(image);
    for (OpenOptions options : new OpenOptions[] {OpenOptions.readOnly(), OpenOptions.writable()}) {
      StorageException e =
          assertThrows(
              StorageException.class,
              () -> Qcow2Image.open(HostFileSystem.instance(), image, options).close());
      assertEquals(ErrorCode.UNSUPPORTED, e.code());
      assertTrue(String.valueOf(e.getMessage()).contains(name + " encryption"), e::toString);
    }
    assertEquals(-1, Arrays.mismatch(before, Files.readAllBytes(image)));
    CheckResult check =
        ImageChecker.check(HostFileSystem.instance(), image, CheckOptions.readOnly());
    assertTrue(check.clean(), check::toString);
  }

  /** QEMU times the making of a key, which fails where the clock has not moved meanwhile. */
  private static void create(Path image, String format) {
    ToolResult created;
    int tries = 0;
    do {
      created =
          QemuTools.img(
              "create",
              "-q",
              "-f",
              "qcow2",
              "--object",
              "secret,id=key,data=secret",
              "-o",
              "encrypt.format=" + format + ",encrypt.key-secret=key",
              image.toString(),
              "1M");
      tries++;
    } while (tries < 20 && created.err().contains("Unable to get accurate CPU usage"));
    created.expect(0);
  }
}
