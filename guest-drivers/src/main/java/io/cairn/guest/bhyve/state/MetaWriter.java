package io.cairn.guest.bhyve.state;

import io.cairn.guest.bhyve.state.StateEntry.Content;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** Writes a {@code .meta} file; {@link MetaParser} has the layout. */
final class MetaWriter {
  /** The version of the JSON form that has fields instead of offsets. */
  private static final long VERSION_WITH_FIELDS = 2;

  private static final int WIDE_BITS = 64;

  private final JsonWriter json;
  private final SavedState state;

  private MetaWriter(OutputStream out, SavedState state) {
    this.json = new JsonWriter(out);
    this.state = state;
  }

  static void write(SavedState state, OutputStream out) throws IOException {
    new MetaWriter(out, state).write();
  }

  private void write() throws IOException {
    SavedState.Machine machine = state.machine();
    json.object().object(MetaParser.BASIC);
    json.put("ncpus", machine.cpus()).put("vmname", machine.vmName());
    json.put("memsize", machine.memorySizeBytes()).put("memflags", machine.memoryFlags());
    if (state.form() == StateForm.JSON) {
      json.put("version", VERSION_WITH_FIELDS);
    }
    json.endObject();
    json.array(state.form() == StateForm.FILES ? MetaParser.KERNEL : MetaParser.KERNEL_2020);
    for (StateEntry entry : state.kernel()) {
      json.object();
      kernelName(entry);
      content(entry.content());
      json.endObject();
    }
    json.endArray().array(MetaParser.DEVICES);
    for (StateEntry entry : state.devices()) {
      String key = state.form() == StateForm.FILES ? MetaParser.DEVICE : MetaParser.REQUEST;
      json.object().put(key, entry.name());
      content(entry.content());
      json.endObject();
    }
    json.endArray().endObject().end();
  }

  private void kernelName(StateEntry entry) throws IOException {
    if (state.form() == StateForm.FILES) {
      json.put(MetaParser.DEVICE, entry.name());
      return;
    }
    json.put(MetaParser.DEBUG_NAME, entry.name());
    if (entry.request().isPresent()) {
      json.put(MetaParser.REQUEST, entry.request().getAsInt());
    }
  }

  private void content(Content content) throws IOException {
    if (content instanceof Content.Blob blob) {
      json.put(MetaParser.SIZE, blob.sizeBytes()).put(MetaParser.OFFSET, blob.offset());
    } else if (content instanceof Content.Fields fields) {
      structure(MetaParser.PARAMS, fields.fields());
    }
  }

  private void structure(String name, List<StateField> fields) throws IOException {
    json.array(name).object();
    for (StateField field : fields) {
      if (field instanceof StateField.Scalar scalar) {
        scalar(scalar);
      } else if (field instanceof StateField.Buffer buffer) {
        String text = Base64.getEncoder().encodeToString(PackedFields.bytes(buffer));
        json.put(buffer.name() + "$" + buffer.type(), text);
      } else if (field instanceof StateField.Group group) {
        structure(group.name(), group.fields());
      }
    }
    json.endObject().endArray();
  }

  /** Wide integers as hexadecimal strings, which no reader rounds. */
  private void scalar(StateField.Scalar scalar) throws IOException {
    String key = scalar.name() + "$" + scalar.type();
    Optional<FieldType> type = FieldType.of(scalar.type());
    if (type.isPresent() && type.get().isWide()) {
      BigInteger value = scalar.value();
      BigInteger bits = value.signum() < 0 ? value.add(BigInteger.ONE.shiftLeft(WIDE_BITS)) : value;
      json.put(key, bits.toString(16));
    } else {
      json.put(key, scalar.value());
    }
  }
}
