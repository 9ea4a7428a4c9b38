package io.cairn.guest.bhyve.nv;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Packs one list. The sizes of nested lists depend on everything that comes after them, so the
 * bytes are written with gaps, which are filled once the length of the whole is known.
 */
final class NvEncoder {
  /**
   * A nested list whose sizes are still missing.
   *
   * @param dataSizeAt where the data size of the element that holds it goes
   * @param headerAt where its header begins
   * @param depth how many lists have to be ended up to the outermost one
   */
  private record Gap(int dataSizeAt, int headerAt, int depth) {}

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<Gap> gaps = new ArrayList<>();

  byte[] encode(NvList list) {
    header(list, descriptors(list));
    elements(list, 0);
    ByteBuffer bytes = ByteBuffer.wrap(out.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    putSize(bytes, 0);
    for (Gap gap : gaps) {
      putSize(bytes, gap.headerAt());
      if (gap.dataSizeAt() >= 0) {
        long rest = (long) bytes.limit() - gap.headerAt();
        long ends = (long) gap.depth() * NvDescriptor.END_SIZE_BYTES;
        bytes.putLong(gap.dataSizeAt(), rest - ends);
      }
    }
    return bytes.array();
  }

  private static void putSize(ByteBuffer bytes, int headerAt) {
    bytes.putLong(
        headerAt + NvDescriptor.SIZE_AT,
        (long) bytes.limit() - headerAt - NvDescriptor.LIST_HEADER_SIZE_BYTES);
  }

  private void header(NvList list, long descriptors) {
    int flags =
        (list.ignoreCase() ? NvDescriptor.FLAG_IGNORE_CASE : 0)
            | (list.allowDuplicates() ? NvDescriptor.FLAG_ALLOW_DUPLICATES : 0);
    out.write(NvDescriptor.MAGIC);
    out.write(NvDescriptor.VERSION);
    out.write(flags);
    number(descriptors);
    number(0);
  }

  private void elements(NvList list, int depth) {
    for (NvList.Pair pair : list.pairs()) {
      element(pair.name(), pair.value(), depth);
    }
  }

  private void element(String name, NvValue value, int depth) {
    if (value instanceof NvValue.Null) {
      element(NvDescriptor.TYPE_NULL, name, 0, new byte[0]);
    } else if (value instanceof NvValue.Bool bool) {
      element(NvDescriptor.TYPE_BOOL, name, 0, new byte[] {(byte) (bool.value() ? 1 : 0)});
    } else if (value instanceof NvValue.Int number) {
      element(NvDescriptor.TYPE_NUMBER, name, 0, numbers(List.of(number.value())));
    } else if (value instanceof NvValue.Text text) {
      element(NvDescriptor.TYPE_STRING, name, 0, text(text.value()));
    } else if (value instanceof NvValue.Descriptor descriptor) {
      element(NvDescriptor.TYPE_DESCRIPTOR, name, 0, indexes(List.of(descriptor.index())));
    } else if (value instanceof NvValue.Binary binary) {
      element(NvDescriptor.TYPE_BINARY, name, 0, bytes(binary.value()));
    } else if (value instanceof NvValue.Nested nested) {
      nested(name, nested.value(), depth + 1);
    } else {
      array(name, value, depth);
    }
  }

  private void array(String name, NvValue value, int depth) {
    if (value instanceof NvValue.Bools bools) {
      byte[] data = new byte[bools.values().size()];
      for (int i = 0; i < data.length; i++) {
        data[i] = (byte) (bools.values().get(i) ? 1 : 0);
      }
      element(NvDescriptor.TYPE_BOOL_ARRAY, name, data.length, data);
    } else if (value instanceof NvValue.Numbers numbers) {
      int count = numbers.values().size();
      element(NvDescriptor.TYPE_NUMBER_ARRAY, name, count, numbers(numbers.values()));
    } else if (value instanceof NvValue.Texts texts) {
      ByteArrayOutputStream data = new ByteArrayOutputStream();
      texts.values().forEach(text -> data.writeBytes(text(text)));
      element(NvDescriptor.TYPE_STRING_ARRAY, name, texts.values().size(), data.toByteArray());
    } else if (value instanceof NvValue.Descriptors descriptors) {
      int count = descriptors.indexes().size();
      element(NvDescriptor.TYPE_DESCRIPTOR_ARRAY, name, count, indexes(descriptors.indexes()));
    } else if (value instanceof NvValue.Lists lists) {
      lists(name, lists.values(), depth + 1);
    } else {
      throw new IllegalArgumentException("no way to write " + value);
    }
  }

  private void nested(String name, NvList list, int depth) {
    elementHeader(NvDescriptor.TYPE_NVLIST, name, 0, 0);
    int dataSizeAt = out.size() - name(name).length - 16;
    gaps.add(new Gap(dataSizeAt, out.size(), depth));
    header(list, descriptors(list));
    elements(list, depth);
    elementHeader(NvDescriptor.TYPE_NVLIST_UP, "", 0, 0);
  }

  private void lists(String name, List<NvList> lists, int depth) {
    if (lists.isEmpty()) {
      throw new IllegalArgumentException("an array needs an element: " + name);
    }
    elementHeader(NvDescriptor.TYPE_NVLIST_ARRAY, name, 0, lists.size());
    int dataSizeAt = out.size() - name(name).length - 16;
    for (int i = 0; i < lists.size(); i++) {
      gaps.add(new Gap(i == 0 ? dataSizeAt : -1, out.size(), depth));
      header(lists.get(i), descriptors(lists.get(i)));
      elements(lists.get(i), depth);
      elementHeader(NvDescriptor.TYPE_NVLIST_ARRAY_NEXT, "", 0, 0);
    }
  }

  private void element(int type, String name, long items, byte[] data) {
    boolean array = type >= NvDescriptor.TYPE_BOOL_ARRAY;
    if ((array || type == NvDescriptor.TYPE_BINARY) && data.length == 0) {
      throw new IllegalArgumentException("an array or binary value needs an element: " + name);
    }
    elementHeader(type, name, data.length, items);
    out.writeBytes(data);
  }

  private void elementHeader(int type, String name, long dataSizeBytes, long items) {
    byte[] nameBytes = name(name);
    out.write(type);
    out.write(nameBytes.length & 0xff);
    out.write(nameBytes.length >>> 8);
    number(dataSizeBytes);
    number(items);
    out.writeBytes(nameBytes);
  }

  private static byte[] name(String name) {
    byte[] bytes = text(name);
    if (bytes.length > NvDescriptor.NAME_SIZE_BYTES_MAX) {
      throw new IllegalArgumentException("a name of " + (bytes.length - 1) + " bytes is too long");
    }
    return bytes;
  }

  private static byte[] text(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a text cannot hold a zero character");
    }
    return (text + '\0').getBytes(StandardCharsets.UTF_8);
  }

  private void number(long value) {
    out.writeBytes(numbers(List.of(value)));
  }

  private static byte[] numbers(List<Long> values) {
    ByteBuffer data =
        ByteBuffer.allocate(values.size() * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    values.forEach(data::putLong);
    return data.array();
  }

  private static byte[] indexes(List<Integer> indexes) {
    return numbers(indexes.stream().map(Integer::longValue).toList());
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  /** How many descriptors a list refers to, those of nested lists included. */
  private static long descriptors(NvList list) {
    long count = 0;
    for (NvList.Pair pair : list.pairs()) {
      if (pair.value() instanceof NvValue.Descriptor) {
        count++;
      } else if (pair.value() instanceof NvValue.Descriptors several) {
        count += several.indexes().size();
      } else if (pair.value() instanceof NvValue.Nested nested) {
        count += descriptors(nested.value());
      } else if (pair.value() instanceof NvValue.Lists lists) {
        count += lists.values().stream().mapToLong(NvEncoder::descriptors).sum();
      }
    }
    return count;
  }
}
