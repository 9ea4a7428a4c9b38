package io.cairn.guest.bhyve.nv;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * An ordered list of names and values. Immutable.
 *
 * @param ignoreCase whether names that differ in case only are the same
 * @param allowDuplicates whether a name may occur more than once
 * @param pairs the names and values in their order
 */
public record NvList(boolean ignoreCase, boolean allowDuplicates, List<Pair> pairs) {
  /**
   * A name and its value.
   *
   * @param name without a zero character; up to 2047 bytes in UTF-8
   */
  public record Pair(String name, NvValue value) {}

  /**
   * Copies the pairs.
   *
   * @throws IllegalArgumentException for a name that occurs twice though duplicates are not allowed
   */
  public NvList {
    pairs = List.copyOf(pairs);
    Set<String> names = new HashSet<>();
    for (Pair pair : pairs) {
      String key = ignoreCase ? pair.name().toLowerCase(Locale.ROOT) : pair.name();
      if (!names.add(key) && !allowDuplicates) {
        throw new IllegalArgumentException("the name '" + pair.name() + "' occurs twice");
      }
    }
  }

  /** A list in which every name occurs once, in which case matters. */
  public static NvList of(List<Pair> pairs) {
    return new NvList(false, false, pairs);
  }

  /** Builds {@link #of} pair by pair. */
  public static Builder builder() {
    return new Builder();
  }

  /** The first value of that name. */
  public Optional<NvValue> get(String name) {
    return pairs.stream()
        .filter(p -> ignoreCase ? p.name().equalsIgnoreCase(name) : p.name().equals(name))
        .map(Pair::value)
        .findFirst();
  }

  /** The first value of that name if it is a text. */
  public Optional<String> text(String name) {
    return get(name)
        .filter(NvValue.Text.class::isInstance)
        .map(value -> ((NvValue.Text) value).value());
  }

  /** Collects pairs in their order. */
  public static final class Builder {
    private final List<Pair> pairs = new ArrayList<>();

    private Builder() {}

    /** Adds a value. */
    public Builder put(String name, NvValue value) {
      pairs.add(new Pair(name, value));
      return this;
    }

    /** Adds a text. */
    public Builder text(String name, String value) {
      return put(name, new NvValue.Text(value));
    }

    /** Adds a truth value. */
    public Builder bool(String name, boolean value) {
      return put(name, new NvValue.Bool(value));
    }

    /** Adds the descriptor that is passed at this place. */
    public Builder descriptor(String name, int index) {
      return put(name, new NvValue.Descriptor(index));
    }

    /** The list. */
    public NvList build() {
      return of(pairs);
    }
  }
}
