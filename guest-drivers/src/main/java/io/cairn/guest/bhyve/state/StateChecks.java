package io.cairn.guest.bhyve.state;

import io.cairn.guest.bhyve.state.StateEntry.Content;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What must hold between the parts of a saved state. */
final class StateChecks {
  /** bhyve saves every structure through a buffer of this size. */
  static final long BLOB_SIZE_BYTES_MAX = 20L << 20;

  private static final long PAGE_SIZE_BYTES = 4096;

  /** How devices are named since 2022: by their place on the PCI bus. */
  private static final Pattern DEVICE_NAME =
      Pattern.compile("(.+)@pci\\.(\\d{1,3})\\.(\\d{1,2})\\.(\\d)|atkbdc");

  private final StateFiles files;
  private final long ramSizeBytes;
  private final long kernSizeBytes;
  private final List<StateProblem> problems;

  StateChecks(
      StateFiles files, long ramSizeBytes, long kernSizeBytes, List<StateProblem> problems) {
    this.files = files;
    this.ramSizeBytes = ramSizeBytes;
    this.kernSizeBytes = kernSizeBytes;
    this.problems = problems;
  }

  /** Whether a device is named as bhyve names it since 2022. */
  static boolean isDeviceName(String name) {
    return DEVICE_NAME.matcher(name).matches();
  }

  void check(SavedState state) {
    memory(state);
    names(state);
    List<StateEntry> blobs =
        Stream.concat(state.kernel().stream(), state.devices().stream())
            .filter(e -> e.content() instanceof Content.Blob)
            .toList();
    boolean needsKern = state.form() != StateForm.JSON || !blobs.isEmpty();
    if (kernSizeBytes < 0) {
      if (needsKern) {
        error(files.kern(), 0, "the file", "none");
      }
    } else if (needsKern) {
      sizes(state);
      coverage(blobs);
    } else {
      problems.add(
          StateProblem.note(
              files.kern(), 0, "no such file, as every field is in the .meta file", "one"));
    }
  }

  private void memory(SavedState state) {
    long memory = state.machine().memorySizeBytes();
    if (memory % PAGE_SIZE_BYTES != 0) {
      error(files.meta(), 0, "'memsize' in whole pages of " + PAGE_SIZE_BYTES, memory);
    }
    if (ramSizeBytes < 0) {
      error(files.ram(), 0, "the file", "none");
    } else if (ramSizeBytes != memory) {
      error(
          files.ram(),
          Math.min(ramSizeBytes, memory),
          memory + " bytes, the 'memsize' of the .meta file",
          ramSizeBytes + " bytes");
    }
  }

  private void names(SavedState state) {
    Set<String> kernel = unique(state.kernel());
    for (String required : KernelStructs.REQUIRED) {
      if (!kernel.contains(required)) {
        error(files.meta(), 0, "the kernel structure '" + required + "'", "none");
      }
    }
    unique(state.devices());
    if (state.form() == StateForm.FILES) {
      for (StateEntry device : state.devices()) {
        if (!isDeviceName(device.name())) {
          error(
              files.meta(),
              device.metaOffset(),
              "a device such as virtio-blk@pci.0.4.0, or atkbdc",
              "'" + device.name() + "'");
        }
      }
    }
  }

  private Set<String> unique(List<StateEntry> entries) {
    Set<String> names = new HashSet<>();
    for (StateEntry entry : entries) {
      if (!names.add(entry.name())) {
        error(
            files.meta(),
            entry.metaOffset(),
            "names that occur once",
            "'" + entry.name() + "' again");
      }
    }
    return names;
  }

  /** bhyve refuses a structure without bytes; of a device only the old versions allow it. */
  private void sizes(SavedState state) {
    for (StateEntry entry : state.kernel()) {
      size(entry, false);
    }
    for (StateEntry entry : state.devices()) {
      size(entry, state.form() == StateForm.FILES_2020);
    }
  }

  private void size(StateEntry entry, boolean mayBeEmpty) {
    if (!(entry.content() instanceof Content.Blob blob)) {
      return;
    }
    if (blob.sizeBytes() > BLOB_SIZE_BYTES_MAX) {
      error(
          files.meta(),
          entry.metaOffset(),
          "at most " + BLOB_SIZE_BYTES_MAX + " bytes for '" + entry.name() + "'",
          blob.sizeBytes());
    } else if (blob.sizeBytes() == 0 && mayBeEmpty) {
      problems.add(
          StateProblem.note(
              files.meta(), entry.metaOffset(), "bytes of '" + entry.name() + "'", "none"));
    } else if (blob.sizeBytes() == 0) {
      error(files.meta(), entry.metaOffset(), "bytes of '" + entry.name() + "'", "none");
    }
  }

  /** bhyve writes blob after blob: no byte belongs to two of them, and none to nobody. */
  private void coverage(List<StateEntry> entries) {
    List<StateEntry> ordered = new ArrayList<>(entries);
    ordered.sort(
        Comparator.<StateEntry>comparingLong(e -> blob(e).offset())
            .thenComparingLong(e -> blob(e).sizeBytes()));
    long end = 0;
    for (StateEntry entry : ordered) {
      Content.Blob blob = blob(entry);
      if (blob.offset() > kernSizeBytes || blob.sizeBytes() > kernSizeBytes - blob.offset()) {
        error(
            files.kern(),
            kernSizeBytes,
            blob.sizeBytes() + " bytes of '" + entry.name() + "' from byte " + blob.offset(),
            "a file of " + kernSizeBytes + " bytes");
        return;
      }
      if (blob.offset() != end) {
        error(
            files.kern(),
            end,
            blob.offset() > end
                ? "bytes that belong to an entry"
                : "'" + entry.name() + "' after the entry before it",
            blob.offset() > end
                ? (blob.offset() - end) + " that belong to none"
                : "it from byte " + blob.offset());
      }
      end = Math.max(end, blob.offset() + blob.sizeBytes());
    }
    if (end < kernSizeBytes) {
      error(
          files.kern(),
          end,
          "the end of the file",
          (kernSizeBytes - end) + " bytes that belong to no entry");
    }
  }

  private static Content.Blob blob(StateEntry entry) {
    return (Content.Blob) entry.content();
  }

  private void error(Path file, long offset, String expected, Object found) {
    problems.add(StateProblem.error(file, offset, expected, found));
  }
}
