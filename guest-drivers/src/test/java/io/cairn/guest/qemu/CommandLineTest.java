package io.cairn.guest.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CommandLineTest {
  private static CommandLine of(String text) {
    return new CommandLine(List.of(text.split(" ", -1)));
  }

  @Test
  void incoming_plainGuest_waitsForAState() {
    assertEquals(
        of("/usr/bin/qemu -m 1G -drive file=a.qcow2 disk.img -S -incoming defer"),
        of("/usr/bin/qemu -m 1G -drive file=a.qcow2 disk.img").incoming());
  }

  @Test
  void incoming_optionsOfTheFirstStart_areNotRepeated() {
    assertEquals(
        of("qemu -nodefaults -m 1G -S -incoming defer"),
        of("qemu -S -daemonize --incoming tcp:0:4444 -nodefaults -loadvm t -m 1G").incoming());
  }

  @Test
  void incoming_ofWhatWasContinuedBefore_isTheSame() {
    CommandLine once = of("qemu -no-reboot -m 1G").incoming();
    assertEquals(once, once.incoming());
  }

  @Test
  void incoming_valueThatLooksLikeAnOption_staysAValue() {
    assertEquals(
        of("qemu -append -S -m 1G -S -incoming defer"), of("qemu -append -S -m 1G").incoming());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "qemu -add-fd fd=3,set=1",
        "qemu -netdev tap,id=n,fd=7",
        "qemu -netdev tap,id=n,fds=7:8",
        "qemu -netdev tap,id=n,vhostfd=9",
        "qemu -drive file=/dev/fdset/2",
        "qemu -chardev socket,id=c,fd=5",
        "qemu -snapshot -m 1G"
      })
  void unrestorable_whatAnotherProcessCannotGet_isNamed(String text) {
    assertEquals(1, of(text).unrestorable().size());
  }

  @Test
  void unrestorable_pathsAndPlainOptions_areNone() {
    CommandLine commandLine =
        of(
            "qemu -incoming fd:5 -drive file=/vm/fd=x.img.d/a -append fd -netdev user,id=n -qmp unix:/run/q");
    assertTrue(commandLine.unrestorable().isEmpty(), commandLine.unrestorable().toString());
  }

  @Test
  void mapping_isTakenAwayAgainFromWhatIsRecorded() {
    CommandLine first = of("qemu -machine q35,accel=tcg -m 1G");
    CommandLine mapped = first.incoming().mapping(Path.of("/run/a,b.cairn-ram"), 1 << 30);
    assertTrue(mapped.mapsFlatMemory());
    assertTrue(
        mapped
            .arguments()
            .contains(
                "memory-backend-file,id=pc.ram,size=1073741824,mem-path=/run/a,,b.cairn-ram,share=off"),
        mapped.toString());
    assertEquals(first, mapped.recorded());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "qemu -m 1G -mem-path /dev/hugepages",
        "qemu -m 1G -object memory-backend-memfd,id=m,size=1G -machine memory-backend=m",
        "qemu -m 1G,slots=2,maxmem=4G",
        "qemu -m 1G -numa node"
      })
  void plainMemory_anythingElseThanItsSize_isNotMapped(String text) {
    assertFalse(of(text).plainMemory());
  }
}
