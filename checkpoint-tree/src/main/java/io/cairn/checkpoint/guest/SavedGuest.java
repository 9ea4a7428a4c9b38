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
 * @param method how it was saved, in the driver's word
 * @param pause for how long it did not run; what comes after a save that holds it is not counted
 */
public record SavedGuest(
    SavedMemory memory, SortedMap<String, String> machine, String method, GuestPause pause) {
  /** Copies the machine. */
  public SavedGuest {
    machine = Collections.unmodifiableSortedMap(new TreeMap<>(machine));
  }
}
