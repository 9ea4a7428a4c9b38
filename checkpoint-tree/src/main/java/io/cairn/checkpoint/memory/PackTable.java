package io.cairn.checkpoint.memory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The packs that an image's places name, by number. */
final class PackTable {
  private final List<PackId> ids = new ArrayList<>();
  private final Map<PackId, Integer> numbers = new HashMap<>();

  PackTable() {}

  /** A copy, to which an image that shares pages adds its own packs. */
  PackTable(PackTable from) {
    from.ids.forEach(this::add);
  }

  /** The number of a pack, which is entered if it is new. */
  int add(PackId id) {
    Integer known = numbers.get(id);
    if (known != null) {
      return known;
    }
    ids.add(id);
    numbers.put(id, ids.size() - 1);
    return ids.size() - 1;
  }

  /** The number of a pack, or -1. */
  int number(PackId id) {
    return numbers.getOrDefault(id, -1);
  }

  PackId id(int number) {
    return ids.get(number);
  }

  int size() {
    return ids.size();
  }

  List<PackId> ids() {
    return List.copyOf(ids);
  }
}
