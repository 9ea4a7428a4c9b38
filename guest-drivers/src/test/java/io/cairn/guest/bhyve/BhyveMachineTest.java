package io.cairn.guest.bhyve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.guest.bhyve.state.SavedState;
import io.cairn.guest.bhyve.state.StateEntry;
import io.cairn.guest.bhyve.state.StateForm;
import io.cairn.storage.StorageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BhyveMachineTest {
  private static final String LINE =
      "bhyve -c 2 -m 1G -s 0,hostbridge -s 4,virtio-blk,/a -s 5,ahci-hd,/b"
          + " -s 6,virtio-net,tap0,mac=00:01:02:03:04:05 -s 31,lpc -l com1,stdio"
          + " -l bootrom,/fw.fd -U 77 -w web";

  private static BhyveCommandLine line(String text) throws StorageException {
    return BhyveCommandLine.parse(ShellWords.split(text));
  }

  private static SavedState state(StateForm form, int cpus, long memory, String... devices) {
    List<StateEntry> entries = new ArrayList<>();
    for (String device : devices) {
      int size = device.endsWith("!") ? 0 : 10;
      entries.add(
          new StateEntry(
              device.replace("!", ""),
              OptionalInt.empty(),
              0,
              new StateEntry.Content.Blob(0, size)));
    }
    return new SavedState(
        form,
        new SavedState.Machine(cpus, "web", memory, 0, OptionalLong.empty()),
        List.of(),
        entries);
  }

  private static final String[] SAVED = {
    "virtio-blk@pci.0.4.0", "ahci@pci.0.5.0", "virtio-net@pci.0.6.0", "lpc@pci.0.31.0", "atkbdc"
  };

  @ParameterizedTest
  @CsvSource({
    "-c 2, -c 3, cpus was 2 and is 3",
    "-m 1G, -m 2G, memory was 1073741824 and is 2147483648",
    "'4,virtio-blk', '4,ahci-hd', device.0.4.0 was virtio-blk and is ahci-hd",
    "-s 31, -s 30, device.0.30.0 was absent and is lpc",
    "04:05, 04:06, mac.0.6.0 was 00:01:02:03:04:05 and is 00:01:02:03:04:06",
    "/fw.fd, /other.fd, lpc.bootrom was /fw.fd and is /other.fd",
    "-U 77, -U 78, uuid was 77 and is 78",
    "-w, -x, flags was  and is x",
  })
  void machine_thatDiffers_isNamed(String from, String to, String difference)
      throws StorageException {
    List<String> differences =
        BhyveMachine.differences(
            BhyveMachine.facts(line(LINE)), BhyveMachine.facts(line(LINE.replace(from, to))));
    assertTrue(differences.contains(difference), differences.toString());
  }

  @Test
  void machine_withOtherPlaces_isTheSame() throws StorageException {
    String moved = LINE.replace("/a", "/vm/a").replace("tap0", "tap9").replace("stdio", "/dev/x");
    assertEquals(
        List.of(),
        BhyveMachine.differences(BhyveMachine.facts(line(LINE)), BhyveMachine.facts(line(moved))));
    Launch launch = Launch.of(line(LINE).words(), Path.of("/vm"));
    assertEquals(LINE, String.join(" ", Launch.recorded(launch.machine()).line().words()));
  }

  @Test
  void state_ofTheMachine_fits() throws StorageException {
    assertEquals(
        List.of(),
        BhyveMachine.differences(state(StateForm.FILES, 2, 1L << 30, SAVED), line(LINE)));
    assertEquals(
        List.of(),
        BhyveMachine.differences(
            state(
                StateForm.FILES_2020,
                2,
                1L << 30,
                "virtio-blk",
                "ahci-hd",
                "virtio-net",
                "lpc",
                "fbuf!",
                "atkbdc"),
            line(LINE)));
  }

  @ParameterizedTest
  @CsvSource({
    "-c 2, -c 1, 'the state has 2 CPUs, the command line 1'",
    "-m 1G, -m 2G, 'the state has 1073741824 bytes of memory, the command line 2147483648'",
    "'-s 5,ahci-hd,/b', '', 'the state has ahci at 0.5.0, the command line nothing'",
    "'-s 31,lpc', '-s 31,lpc -s 7,xhci', 'the command line has xhci at 0.7.0, the state nothing'",
    "'-s 4,virtio-blk', '-s 4,nvme', 'at 0.4.0 the state has virtio-blk, the command line nvme'",
  })
  void state_ofAnotherMachine_isNamedInBothDirections(String from, String to, String difference)
      throws StorageException {
    assertEquals(
        List.of(difference),
        BhyveMachine.differences(
            state(StateForm.FILES, 2, 1L << 30, SAVED), line(LINE.replace(from, to))));
  }

  @Test
  void state_of2020OfAnotherMachine_isNamedByType() throws StorageException {
    assertEquals(
        List.of(
            "the command line has ahci, the state none",
            "the state has fbuf, the command line none"),
        BhyveMachine.differences(
            state(
                StateForm.FILES_2020,
                2,
                1L << 30,
                "virtio-blk",
                "ahci-hd!",
                "virtio-net",
                "lpc",
                "fbuf"),
            line(LINE)));
    assertEquals(
        Set.of("virtio-blk"), BhyveMachine.repeated(line(LINE.replace("ahci-hd", "virtio-blk"))));
  }
}
