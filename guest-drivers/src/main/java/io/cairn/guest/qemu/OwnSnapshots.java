package io.cairn.guest.qemu;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.cairn.checkpoint.guest.LiveDisk;
import io.cairn.guest.qemu.qmp.QmpCommand;
import io.cairn.guest.qemu.qmp.QmpJson;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Internal snapshots that QEMU takes and deletes itself in images that it has open.
 *
 * <p><b>Order.</b> QEMU takes those of all disks in one transaction, all or none, and answers when
 * they are stored. It is asked while the guest is paused and QEMU still has the images: before a
 * migration completes, after which it must not write to them. Whether it has one is told by QEMU's
 * own list, so that each of both can be asked for again after a crash.
 */
final class OwnSnapshots {
  private final QemuGuest guest;

  OwnSnapshots(QemuGuest guest) {
    this.guest = guest;
  }

  /**
   * Takes the snapshots. The guest is paused.
   *
   * @throws StorageException if QEMU does not take one; then it took none
   */
  void take(List<LiveDisk> disks) throws IOException {
    List<QemuDisk> present = guest.disks();
    JsonArray actions = new JsonArray();
    for (LiveDisk disk : disks) {
      JsonObject data = new JsonObject();
      data.addProperty("device", device(present, disk.disk()).node());
      data.addProperty("name", disk.name().orElseThrow());
      JsonObject action = new JsonObject();
      action.addProperty("type", "blockdev-snapshot-internal-sync");
      action.add("data", data);
      actions.add(action);
    }
    guest.execute(QmpCommand.of("transaction").with("actions", actions));
  }

  /** Deletes those snapshots that there are. */
  void drop(List<LiveDisk> disks) throws IOException {
    List<QmpCommand> commands = new ArrayList<>();
    List<QemuDisk> present = guest.disks();
    List<JsonObject> blocks = QmpJson.objects(guest.execute(QmpCommand.of("query-block")));
    for (LiveDisk disk : disks) {
      String node = device(present, disk.disk()).node();
      String name = disk.name().orElseThrow();
      if (has(blocks, node, name)) {
        commands.add(
            QmpCommand.of("blockdev-snapshot-delete-internal-sync")
                .with("device", node)
                .with("name", name));
      }
    }
    if (!commands.isEmpty()) {
      // QEMU writes to no image that it has let go of.
      guest.holdImages();
    }
    for (QmpCommand command : commands) {
      guest.execute(command);
    }
  }

  private static boolean has(List<JsonObject> blocks, String node, String name) {
    return blocks.stream()
        .map(block -> QmpJson.object(block, "inserted"))
        .filter(inserted -> QmpJson.text(inserted, "node-name").equals(node))
        .flatMap(
            inserted ->
                QmpJson.objects(QmpJson.object(inserted, "image").get("snapshots")).stream())
        .anyMatch(snapshot -> QmpJson.text(snapshot, "name").equals(name));
  }

  private QemuDisk device(List<QemuDisk> present, DiskRef disk) throws StorageException {
    return BlockGraph.find(present, guest.process(), disk)
        .orElseThrow(
            () ->
                new StorageException(
                    ErrorCode.FAILED,
                    "QEMU has no device for disk " + disk.id(),
                    "compare the guest's disks in Cairn with its command line"));
  }
}
