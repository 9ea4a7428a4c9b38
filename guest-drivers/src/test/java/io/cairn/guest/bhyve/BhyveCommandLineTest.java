package io.cairn.guest.bhyve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class BhyveCommandLineTest {
  private static BhyveCommandLine line(String text) throws StorageException {
    return BhyveCommandLine.parse(ShellWords.split(text));
  }

  @Test
  void words_ofEveryForm_areReadAsGetoptDoes() throws StorageException {
    BhyveCommandLine line =
        line(
            "bhyve -AHPc 2,sockets=1 -m1G -s0,hostbridge -s 4:1,virtio-blk,/vm/a.img"
                + " -s 1:2:3,virtio-net,tap0,mac=00:a0:98:01:02:03 -l bootrom,/fw.fd"
                + " -U 1234 -w web");
    assertEquals("web", line.vmName());
    assertEquals(2, line.cpus());
    assertEquals(1L << 30, line.memoryBytes());
    assertTrue(line.has('A') && line.has('H') && line.has('P') && line.has('w'));
    assertEquals(List.of("bootrom,/fw.fd"), line.lpc());
    assertEquals(Optional.of("1234"), line.last('U'));
    assertEquals(
        List.of("0.0.0", "0.4.1", "1.2.3"), line.devices().stream().map(PciDevice::place).toList());
    assertEquals(Optional.of("00:a0:98:01:02:03"), line.devices().get(2).mac());
  }

  @ParameterizedTest
  @CsvSource({
    "512, 536870912",
    "512M, 536870912",
    "2g, 2147483648",
    "1048576, 1048576",
    "262144k, 268435456",
    "1T, 1099511627776",
  })
  void memory_ofEveryUnit_isCountedAsBhyveDoes(String size, long bytes) throws StorageException {
    assertEquals(bytes, line("bhyve -m " + size + " vm").memoryBytes());
  }

  @Test
  void values_notGiven_areBhyvesOwn() throws StorageException {
    assertEquals(256L << 20, line("bhyve vm").memoryBytes());
    assertEquals(1, line("bhyve vm").cpus());
    assertEquals(8, line("bhyve -c sockets=2,cores=2,threads=2 vm").cpus());
    assertEquals(4, line("bhyve -o cpus=4 -o memory.size=1G vm").cpus());
    assertEquals(1L << 30, line("bhyve -o cpus=4 -o memory.size=1G vm").memoryBytes());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bhyve",
        "bhyve -c 2",
        "bhyve a b",
        "bhyve -m",
        "bhyve -m 12Q vm",
        "bhyve -m 9999999999G vm",
        "bhyve -m -1 vm",
        "bhyve -c two vm",
        "bhyve -s virtio-blk,/a vm",
        "bhyve -s 4 vm",
      })
  void line_thatBhyveWouldNotTake_isRefused(String text) {
    StorageException e = assertThrows(StorageException.class, () -> line(text));
    assertEquals(ErrorCode.USAGE, e.code());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bhyve -H -r /old -c 2 vm",
        "bhyve -H -r/old -c 2 vm",
        "bhyve -Hr /old -c 2 vm",
        "bhyve -r /older -Hr/old -c 2 vm",
      })
  void restore_ofALineThatHasOne_replacesIt(String text) throws StorageException {
    assertEquals(List.of("bhyve", "-H", "-c", "2", "vm"), line(text).withoutRestore().words());
    assertEquals(
        List.of("bhyve", "-r", "/s/new.ckp", "-H", "-c", "2", "vm"),
        line(text).restoring(Path.of("/s/new.ckp")).words());
  }

  @Test
  void words_quoted_stayTogether() throws StorageException {
    assertEquals(
        List.of("bhyve", "-s", "4,virtio-blk,/my vm/a'b", "", "x y", "vm"),
        ShellWords.split("bhyve -s \\\n '4,virtio-blk,/my vm/a'\\'b '' \"x y\" vm # a comment"));
    assertThrows(StorageException.class, () -> ShellWords.split("bhyve 'vm"));
  }

  @Test
  void process_ofTheVm_isToldFromOthers() throws StorageException {
    Launch launch = Launch.of(ShellWords.split("/usr/sbin/bhyve -c 2 -m 1G web"), Path.of("/"));
    assertTrue(BhyveProcesses.runs(List.of("bhyve: web"), "web", null));
    assertTrue(BhyveProcesses.runs(List.of("bhyve: web (bhyve)"), "web", null));
    assertTrue(BhyveProcesses.runs(List.of("/usr/sbin/bhyve", "-c", "2", "web"), "web", null));
    assertTrue(
        BhyveProcesses.runs(
            List.of("sh", "/opt/run-vm", "-r", "/s", "-c", "2", "-m", "1G", "web"), "web", launch));
    assertTrue(!BhyveProcesses.runs(List.of("bhyve: web2"), "web", launch));
    assertTrue(!BhyveProcesses.runs(List.of("/usr/sbin/bhyve", "web", "other"), "web", launch));
    assertTrue(!BhyveProcesses.runs(List.of("vi", "web"), "web", launch));
    assertTrue(!BhyveProcesses.runs(List.of(), "web", launch));
  }
}
