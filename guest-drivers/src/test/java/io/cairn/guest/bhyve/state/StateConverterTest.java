package io.cairn.guest.bhyve.state;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.guest.bhyve.state.StateEntry.Content;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.fault.CrashStates;
import io.cairn.storage.fault.FaultyFileSystem;
import io.cairn.storage.fault.RecordingFileSystem;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class StateConverterTest {
  private static final StateFiles JSON = StateFiles.of(Path.of("/vm/json.ckp"));
  private static final StateFiles BACK = StateFiles.of(Path.of("/vm/back.ckp"));

  private final MemoryFileSystem fileSystem = new MemoryFileSystem();

  private StateFiles sample(boolean of2020) {
    Path file = Path.of("/vm/a.ckp");
    return of2020 ? SampleState.of2020(fileSystem, file) : SampleState.current(fileSystem, file);
  }

  /** A state with fields, as FreeBSD-UPB's bhyve writes it. */
  private StateFiles fields() throws IOException {
    try (InputStream in = StateConverterTest.class.getResourceAsStream("fields.meta")) {
      if (in == null) {
        throw new IOException("fields.meta is missing");
      }
      SampleState.put(fileSystem, JSON.meta(), in.readAllBytes());
    }
    SampleState.put(fileSystem, JSON.ram(), new byte[SampleState.RAM_SIZE_BYTES]);
    return JSON;
  }

  private static void convert(
      BlockFileSystem fileSystem, StateFiles from, StateFiles to, StateForm form, boolean pack)
      throws IOException {
    new StateConverter(fileSystem, StateReader.read(fileSystem, from), form, pack)
        .writeTo(to, bytes -> {});
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void threeFiles_toJsonAndBack_areTheSameBytes(boolean of2020) throws IOException {
    StateFiles files = sample(of2020);
    convert(fileSystem, files, JSON, StateForm.JSON, false);
    assertFalse(fileSystem.exists(JSON.kern()));
    StateReport json = StateReader.read(fileSystem, JSON);
    assertEquals(List.of(), json.problems());
    assertEquals(StateForm.JSON, json.requireSound().form());

    StateForm form = StateConverter.filesFormOf(json.requireSound());
    assertEquals(of2020 ? StateForm.FILES_2020 : StateForm.FILES, form);
    convert(fileSystem, JSON, BACK, form, false);
    for (int i = 0; i < 3; i++) {
      assertArrayEquals(
          SampleState.get(fileSystem, files.all().get(i)),
          SampleState.get(fileSystem, BACK.all().get(i)),
          String.valueOf(BACK.all().get(i)));
    }
  }

  @Test
  void jsonWithFields_read_hasEveryFieldExactly() throws IOException {
    SavedState state = StateReader.read(fileSystem, fields()).requireSound();
    assertEquals(2, state.machine().version().orElseThrow());
    List<StateField> vhpet = fieldsOf(state.kernel().get(0));
    StateField.Group timers = assertInstanceOf(StateField.Group.class, vhpet.get(4));
    StateField.Group first = assertInstanceOf(StateField.Group.class, timers.fields().get(0));
    assertEquals("timers@0", first.name());
    assertEquals(
        new StateField.Scalar("callout_sbt", "int64", BigInteger.ONE.negate()),
        first.fields().get(4));
    StateField.Group second = assertInstanceOf(StateField.Group.class, timers.fields().get(1));
    assertEquals(
        new StateField.Scalar("msireg", "uint64", new BigInteger("18446744073709551615")),
        second.fields().get(1));
    StateField.Group vcpus =
        assertInstanceOf(StateField.Group.class, fieldsOf(state.kernel().get(1)).get(0));
    StateField.Group vcpu = assertInstanceOf(StateField.Group.class, vcpus.fields().get(0));
    assertEquals(
        new StateField.Scalar("nextrip", "uint64", new BigInteger("ffffffff81085d96", 16)),
        vcpu.fields().get(7));
    StateField.Buffer exit = assertInstanceOf(StateField.Buffer.class, vcpu.fields().get(6));
    assertEquals(10, exit.bytes().remaining());
    assertEquals((byte) 0xff, exit.bytes().get(9));
  }

  private static List<StateField> fieldsOf(StateEntry entry) {
    return assertInstanceOf(Content.Fields.class, entry.content()).fields();
  }

  @Test
  void jsonWithFields_writtenAgain_hasTheSameFields() throws IOException {
    convert(fileSystem, fields(), BACK, StateForm.JSON, false);
    SavedState before = StateReader.read(fileSystem, JSON).requireSound();
    SavedState after = StateReader.read(fileSystem, BACK).requireSound();
    assertEquals(
        before.kernel().stream().map(StateConverterTest::fieldsOf).toList(),
        after.kernel().stream().map(StateConverterTest::fieldsOf).toList());
    assertEquals(before.machine(), after.machine());
    String meta = new String(SampleState.get(fileSystem, BACK.meta()), StandardCharsets.UTF_8);
    assertTrue(meta.contains("\"callout_sbt$int64\": \"8000000000000000\""), meta);
  }

  @Test
  void jsonWithFields_toThreeFiles_needsToBeAskedFor() throws IOException {
    StateFiles json = fields();
    StorageException e =
        assertThrows(
            StorageException.class,
            () -> convert(fileSystem, json, BACK, StateForm.FILES_2020, false));
    assertEquals(ErrorCode.UNSUPPORTED, e.code());
    assertTrue(String.valueOf(e.getMessage()).contains("'vhpet' has fields"), e.getMessage());

    convert(fileSystem, json, BACK, StateForm.FILES_2020, true);
    SavedState state = StateReader.read(fileSystem, BACK).requireSound();
    Content.Blob atkbdc = assertInstanceOf(Content.Blob.class, state.devices().get(0).content());
    byte[] kern = SampleState.get(fileSystem, BACK.kern());
    assertEquals(
        "100300" + "0058bd000001fdff",
        HexFormat.of().formatHex(kern, (int) atkbdc.offset(), kern.length));
    assertEquals("000000000100000001", HexFormat.of().formatHex(kern, 0, 9));
    assertEquals(5, state.kernel().get(0).request().orElseThrow());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"compval$uint32\": 0 | \"compval$uint32\": 4294967296 | a number of type uint32",
        "\"compval$uint32\": 0 | \"compval$uint32\": \"0\" | a number of type uint32, found \"0\"",
        "\"config$uint64\": \"1\" | \"config$uint64\": \"0x1\" | a number of type uint64, or up to",
        "\"config$uint64\": \"1\" | \"config$uint64\": -1 | a number of type uint64",
        "\"config$uint64\": \"1\" | \"config$uint64\": \"11111111111111111\" | a number of type",
        "\"config$uint64\": \"1\" | \"config$uint64$\": \"1\" | a key such as name$uint32",
        "\"config$uint64\": \"1\" | \"$uint64\": \"1\" | a key such as name$uint32",
        "\"config$uint64\": \"1\" | \"config\": \"1\" | an array with one object, found \"1\"",
        "\"config$uint64\": \"1\" | \"config\": [ {}, {} ] | an array with one object, found an",
        "\"elc$b64\": \"AAw=\" | \"elc$b64\": \"AAw\" | padded base64 for 'elc$b64', found \"AAw\"",
        "\"elc$b64\": \"AAw=\" | \"elc$b64\": \"A!w=\" | base64 for 'elc$b64'",
        "\"elc$b64\": \"AAw=\" | \"elc$b64\": 12 | padded base64 for 'elc$b64', found 12",
        "\"century$int8\": -20 | \"century$int8\": -129 | a number of type int8, found -129",
        "\"version\": 2 | \"version\": 3 | a number from 0 to 2 for 'version', found 3",
      })
  void jsonWithFields_withOneFault_isRefusedWithItsPlace(String from, String to, String message)
      throws IOException {
    StateFiles files = fields();
    SampleState.edit(fileSystem, files, from, to);
    List<StateProblem> errors =
        StateReader.read(fileSystem, files).problems().stream()
            .filter(StateProblem::isError)
            .toList();
    assertTrue(errors.get(0).toString().contains("expected " + message), errors::toString);
    assertTrue(errors.get(0).offset() > 0, errors::toString);
  }

  @Test
  void keys_ofOneEra_areNotGivenDevicesOfTheOther() throws IOException {
    for (boolean of2020 : List.of(true, false)) {
      StateFiles files = sample(of2020);
      StateForm other = of2020 ? StateForm.FILES : StateForm.FILES_2020;
      StorageException e =
          assertThrows(
              StorageException.class, () -> convert(fileSystem, files, BACK, other, false));
      assertEquals(ErrorCode.UNSUPPORTED, e.code());
      assertFalse(fileSystem.exists(BACK.ram()));
    }
  }

  @Test
  void existingFile_ofAnyName_isNotOverwritten() throws IOException {
    StateFiles files = sample(false);
    for (Path existing : BACK.all()) {
      SampleState.put(fileSystem, existing, new byte[] {1});
      StorageException e =
          assertThrows(
              StorageException.class,
              () -> convert(fileSystem, files, BACK, StateForm.JSON, false));
      assertEquals(ErrorCode.BLOCKED, e.code());
      assertArrayEquals(new byte[] {1}, SampleState.get(fileSystem, existing));
      fileSystem.delete(existing);
    }
  }

  @Test
  void unsoundState_isNotConverted() {
    StateFiles files = sample(false);
    SampleState.edit(fileSystem, files, "\"ncpus\": 2", "\"ncpus\": 0");
    assertThrows(
        StateFormatException.class, () -> convert(fileSystem, files, BACK, StateForm.JSON, false));
  }

  @Test
  void failure_atEveryOperation_leavesAWholeStateOrNone() throws IOException {
    StateFiles files = sample(false);
    FaultyFileSystem faulty = FaultyFileSystem.over(fileSystem);
    StateReport report = StateReader.read(fileSystem, files);
    int faults = 0;
    while (true) {
      faulty.failAt(faults + 1);
      try {
        new StateConverter(faulty, report, StateForm.FILES, false).writeTo(BACK, bytes -> {});
      } catch (StorageException e) {
        assertEquals(ErrorCode.FAILED, e.code());
      }
      if (!faulty.struck()) {
        break;
      }
      boolean whole = fileSystem.exists(BACK.meta());
      for (Path file : BACK.all()) {
        assertEquals(whole, fileSystem.exists(file), "fault " + faults + ": " + file);
        fileSystem.delete(file);
      }
      faults++;
    }
    assertTrue(faults > 20, "only " + faults + " faults");
  }

  @Test
  void fullDisk_atEveryWrite_isReportedAndLeavesNothing() throws IOException {
    StateFiles files = sample(false);
    FaultyFileSystem faulty = FaultyFileSystem.over(fileSystem);
    StateReport report = StateReader.read(fileSystem, files);
    int faults = 0;
    while (true) {
      faulty.diskFullAt(faults + 1);
      try {
        new StateConverter(faulty, report, StateForm.FILES, false).writeTo(BACK, bytes -> {});
        break;
      } catch (StorageException e) {
        assertEquals(ErrorCode.NO_SPACE, e.code());
      }
      for (Path file : fileSystem.list(Path.of("/vm"))) {
        assertTrue(files.all().contains(Path.of("/vm").resolve(file)), () -> "left: " + file);
      }
      faults++;
    }
    assertTrue(faults > 3, "only " + faults + " writes");
  }

  @Test
  void powerLoss_atAnyMoment_leavesAWholeStateOrNone() throws IOException {
    StateFiles files = sample(true);
    StateReport report = StateReader.read(fileSystem, files);
    RecordingFileSystem recording = RecordingFileSystem.over(fileSystem);
    new StateConverter(recording, report, StateForm.FILES_2020, false).writeTo(BACK, bytes -> {});
    CrashStates.of(recording)
        .forEach(
            Seeds.seed("StateConverterTest.powerLoss"),
            4,
            left -> {
              if (left.exists(BACK.meta())) {
                StateReader.read(left, BACK).requireSound();
                assertArrayEquals(
                    SampleState.get(left, files.ram()), SampleState.get(left, BACK.ram()));
              }
            });
  }
}
