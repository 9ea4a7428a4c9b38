package io.cairn.qcow2;

import com.google.common.collect.ImmutableSortedMap;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The content of Cairn's header extension: the id of the disk, and tagged values beside it.
 *
 * <pre>
 *    0 image id (16)
 *   16 type (2)  length (2)  bytes    ... again up to the end of the extension
 * </pre>
 *
 * @param imageId the id of the disk that the image is a part of
 * @param values the tagged values by type, each at most 65535 bytes
 */
public record CairnExtension(UUID imageId, SortedMap<Integer, String> values) {
  private static final int ID_BYTES = 16;
  private static final int TAG_BYTES = 4;

  /** Copies the values. */
  public CairnExtension {
    values = ImmutableSortedMap.copyOfSorted(values);
  }

  /** An id alone. */
  public static CairnExtension of(UUID imageId) {
    return new CairnExtension(imageId, new TreeMap<>());
  }

  /** Reads an extension of type {@link HeaderExtension#CAIRN}; empty if it is too short. */
  public static Optional<CairnExtension> parse(HeaderExtension extension) {
    ByteBuffer bytes = ByteBuffer.wrap(extension.data());
    if (bytes.remaining() < ID_BYTES) {
      return Optional.empty();
    }
    UUID id = new UUID(bytes.getLong(), bytes.getLong());
    SortedMap<Integer, String> values = new TreeMap<>();
    while (bytes.remaining() >= TAG_BYTES) {
      int type = Short.toUnsignedInt(bytes.getShort());
      int length = Short.toUnsignedInt(bytes.getShort());
      if (length > bytes.remaining()) {
        break;
      }
      byte[] value = new byte[length];
      bytes.get(value);
      values.put(type, new String(value, StandardCharsets.UTF_8));
    }
    return Optional.of(new CairnExtension(id, values));
  }

  /** The extension with this content. */
  public HeaderExtension encode() {
    SortedMap<Integer, byte[]> encoded = new TreeMap<>();
    values.forEach((type, text) -> encoded.put(type, text.getBytes(StandardCharsets.UTF_8)));
    int bytes = ID_BYTES + encoded.values().stream().mapToInt(v -> TAG_BYTES + v.length).sum();
    ByteBuffer data = ByteBuffer.allocate(bytes);
    data.putLong(imageId.getMostSignificantBits());
    data.putLong(imageId.getLeastSignificantBits());
    encoded.forEach(
        (type, value) -> {
          data.putShort((short) (int) type);
          data.putShort((short) value.length);
          data.put(value);
        });
    return new HeaderExtension(HeaderExtension.CAIRN, data.array());
  }
}
