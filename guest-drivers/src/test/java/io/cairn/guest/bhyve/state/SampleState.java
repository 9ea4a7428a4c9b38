package io.cairn.guest.bhyve.state;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Writes states as bhyve does, and reads what became of them. */
public final class SampleState {
  static final int RAM_SIZE_BYTES = 1 << 18;

  private static final List<String> DEVICES =
      List.of(
          "hostbridge@pci.0.0.0",
          "virtio-blk@pci.0.4.0",
          "virtio-blk@pci.0.5.0",
          "virtio-net@pci.0.6.0",
          "lpc@pci.0.31.0",
          "atkbdc");

  private SampleState() {}

  /** A state with the keys of today. */
  public static StateFiles current(BlockFileSystem fileSystem, Path file) {
    List<String> kernel = new ArrayList<>();
    List<String> devices = new ArrayList<>();
    int end = 0;
    int size = 40;
    for (String name : KernelStructs.REQUIRED) {
      kernel.add(entry("\"device\": \"" + name + "\"", size, end));
      end += size++;
    }
    for (String name : DEVICES) {
      devices.add(entry("\"device\": \"" + name + "\"", size, end));
      end += size++;
    }
    return write(fileSystem, file, meta("kern_structs", kernel, devices), end);
  }

  /** A state with the keys of 2020, with a device that is not there. */
  static StateFiles of2020(BlockFileSystem fileSystem, Path file) {
    List<String> kernel = new ArrayList<>();
    List<String> devices = new ArrayList<>();
    int end = 0;
    int size = 40;
    List<String> names = new ArrayList<>(KernelStructs.REQUIRED);
    names.add(2, "vmx");
    for (String name : names) {
      int request = KernelStructs.requestOf(name).orElseThrow();
      String keys = "\"debug_name\": \"" + name + "\",\n      \"snapshot_req\": " + request;
      kernel.add(entry(keys, size, end));
      end += size++;
    }
    for (String name : List.of("atkbdc", "virtio-net", "virtio-blk", "fbuf")) {
      int bytes = name.equals("fbuf") ? 0 : size;
      devices.add(entry("\"snapshot_req\": \"" + name + "\"", bytes, end));
      end += bytes;
    }
    return write(fileSystem, file, meta("structs", kernel, devices), end);
  }

  private static String entry(String name, int size, int offset) {
    return "    {\n      "
        + name
        + ",\n      \"size\": "
        + size
        + ",\n      \"file_offset\": "
        + offset
        + "\n    }";
  }

  private static String meta(String kernelKey, List<String> kernel, List<String> devices) {
    return """
        {
          "basic metadata": {
            "ncpus": 2,
            "vmname": "vm1",
            "memsize": %d,
            "memflags": 2
          },
          "%s": [
        %s
          ],
          "devices": [
        %s
          ]
        }
        """
        .formatted(
            RAM_SIZE_BYTES, kernelKey, String.join(",\n", kernel), String.join(",\n", devices));
  }

  private static StateFiles write(
      BlockFileSystem fileSystem, Path file, String meta, int kernSizeBytes) {
    StateFiles files = StateFiles.of(file);
    byte[] kern = new byte[kernSizeBytes];
    new Random(7).nextBytes(kern);
    byte[] ram = new byte[RAM_SIZE_BYTES];
    new Random(8).nextBytes(ram);
    // A long run of zeros, as in any guest.
    Arrays.fill(ram, 100_000, 250_000, (byte) 0);
    put(fileSystem, files.kern(), kern);
    put(fileSystem, files.ram(), ram);
    put(fileSystem, files.meta(), meta.getBytes(StandardCharsets.UTF_8));
    return files;
  }

  static void put(BlockFileSystem fileSystem, Path file, byte[] content) {
    try {
      fileSystem.delete(file);
      try (BlockFile out = fileSystem.open(file, OpenMode.CREATE_NEW)) {
        out.write(0, ByteBuffer.wrap(content));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] get(BlockFileSystem fileSystem, Path file) {
    try (BlockFile in = fileSystem.open(file, OpenMode.READ)) {
      ByteBuffer content = ByteBuffer.allocate((int) in.size());
      in.read(0, content);
      return content.array();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Replaces the first occurrence of a text in a state's .meta file. */
  static void edit(BlockFileSystem fileSystem, StateFiles files, String from, String to) {
    String meta = new String(get(fileSystem, files.meta()), StandardCharsets.UTF_8);
    int at = meta.indexOf(from);
    if (at < 0) {
      throw new IllegalArgumentException("not in the sample: " + from);
    }
    String edited = meta.substring(0, at) + to + meta.substring(at + from.length());
    put(fileSystem, files.meta(), edited.getBytes(StandardCharsets.UTF_8));
  }
}
