package io.cairn.guest.bhyve.state;

import java.util.List;
import java.util.OptionalLong;

/**
 * What a {@code .meta} file says. Immutable.
 *
 * @param form the form of the files
 * @param machine the guest
 * @param kernel the kernel's structures in the order of the file
 * @param devices the devices in the order of the file
 */
public record SavedState(
    StateForm form, Machine machine, List<StateEntry> kernel, List<StateEntry> devices) {
  /** Copies the lists. */
  public SavedState {
    kernel = List.copyOf(kernel);
    devices = List.copyOf(devices);
  }

  /**
   * The guest.
   *
   * @param cpus the number of virtual CPUs
   * @param vmName the VM's name
   * @param memorySizeBytes the size of its memory, which is also that of the RAM file
   * @param memoryFlags 1: memory is in core dumps, 2: memory is wired; added up
   * @param version the version of the JSON form, if the file has one
   */
  public record Machine(
      int cpus, String vmName, long memorySizeBytes, long memoryFlags, OptionalLong version) {}
}
