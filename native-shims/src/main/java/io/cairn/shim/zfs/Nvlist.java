package io.cairn.shim.zfs;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A list of named values, as ZFS passes them; names are unique and keep their order. A value is one
 * of: {@link #PRESENT} (a name without a value), Boolean, Integer (32 bits), Long (64 bits,
 * unsigned in ZFS), String, Nvlist, {@code byte[]}, {@code long[]}, a list of String or a list of
 * Nvlist. Immutable.
 */
public final class Nvlist {
  /** The value of a name that has none (DATA_TYPE_BOOLEAN). */
  public static final Object PRESENT =
      new Object() {
        @Override
        public String toString() {
          return "PRESENT";
        }
      };

  /** Names without values. */
  public static final Nvlist EMPTY = new Nvlist(Map.of());

  private final Map<String, Object> values;

  private Nvlist(Map<String, Object> values) {
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** A list of these values. */
  public static Nvlist of(Map<String, ?> values) {
    return new Nvlist(new LinkedHashMap<>(values));
  }

  /** A list of names without values. */
  public static Nvlist ofNames(Iterable<String> names) {
    Map<String, Object> values = new LinkedHashMap<>();
    names.forEach(name -> values.put(name, PRESENT));
    return new Nvlist(values);
  }

  /** The values by name. */
  public Map<String, Object> values() {
    return values;
  }

  /** The list of this name. */
  public Optional<Nvlist> list(String name) {
    return value(name, Nvlist.class);
  }

  /** The text of this name. */
  public Optional<String> text(String name) {
    return value(name, String.class);
  }

  /** The whole number of this name, of 32 or 64 bits. */
  public Optional<Long> number(String name) {
    return value(name, Number.class).map(Number::longValue);
  }

  private <T> Optional<T> value(String name, Class<T> type) {
    return Optional.ofNullable(values.get(name)).filter(type::isInstance).map(type::cast);
  }

  @Override
  public boolean equals(Object o) {
    if (!(o instanceof Nvlist other) || !values.keySet().equals(other.values.keySet())) {
      return false;
    }
    return values.entrySet().stream()
        .allMatch(e -> Arrays.deepEquals(box(e.getValue()), box(other.values.get(e.getKey()))));
  }

  private static @Nullable Object[] box(@Nullable Object value) {
    return new @Nullable Object[] {value};
  }

  @Override
  public int hashCode() {
    return values.entrySet().stream()
        .mapToInt(e -> e.getKey().hashCode() ^ Arrays.deepHashCode(box(e.getValue())))
        .sum();
  }

  @Override
  public String toString() {
    List<String> parts =
        values.entrySet().stream()
            .map(e -> e.getKey() + "=" + Arrays.deepToString(box(e.getValue())))
            .toList();
    return "{" + String.join(", ", parts) + "}";
  }
}
