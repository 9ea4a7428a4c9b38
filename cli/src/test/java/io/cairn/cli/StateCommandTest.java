package io.cairn.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StateCommandTest {
  private static final List<String> KERNEL =
      List.of("vhpet", "vm", "vioapic", "vlapic", "vmcx", "vatpit", "vatpic", "vpmtmr", "vrtc");
  private static final List<String> DEVICES = List.of("virtio-blk@pci.0.4.0", "atkbdc");
  private static final int BLOB_SIZE_BYTES = 16;

  @TempDir Path home;
  private Path state = Path.of("");

  @BeforeEach
  void writeState() throws IOException {
    state = write(home.resolve("web.ckp"));
  }

  /** Writes a state as bhyve does. */
  static Path write(Path file) throws IOException {
    List<String> kernel = new ArrayList<>();
    List<String> devices = new ArrayList<>();
    int end = 0;
    for (String name : KERNEL) {
      kernel.add(entry(name, end));
      end += BLOB_SIZE_BYTES;
    }
    for (String name : DEVICES) {
      devices.add(entry(name, end));
      end += BLOB_SIZE_BYTES;
    }
    byte[] kern = new byte[end];
    for (int i = 0; i < end; i++) {
      kern[i] = (byte) i;
    }
    Files.write(file, new byte[8192]);
    Files.write(file.resolveSibling(file.getFileName() + ".kern"), kern);
    Files.writeString(
        file.resolveSibling(file.getFileName() + ".meta"),
        """
        {
          "basic metadata": {
            "ncpus": 2,
            "vmname": "web",
            "memsize": 8192,
            "memflags": 2
          },
          "kern_structs": [
        %s
          ],
          "devices": [
        %s
          ]
        }
        """
            .formatted(String.join(",\n", kernel), String.join(",\n", devices)));
    return file;
  }

  private static String entry(String name, int offset) {
    return "    {\n      \"device\": \""
        + name
        + "\",\n      \"size\": "
        + BLOB_SIZE_BYTES
        + ",\n      \"file_offset\": "
        + offset
        + "\n    }";
  }

  private Run run() {
    return new Run(home);
  }

  @Test
  void show_soundState_listsItDeviceByDevice() {
    String out = run().expect(0, "state", "show", state + ".meta").out();
    assertTrue(
        out.startsWith(
            state
                + ": three files\n"
                + "guest web, 2 virtual CPUs, 8.00K of memory, wired\n"
                + "KIND    NAME                        SIZE      OFFSET\n"
                + "kernel  vhpet                         16           0\n"),
        out);
    assertTrue(out.endsWith("device  atkbdc                        16         160\n"), out);
  }

  @Test
  void verify_soundState_saysSo() {
    assertEquals(state + ": sound\n", run().expect(0, "state", "verify", state + "").out());
    JsonObject json = run().expect(0, "state", "verify", state + "", "--json").json();
    assertEquals("cairn/saved-state/1", json.get("schema").getAsString());
    assertTrue(json.get("sound").getAsBoolean());
  }

  @Test
  void verify_cutKernFile_namesFileOffsetExpectedAndFound() throws IOException {
    Path kern = Path.of(state + ".kern");
    Files.write(kern, new byte[170]);
    String out = run().expect(20, "state", "verify", state + "").out();
    assertEquals(
        "ERROR  "
            + kern
            + ": at byte 170: expected 16 bytes of 'atkbdc' from byte 160, found a file of 170"
            + " bytes\n"
            + state
            + ": 1 fault\n",
        out);
    JsonObject problem =
        run()
            .expect(20, "state", "show", state + "", "--json")
            .json()
            .getAsJsonArray("problems")
            .get(0)
            .getAsJsonObject();
    assertEquals(170, problem.get("offset").getAsLong());
    assertEquals(kern.toString(), problem.get("file").getAsString());
  }

  @Test
  void show_missingState_isNotFound() {
    String err = run().expect(4, "state", "show", home + "/none").err();
    assertTrue(err.contains("there is no saved state " + home + "/none"), err);
  }

  @Test
  void convert_toJsonAndBack_changesNoByte() throws IOException {
    Path json = home.resolve("json.ckp");
    Path back = home.resolve("back.ckp");
    assertEquals(json + "\n", run().expect(0, "state", "convert", state + "", json + "").out());
    assertFalse(Files.exists(Path.of(json + ".kern")));
    String fields = run().expect(0, "state", "show", json + "", "--fields").out();
    assertTrue(fields.contains("\n        data b64 AAECAwQFBgcICQoLDA0ODw==\n"), fields);
    run().expect(0, "state", "convert", json + "", back + "");
    for (String suffix : List.of("", ".kern", ".meta")) {
      assertArrayEquals(
          Files.readAllBytes(Path.of(state + suffix)), Files.readAllBytes(Path.of(back + suffix)));
    }
  }

  @Test
  void convert_dryRun_writesNothingAndItsDigestHolds() {
    Path target = home.resolve("target.ckp");
    JsonObject plan =
        run().expect(0, "state", "convert", state + "", target + "", "-n", "--json").json();
    assertFalse(Files.exists(target));
    String digest = plan.get("digest").getAsString();
    run().expect(6, "state", "convert", state + "", target + "1", "--plan-digest", digest);
    run().expect(0, "state", "convert", state + "", target + "", "--plan-digest", digest);
    assertTrue(Files.exists(target));
  }

  @Test
  void convert_ontoAnExistingName_isRefused() throws IOException {
    Path target = Files.writeString(home.resolve("target.ckp.kern"), "mine");
    String name = home.resolve("target.ckp").toString();
    String err = run().expect(5, "state", "convert", state + "", name).err();
    assertTrue(err.contains(target + " exists, and nothing is overwritten"), err);
    run().expect(5, "state", "convert", state + "", name, "--dry-run");
    assertEquals("mine", Files.readString(target));
  }

  @Test
  void convert_toWhatCannotBe_isRefused() {
    run().expect(2, "state", "convert", state + "", home + "/t", "--to", "xml");
    run().expect(7, "state", "convert", state + "", home + "/t", "--to", "files-2020");
  }
}
