package io.cairn.zfsvm;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * Loads the classes of the class path and ends, so that a JVM that was started with {@code
 * -XX:ArchiveClassesAtExit} keeps them ready for the lane: to find and verify them one by one takes
 * an emulated processor most of a minute.
 */
public final class LoadedClasses {
  /** What a test on a pool comes by; the rest would only make the archive larger. */
  private static final List<String> PACKAGES =
      List.of(
          "io/cairn/",
          "org/junit/",
          "org/opentest4j/",
          "org/sqlite/",
          "jnr/",
          "com/kenai/",
          "com/sun/jna/",
          "org/objectweb/asm/",
          "com/google/common/",
          "com/google/gson/");

  private LoadedClasses() {}

  /** The program. */
  public static void main(String[] arguments) throws IOException {
    int skipped = 0;
    for (String place : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (place.endsWith(".jar") && Files.exists(Path.of(place))) {
        try (JarFile jar = new JarFile(place)) {
          skipped += load(jar);
        }
      }
    }
    System.out.println(skipped + " classes need what is not here");
  }

  private static int load(JarFile jar) {
    int skipped = 0;
    for (Enumeration<JarEntry> all = jar.entries(); all.hasMoreElements(); ) {
      String name = all.nextElement().getName();
      if (name.endsWith(".class") && PACKAGES.stream().anyMatch(name::startsWith)) {
        try {
          Class.forName(
              name.substring(0, name.length() - ".class".length()).replace('/', '.'),
              false,
              LoadedClasses.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
          skipped++; // nobody will come by it
        }
      }
    }
    return skipped;
  }
}
