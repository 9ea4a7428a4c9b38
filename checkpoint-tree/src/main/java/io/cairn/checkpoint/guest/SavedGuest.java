package io.cairn.checkpoint.guest;

import io.cairn.checkpoint.memory.SavedMemory;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A saved guest.
 *
 * @param memory what was stored, with the digest that proves it
 * @param machine what the guest's machine consists of, as {@link LiveGuest#machine()} said
 * @param pause for how long it did not run
 */
public record SavedGuest(SavedMemory memory, SortedMap<String, String> machine, GuestPause pause) {
  /** Copies the machine. */
  public SavedGuest {
    machine = Collections.unmodifiableSortedMap(new TreeMap<>(machine));
  }
}
