package io.cairn.guest.bhyve.nv;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Unpacks one message. Sizes are checked against the bytes that are there before anything is
 * allocated for them. Nested lists are walked up to the element that ends them, as every reader
 * does; their data size means little (see {@link NvDescriptor}).
 */
final class NvDecoder {
  /** Nobody nests deeper; the walk recurses. */
  private static final int DEPTH_MAX = 32;

  /** An element as its header describes it. */
  private record Element(int at, int type, String name, int dataSizeBytes, long items) {}

  private final ByteBuffer bytes;
  private final int descriptors;

  NvDecoder(ByteBuffer bytes, int descriptors) {
    this.bytes = bytes;
    this.descriptors = descriptors;
  }

  NvList decode() throws NvFormatException {
    NvHeader header = header();
    // As in libnv the outermost list decides for all elements.
    bytes.order(header.bigEndian() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    return list(header, 0, 0);
  }

  private NvHeader header() throws NvFormatException {
    int at = bytes.position();
    NvHeader header = NvHeader.read(bytes, at);
    bytes.position(at + NvDescriptor.LIST_HEADER_SIZE_BYTES);
    if (header.sizeBytes() != bytes.remaining()) {
      throw new NvFormatException(
          at + NvDescriptor.SIZE_AT,
          "the size " + bytes.remaining(),
          Long.toUnsignedString(header.sizeBytes()));
    }
    if (Long.compareUnsigned(header.descriptors(), descriptors) > 0) {
      throw new NvFormatException(
          at + NvDescriptor.DESCRIPTORS_AT,
          "at most " + descriptors + " descriptors",
          Long.toUnsignedString(header.descriptors()));
    }
    return header;
  }

  /**
   * The elements of a list whose header has been read.
   *
   * @param end the type of the element that ends it; 0 if the end of the message does
   */
  private NvList list(NvHeader header, int end, int depth) throws NvFormatException {
    int at = bytes.position();
    if (depth > DEPTH_MAX) {
      throw new NvFormatException(at, "at most " + DEPTH_MAX + " nested lists", "another one");
    }
    List<NvList.Pair> pairs = new ArrayList<>();
    while (end != 0 || bytes.hasRemaining()) {
      Element element = element();
      if (element.type() == NvDescriptor.TYPE_NVLIST_UP
          || element.type() == NvDescriptor.TYPE_NVLIST_ARRAY_NEXT) {
        if (element.type() != end || element.dataSizeBytes() != 0 || !element.name().isEmpty()) {
          throw new NvFormatException(element.at(), "no end of a list here", element.type());
        }
        break;
      }
      pairs.add(new NvList.Pair(element.name(), value(element, depth)));
    }
    try {
      return new NvList(header.ignoreCase(), header.allowDuplicates(), pairs);
    } catch (IllegalArgumentException e) {
      throw new NvFormatException(at, "names that occur once", String.valueOf(e.getMessage()));
    }
  }

  private Element element() throws NvFormatException {
    int at = bytes.position();
    if (bytes.remaining() < NvDescriptor.ELEMENT_HEADER_SIZE_BYTES) {
      throw new NvFormatException(at, "an element", bytes.remaining() + " bytes");
    }
    int type = bytes.get() & 0xff;
    int nameSizeBytes = bytes.getShort() & 0xffff;
    long dataSizeBytes = bytes.getLong();
    long items = bytes.getLong();
    if (nameSizeBytes < 1 || nameSizeBytes > NvDescriptor.NAME_SIZE_BYTES_MAX) {
      throw new NvFormatException(
          at + 1, "a name size of 1 to " + NvDescriptor.NAME_SIZE_BYTES_MAX, nameSizeBytes);
    }
    String name = text(nameSizeBytes);
    if (Long.compareUnsigned(dataSizeBytes, bytes.remaining()) > 0) {
      throw new NvFormatException(
          at + 3,
          "a data size of at most " + bytes.remaining(),
          Long.toUnsignedString(dataSizeBytes));
    }
    return new Element(at, type, name, (int) dataSizeBytes, items);
  }

  private NvValue value(Element element, int depth) throws NvFormatException {
    int sizeBytes = element.dataSizeBytes();
    return switch (element.type()) {
      case NvDescriptor.TYPE_NULL -> {
        require(element, sizeBytes == 0, "no data");
        yield new NvValue.Null();
      }
      case NvDescriptor.TYPE_BOOL -> {
        require(element, sizeBytes == 1, "1 byte of data");
        yield new NvValue.Bool(bool());
      }
      case NvDescriptor.TYPE_NUMBER -> {
        require(element, sizeBytes == Long.BYTES, "8 bytes of data");
        yield new NvValue.Int(bytes.getLong());
      }
      case NvDescriptor.TYPE_STRING -> {
        require(element, sizeBytes > 0, "a text");
        yield new NvValue.Text(text(sizeBytes));
      }
      case NvDescriptor.TYPE_DESCRIPTOR -> {
        require(element, sizeBytes == Long.BYTES, "8 bytes of data");
        yield new NvValue.Descriptor(descriptor());
      }
      case NvDescriptor.TYPE_BINARY -> {
        require(element, sizeBytes > 0, "data");
        yield new NvValue.Binary(take(sizeBytes));
      }
      case NvDescriptor.TYPE_NVLIST -> {
        require(element, sizeBytes > 0, "a list");
        yield new NvValue.Nested(list(header(), NvDescriptor.TYPE_NVLIST_UP, depth + 1));
      }
      default -> array(element, depth);
    };
  }

  private NvValue array(Element element, int depth) throws NvFormatException {
    if (element.type() < NvDescriptor.TYPE_BOOL_ARRAY
        || element.type() > NvDescriptor.TYPE_DESCRIPTOR_ARRAY) {
      throw new NvFormatException(element.at(), "a known type", element.type());
    }
    require(element, element.dataSizeBytes() > 0 && element.items() != 0, "an array with elements");
    return switch (element.type()) {
      case NvDescriptor.TYPE_BOOL_ARRAY -> {
        List<Boolean> bools = new ArrayList<>();
        for (int left = items(element, 1); left > 0; left--) {
          bools.add(bool());
        }
        yield new NvValue.Bools(bools);
      }
      case NvDescriptor.TYPE_NUMBER_ARRAY -> {
        List<Long> numbers = new ArrayList<>();
        for (int left = items(element, Long.BYTES); left > 0; left--) {
          numbers.add(bytes.getLong());
        }
        yield new NvValue.Numbers(numbers);
      }
      case NvDescriptor.TYPE_DESCRIPTOR_ARRAY -> {
        List<Integer> indexes = new ArrayList<>();
        for (int left = items(element, Long.BYTES); left > 0; left--) {
          indexes.add(descriptor());
        }
        yield new NvValue.Descriptors(indexes);
      }
      case NvDescriptor.TYPE_STRING_ARRAY -> new NvValue.Texts(texts(element));
      case NvDescriptor.TYPE_NVLIST_ARRAY -> {
        // Each takes room in the message, so that a huge count fails at its end.
        List<NvList> lists = new ArrayList<>();
        while (Long.compareUnsigned(lists.size(), element.items()) < 0) {
          lists.add(list(header(), NvDescriptor.TYPE_NVLIST_ARRAY_NEXT, depth + 1));
        }
        yield new NvValue.Lists(lists);
      }
      default -> throw new AssertionError("not reached: " + element);
    };
  }

  /** The number of an array's elements, which must fill its data exactly. */
  private static int items(Element element, int sizeBytes) throws NvFormatException {
    int items = element.dataSizeBytes() / sizeBytes;
    if (element.dataSizeBytes() % sizeBytes != 0 || element.items() != items) {
      throw new NvFormatException(
          element.at() + 11,
          "as many elements as " + element.dataSizeBytes() + " bytes hold",
          Long.toUnsignedString(element.items()));
    }
    return items;
  }

  private List<String> texts(Element element) throws NvFormatException {
    int end = bytes.position() + element.dataSizeBytes();
    List<String> texts = new ArrayList<>();
    while (bytes.position() < end) {
      int at = bytes.position();
      int zero = at;
      while (zero < end && bytes.get(zero) != 0) {
        zero++;
      }
      if (zero == end) {
        throw new NvFormatException(at, "a text that ends with a zero", (end - at) + " bytes");
      }
      texts.add(text(zero + 1 - at));
    }
    if (texts.size() != element.items()) {
      throw new NvFormatException(
          element.at() + 11,
          Long.toUnsignedString(element.items()) + " texts",
          texts.size() + " texts");
    }
    return texts;
  }

  private boolean bool() throws NvFormatException {
    int at = bytes.position();
    int value = bytes.get();
    if (value != 0 && value != 1) {
      throw new NvFormatException(at, "0 or 1", value);
    }
    return value == 1;
  }

  private int descriptor() throws NvFormatException {
    int at = bytes.position();
    long index = bytes.getLong();
    if (index < 0 || index >= descriptors) {
      throw new NvFormatException(at, "one of " + descriptors + " descriptors", index);
    }
    return (int) index;
  }

  /** A text of this size, which includes the one zero at its end. */
  private String text(int sizeBytes) throws NvFormatException {
    int at = bytes.position();
    if (sizeBytes > bytes.remaining()) {
      throw new NvFormatException(at, sizeBytes + " bytes", bytes.remaining() + " bytes");
    }
    for (int i = 0; i < sizeBytes; i++) {
      if ((bytes.get(at + i) == 0) != (i == sizeBytes - 1)) {
        throw new NvFormatException(at + i, "the text's only zero at its end", "another");
      }
    }
    ByteBuffer text = take(sizeBytes).limit(sizeBytes - 1);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
    } catch (CharacterCodingException e) {
      throw new NvFormatException(at, "a text in UTF-8", "other bytes");
    }
  }

  private ByteBuffer take(int sizeBytes) {
    ByteBuffer part = bytes.slice(bytes.position(), sizeBytes);
    bytes.position(bytes.position() + sizeBytes);
    return part;
  }

  private static void require(Element element, boolean condition, String expected)
      throws NvFormatException {
    if (!condition) {
      throw new NvFormatException(
          element.at() + 3,
          expected + " for '" + element.name() + "' of type " + element.type(),
          element.dataSizeBytes() + " bytes");
    }
  }
}
