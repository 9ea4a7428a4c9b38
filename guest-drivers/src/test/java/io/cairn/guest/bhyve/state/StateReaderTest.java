package io.cairn.guest.bhyve.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StateReaderTest {
  private static final Path FILE = Path.of("/vm/a.ckp");

  private final MemoryFileSystem fileSystem = new MemoryFileSystem();

  private StateReport read(StateFiles files) throws IOException {
    return StateReader.read(fileSystem, files);
  }

  private static List<String> errors(StateReport report) {
    return report.problems().stream()
        .filter(StateProblem::isError)
        .map(StateProblem::toString)
        .toList();
  }

  @Test
  void currentState_asBhyveWritesIt_isSound() throws IOException {
    StateReport report = read(SampleState.current(fileSystem, FILE));
    assertEquals(List.of(), report.problems());
    SavedState state = report.requireSound();
    assertEquals(StateForm.FILES, state.form());
    assertEquals(2, state.machine().cpus());
    assertEquals("vm1", state.machine().vmName());
    assertEquals(SampleState.RAM_SIZE_BYTES, state.machine().memorySizeBytes());
    assertEquals(KernelStructs.REQUIRED, state.kernel().stream().map(StateEntry::name).toList());
    assertEquals("virtio-blk@pci.0.5.0", state.devices().get(2).name());
  }

  @Test
  void stateOf2020_withAnAbsentDevice_isSoundWithANote() throws IOException {
    StateReport report = read(SampleState.of2020(fileSystem, FILE));
    assertEquals(List.of(), errors(report));
    assertEquals(1, report.problems().size());
    assertTrue(report.problems().get(0).expected().contains("fbuf"));
    assertEquals(StateForm.FILES_2020, report.requireSound().form());
  }

  @Test
  void kernelStructure_withoutName_isKnownByItsNumber() throws IOException {
    StateFiles files = SampleState.of2020(fileSystem, FILE);
    SampleState.edit(fileSystem, files, "\"debug_name\": \"vlapic\",\n      ", "");
    assertTrue(
        read(files).requireSound().kernel().stream().anyMatch(e -> e.name().equals("vlapic")));
  }

  @Test
  void files_namedByAnyOfThem_areTheSameState() {
    StateFiles files = StateFiles.of(FILE);
    assertEquals(files, StateFiles.of(files.kern()));
    assertEquals(files, StateFiles.of(files.meta()));
  }

  @Test
  void state_withoutAnyFile_isNotFound() {
    StorageException e = assertThrows(StorageException.class, () -> read(StateFiles.of(FILE)));
    assertEquals(ErrorCode.NOT_FOUND, e.code());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"ncpus\": 2 | \"ncpus\": 0 | a.ckp.meta: at byte 37: expected 'ncpus' of at least 1",
        "\"ncpus\": 2 | \"ncpus\": \"2\" | a.ckp.meta: at byte 37: expected a number from 0",
        "\"ncpus\": 2 | \"ncpus\": -1 | expected a number from 0 to 2147483647 for 'ncpus'",
        "\"ncpus\": 2 | \"ncpus\": 2.0 | expected a number from 0 to 2147483647 for 'ncpus'",
        "\"ncpus\": 2, | `` | a.ckp.meta: at byte 22: expected the key 'ncpus', found none",
        "\"vmname\": \"vm1\" | \"vmname\": 7 | expected a text for 'vmname', found 7",
        "\"memsize\": 262144 | \"memsize\": 0 | expected 'memsize' of at least 1, found 0",
        "\"memsize\": 262144 | \"memsize\": 262145 | expected 'memsize' in whole pages",
        "\"memsize\": 262144 | \"memsize\": 524288 |"
            + " a.ckp: at byte 262144: expected 524288 bytes, the 'memsize' of the .meta file",
        "\"memsize\": 262144 | \"memsize\": 18446744073709551615 | expected a number from 0 to 92",
        "\"basic metadata\" | \"basic\" | expected the key 'basic metadata', found none",
        "\"kern_structs\" | \"kernel\" | expected the key 'structs', found none",
        "\"devices\" | \"device\" | expected the key 'devices', found none",
        "\"devices\" | \"structs\": [], \"devices\" | expected either 'kern_structs' or 'structs'",
        "\"device\": \"vlapic\" | \"device\": \"vlapi\" | expected the kernel structure 'vlapic'",
        "\"device\": \"vm\" | \"device\": \"vhpet\" | expected names that occur once, found 'vhpet'",
        "\"device\": \"virtio-blk@pci.0.5.0\" | \"device\": \"virtio-blk@pci.0.4.0\" |"
            + " expected names that occur once, found 'virtio-blk@pci.0.4.0' again",
        "virtio-blk@pci.0.5.0 | virtio-blk-pci-5 | expected a device such as virtio-blk@pci.0.4.0",
        "\"size\": 40 | \"size\": 0 | expected bytes of 'vhpet', found none",
        "\"size\": 40 | \"size\": 41 | a.ckp.kern: at byte 41: expected 'vm' after the entry",
        "\"size\": 40 | \"size\": 39 | a.ckp.kern: at byte 39: expected bytes that belong to an",
        "\"size\": 40 | \"size\": 20971521 | expected at most 20971520 bytes for 'vhpet'",
        "\"size\": 40 | \"size\": 9223372036854775807 | a.ckp.kern: at byte 705: expected 92233720",
        "\"file_offset\": 0 | \"file_offset\": 9223372036854775807 | a.ckp.kern: at byte 705",
        "\"file_offset\": 0 | \"file_offset\": 1 | a.ckp.kern: at byte 0: expected bytes that",
        "\"file_offset\": 0 | \"file_offset\": -1 | expected a number from 0 to 9223372036854775807",
        "\"size\": 40, | `` | expected the key 'size', found none",
        "\"devices\": [ | \"devices\": [ 1, | expected an object in 'devices', found 1",
      })
  void meta_withOneFault_isRefusedWithItsPlace(String from, String to, String message)
      throws IOException {
    StateFiles files = SampleState.current(fileSystem, FILE);
    SampleState.edit(fileSystem, files, from, to);
    StateReport report = read(files);
    assertFalse(report.sound());
    assertThrows(StateFormatException.class, report::requireSound);
    assertTrue(
        errors(report).stream().anyMatch(e -> e.contains(message)), errors(report)::toString);
  }

  @Test
  void everyFile_missing_isNamed() throws IOException {
    StateFiles files = SampleState.current(fileSystem, FILE);
    for (Path file : files.all()) {
      byte[] content = SampleState.get(fileSystem, file);
      fileSystem.delete(file);
      assertEquals(
          List.of(file + ": at byte 0: expected the file, found none"), errors(read(files)));
      SampleState.put(fileSystem, file, content);
    }
  }

  @Test
  void files_ofAnotherLength_areNamedWithTheirLength() throws IOException {
    StateFiles files = SampleState.current(fileSystem, FILE);
    byte[] ram = SampleState.get(fileSystem, files.ram());
    SampleState.put(fileSystem, files.ram(), Arrays.copyOf(ram, ram.length - 4096));
    assertEquals(
        List.of(
            "/vm/a.ckp: at byte 258048: expected 262144 bytes, the 'memsize' of the .meta file,"
                + " found 258048 bytes"),
        errors(read(files)));
    SampleState.put(fileSystem, files.ram(), ram);
    byte[] kern = SampleState.get(fileSystem, files.kern());
    SampleState.put(fileSystem, files.kern(), Arrays.copyOf(kern, kern.length + 3));
    assertEquals(
        List.of(
            "/vm/a.ckp.kern: at byte 705: expected the end of the file, found 3 bytes that belong"
                + " to no entry"),
        errors(read(files)));
    SampleState.put(fileSystem, files.kern(), Arrays.copyOf(kern, kern.length - 3));
    assertTrue(errors(read(files)).get(0).startsWith("/vm/a.ckp.kern: at byte 702: expected"));
    SampleState.put(fileSystem, files.kern(), kern);
    SampleState.put(fileSystem, files.meta(), new byte[0]);
    assertEquals(
        List.of("/vm/a.ckp.meta: at byte 0: expected a value, found the end of the file"),
        errors(read(files)));
  }

  @Test
  void meta_cutAnywhere_isRefused() throws IOException {
    StateFiles files = SampleState.current(fileSystem, FILE);
    byte[] meta = SampleState.get(fileSystem, files.meta());
    for (int length = 0; length < meta.length - 1; length++) {
      SampleState.put(fileSystem, files.meta(), Arrays.copyOf(meta, length));
      assertFalse(read(files).sound(), "length " + length);
    }
  }

  @Test
  void meta_ofMoreThanItsLimit_isRefusedUnread() throws IOException {
    StateFiles files = SampleState.current(fileSystem, FILE);
    try (BlockFile meta = fileSystem.open(files.meta(), OpenMode.WRITE)) {
      meta.truncate(StateReader.META_SIZE_BYTES_MAX + 1L);
    }
    assertEquals(1, errors(read(files)).size());
  }

  @Test
  void unknownKey_isANote() throws IOException {
    StateFiles files = SampleState.current(fileSystem, FILE);
    SampleState.edit(fileSystem, files, "\"ncpus\"", "\"topology\": {}, \"ncpus\"");
    StateReport report = read(files);
    assertTrue(report.sound());
    assertEquals(1, report.problems().size());
  }
}
