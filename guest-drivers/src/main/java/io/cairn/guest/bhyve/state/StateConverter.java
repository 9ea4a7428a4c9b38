package io.cairn.guest.bhyve.state;

import io.cairn.guest.bhyve.state.StateEntry.Content;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/**
 * Writes a saved state in another form. The source stays as it is and nothing is overwritten.
 *
 * <p>An entry of which only the bytes are known becomes one field, {@code data$b64}, in the JSON
 * form, and comes back from it unchanged; so does everything that three files can say, byte by
 * byte. An entry with fields becomes the fields' bytes one after the other; their names are lost
 * then, which is why it has to be asked for.
 */
public final class StateConverter {
  private final BlockFileSystem fileSystem;
  private final StateReport source;
  private final StateForm form;
  private final boolean packFields;

  /**
   * A conversion.
   *
   * @param source the state to convert, read before
   * @param form what to write
   * @param packFields whether fields may be packed into bytes
   */
  public StateConverter(
      BlockFileSystem fileSystem, StateReport source, StateForm form, boolean packFields) {
    this.fileSystem = fileSystem;
    this.source = source;
    this.form = form;
    this.packFields = packFields;
  }

  /** The three-file form that suits a state: the one in which its devices keep their names. */
  public static StateForm filesFormOf(SavedState state) {
    return state.devices().stream().allMatch(d -> StateChecks.isDeviceName(d.name()))
        ? StateForm.FILES
        : StateForm.FILES_2020;
  }

  /**
   * Checks that the conversion is possible, without writing anything. Blocking.
   *
   * @throws StateFormatException if the source is not sound
   * @throws StorageException UNSUPPORTED if the form cannot hold the state; BLOCKED if one of the
   *     target's names exists
   */
  public void check(StateFiles target) throws IOException {
    checkForm(source.requireSound());
    NewStateFiles.requireFree(fileSystem, target);
  }

  private void checkForm(SavedState state) throws StorageException {
    for (StateEntry device : state.devices()) {
      boolean placed = StateChecks.isDeviceName(device.name());
      if (form == StateForm.FILES && !placed) {
        throw unsupported(
            "device '" + device.name() + "' has no place on the PCI bus, which this form names");
      }
      if (form == StateForm.FILES_2020 && placed && device.name().indexOf('@') > 0) {
        throw unsupported(
            "device '" + device.name() + "' would not be found by its type, as this form wants");
      }
    }
    if (form != StateForm.JSON) {
      for (List<StateEntry> entries : List.of(state.kernel(), state.devices())) {
        for (StateEntry entry : entries) {
          requirePackable(entry);
        }
      }
    }
  }

  private void requirePackable(StateEntry entry) throws StorageException {
    if (!packFields
        && entry.content() instanceof Content.Fields fields
        && PackedFields.opaqueBytes(fields.fields()).isEmpty()) {
      throw new StorageException(
          ErrorCode.UNSUPPORTED,
          source.files().meta() + ": '" + entry.name() + "' has fields, whose names would be lost",
          "pack them into bytes with --pack-fields");
    }
  }

  /**
   * Writes the state under other names. Blocking; on failure nothing of it is left.
   *
   * @param copied is told now and then how many bytes of the memory have been copied
   * @throws StorageException as {@link #check}
   */
  public void writeTo(StateFiles target, LongConsumer copied) throws IOException {
    SavedState state = source.requireSound();
    checkForm(state);
    try (NewStateFiles out = NewStateFiles.begin(fileSystem, target)) {
      RamCopy.copy(fileSystem, source.files().ram(), out.create(target.ram()), copied);
      SavedState converted =
          form == StateForm.JSON ? withFields(state) : withBlobs(state, out.create(target.kern()));
      try (BlockFileOutput meta = new BlockFileOutput(out.create(target.meta()))) {
        MetaWriter.write(converted, meta);
      }
      out.publish();
    }
  }

  private SavedState withFields(SavedState state) throws IOException {
    return new SavedState(
        form, state.machine(), withFields(state.kernel()), withFields(state.devices()));
  }

  private List<StateEntry> withFields(List<StateEntry> entries) throws IOException {
    List<StateEntry> converted = new ArrayList<>();
    for (StateEntry entry : entries) {
      Content content = entry.content();
      if (content instanceof Content.Blob blob) {
        List<StateField> fields =
            blob.sizeBytes() == 0 ? List.of() : PackedFields.opaque(read(blob));
        content = new Content.Fields(fields);
      }
      converted.add(new StateEntry(entry.name(), entry.request(), 0, content));
    }
    return converted;
  }

  private SavedState withBlobs(SavedState state, BlockFile kern) throws IOException {
    try (BlockFileOutput out = new BlockFileOutput(kern)) {
      List<StateEntry> kernel = withBlobs(state.kernel(), out, true);
      List<StateEntry> devices = withBlobs(state.devices(), out, false);
      SavedState.Machine m = state.machine();
      return new SavedState(
          form,
          new SavedState.Machine(
              m.cpus(), m.vmName(), m.memorySizeBytes(), m.memoryFlags(), OptionalLong.empty()),
          kernel,
          devices);
    }
  }

  private List<StateEntry> withBlobs(
      List<StateEntry> entries, BlockFileOutput out, boolean isKernel) throws IOException {
    List<StateEntry> converted = new ArrayList<>();
    for (StateEntry entry : entries) {
      byte[] bytes = bytes(entry.content());
      OptionalInt request = entry.request();
      if (isKernel && form == StateForm.FILES_2020 && request.isEmpty()) {
        request = KernelStructs.requestOf(entry.name());
      }
      Content blob = new Content.Blob(out.position(), bytes.length);
      out.write(bytes);
      converted.add(new StateEntry(entry.name(), request, 0, blob));
    }
    return converted;
  }

  private byte[] bytes(Content content) throws IOException {
    if (content instanceof Content.Fields fields) {
      Optional<byte[]> opaque = PackedFields.opaqueBytes(fields.fields());
      return opaque.isPresent() ? opaque.get() : PackedFields.pack(fields.fields());
    }
    return read((Content.Blob) content).array();
  }

  private ByteBuffer read(Content.Blob blob) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) blob.sizeBytes());
    try (BlockFile kern = fileSystem.open(source.files().kern(), OpenMode.READ)) {
      if (kern.read(blob.offset(), bytes) < blob.sizeBytes()) {
        throw new StateFormatException(
            StateProblem.error(
                source.files().kern(),
                blob.offset(),
                blob.sizeBytes() + " bytes",
                bytes.position() + ", as the file became shorter"));
      }
    }
    return bytes.flip();
  }

  private StorageException unsupported(String message) {
    return new StorageException(
        ErrorCode.UNSUPPORTED,
        source.files().meta() + " cannot become " + form.description() + ": " + message,
        "");
  }
}
