package io.cairn.guest.qemu;

import com.google.gson.JsonObject;
import io.cairn.guest.qemu.qmp.QmpJson;
import java.util.ArrayList;
import java.util.List;

/**
 * A block device of a running guest and the image at its top.
 *
 * @param device the name by which commands find it: its path in QEMU's object tree, or its name
 * @param node the node at its top; another one after each snapshot by an overlay
 * @param file the image as QEMU was told it; not a plain path for images that are no local files
 * @param format such as {@code qcow2}
 * @param readOnly whether the guest cannot write to it
 * @param sizeBytes what the guest sees
 */
public record QemuDisk(
    String device, String node, String file, String format, boolean readOnly, long sizeBytes) {
  /** The devices that have a medium, from the answer to {@code query-block}. */
  static List<QemuDisk> of(List<JsonObject> blocks) {
    List<QemuDisk> disks = new ArrayList<>();
    for (JsonObject block : blocks) {
      JsonObject inserted = QmpJson.object(block, "inserted");
      if (inserted.size() == 0) {
        continue;
      }
      String qdev = QmpJson.text(block, "qdev");
      disks.add(
          new QemuDisk(
              qdev.isEmpty() ? QmpJson.text(block, "device") : qdev,
              QmpJson.text(inserted, "node-name"),
              QmpJson.text(inserted, "file"),
              QmpJson.text(inserted, "drv"),
              QmpJson.truth(inserted, "ro"),
              QmpJson.number(QmpJson.object(inserted, "image"), "virtual-size", 0)));
    }
    return disks;
  }
}
