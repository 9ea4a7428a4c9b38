package io.cairn.qemu;

import io.cairn.guest.qemu.MachineFacts;
import io.cairn.guest.qemu.QemuProcess;
import io.cairn.storage.DiskSnapshot;
import java.nio.file.Path;
import java.util.List;

/**
 * A guest's state as the tests keep it.
 *
 * @param stream its memory
 * @param disks the snapshots of its disks
 * @param process the process it was saved from
 * @param machine what that consisted of
 * @param printed how much the guest had printed when it was paused
 */
record SavedState(
    Path stream,
    List<DiskSnapshot> disks,
    QemuProcess process,
    MachineFacts machine,
    long printed) {}
