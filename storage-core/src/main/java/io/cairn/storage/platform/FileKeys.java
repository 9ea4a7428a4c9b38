package io.cairn.storage.platform;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Tells whether two names are the same file. */
public final class FileKeys {
  private FileKeys() {}

  /** A text that is the same for two names exactly if they are links to the same file. */
  public static String of(Path file) throws IOException {
    if (!hasInodes(file)) {
      return file.toRealPath().toString();
    }
    Map<String, Object> attributes = Files.readAttributes(file, "unix:dev,ino");
    return attributes.get("dev") + ":" + attributes.get("ino");
  }

  /** Whether the file system of this path has device and inode numbers and link counts. */
  public static boolean hasInodes(Path file) {
    return file.getFileSystem().supportedFileAttributeViews().contains("unix");
  }
}
