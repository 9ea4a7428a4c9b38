package io.cairn.guest.qemu;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
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
 * @param cacheDirect whether the host's page cache is gone around
 * @param cacheNoFlush whether flushes are ignored
 * @param detectZeroes what is done with writes of zeros
 */
public record QemuDisk(
    String device,
    String node,
    String file,
    String format,
    boolean readOnly,
    long sizeBytes,
    boolean cacheDirect,
    boolean cacheNoFlush,
    String detectZeroes) {
  /** The same device with its file under another name. */
  QemuDisk at(String otherFile) {
    return new QemuDisk(
        device,
        node,
        otherFile,
        format,
        readOnly,
        sizeBytes,
        cacheDirect,
        cacheNoFlush,
        detectZeroes);
  }

  private static final String DESCRIBED = "json:";

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
              plainFile(QmpJson.text(inserted, "file")),
              QmpJson.text(inserted, "drv"),
              QmpJson.truth(inserted, "ro"),
              QmpJson.number(QmpJson.object(inserted, "image"), "virtual-size", 0),
              QmpJson.truth(QmpJson.object(inserted, "cache"), "direct"),
              QmpJson.truth(QmpJson.object(inserted, "cache"), "no-flush"),
              QmpJson.text(inserted, "detect_zeroes")));
    }
    return disks;
  }

  /**
   * The file's name, where QEMU describes the image by all of its options, as it does once an
   * overlay was put on it.
   */
  private static String plainFile(String file) {
    if (!file.startsWith(DESCRIBED)) {
      return file;
    }
    JsonObject options;
    try {
      options = JsonParser.parseString(file.substring(DESCRIBED.length())).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      return file;
    }
    String nested = QmpJson.text(QmpJson.object(options, "file"), "filename");
    if (!nested.isEmpty()) {
      return nested;
    }
    String flat = QmpJson.text(options, "file.filename");
    return flat.isEmpty() ? QmpJson.text(options, "filename") : flat;
  }
}
