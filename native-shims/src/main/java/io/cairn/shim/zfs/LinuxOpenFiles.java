package io.cairn.shim.zfs;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Who has a file or block device open for writing, by what Linux shows of its processes. Root sees
 * all of them, other users their own.
 */
final class LinuxOpenFiles {
  /** The access mode within the flags of an open file; 0 is for reading only. */
  private static final int O_ACCMODE = 3;

  private static final Pattern PARTITION = Pattern.compile("(p[0-9]+)?");

  private final Path processes;
  private final Path blockDevices;

  LinuxOpenFiles() {
    this(Path.of("/proc"), Path.of("/sys/block"));
  }

  LinuxOpenFiles(Path processes, Path blockDevices) {
    this.processes = processes;
    this.blockDevices = blockDevices;
  }

  /** The first program found that has the file open for writing. */
  Optional<String> writer(Path realPath) {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(processes, "[0-9]*")) {
      for (Path process : all) {
        if (writes(process, realPath.toString())) {
          return Optional.of(name(process) + " (pid " + process.getFileName() + ")");
        }
      }
    } catch (IOException e) {
      return Optional.empty(); // a system without such a directory
    }
    return Optional.empty();
  }

  /** A device-mapper or mount user of a block device, which no process's files show. */
  Optional<String> kernelUser(Path device) {
    Path holders = blockDevices.resolve(String.valueOf(device.getFileName())).resolve("holders");
    try (DirectoryStream<Path> all = Files.newDirectoryStream(holders)) {
      for (Path holder : all) {
        return Optional.of("block device " + holder.getFileName() + " over it");
      }
    } catch (IOException e) {
      return mount(device); // the device has just gone, or this is no Linux
    }
    return mount(device);
  }

  private Optional<String> mount(Path device) {
    try {
      List<String> mounts = Files.readAllLines(processes.resolve("self/mounts"));
      return mounts.stream()
          .map(line -> line.split(" ", 3))
          .filter(fields -> fields.length == 3 && isOrIsPartOf(fields[0], device.toString()))
          .map(fields -> "the mount on " + fields[1])
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static boolean writes(Path process, String path) {
    try (DirectoryStream<Path> open = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path link : open) {
        if (isOrIsPartOf(target(link), path) && forWriting(process, link)) {
          return true;
        }
      }
    } catch (IOException e) {
      return false; // the process has ended, or is another user's
    }
    return false;
  }

  /** Whether it is this file or device, or a partition of the device. */
  private static boolean isOrIsPartOf(String name, String whole) {
    return name.startsWith(whole) && PARTITION.matcher(name.substring(whole.length())).matches();
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static boolean forWriting(Path process, Path link) throws IOException {
    Path facts = process.resolve("fdinfo").resolve(String.valueOf(link.getFileName()));
    for (String line : Files.readAllLines(facts)) {
      if (line.startsWith("flags:")) {
        return (Integer.parseInt(line.substring("flags:".length()).strip(), 8) & O_ACCMODE) != 0;
      }
    }
    return false;
  }

  private static String name(Path process) {
    try {
      return Files.readString(process.resolve("comm")).strip();
    } catch (IOException e) {
      return "a program";
    }
  }
}
