package io.cairn.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Path;
import java.util.Arrays;

/** Runs one command in this JVM and prints the most heap that was in use after a collection. */
public final class HeapChild {
  private HeapChild() {}

  /** Runs {@code STORE COMMAND...}. */
  public static void main(String[] arguments) {
    InProcess cairn = new InProcess(Path.of(arguments[0]));
    cairn.run(Arrays.copyOfRange(arguments, 1, arguments.length));
    long peak = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      if (pool.getType() == MemoryType.HEAP) {
        peak += pool.getPeakUsage().getUsed();
      }
    }
    System.out.println((peak >> 20) + " MiB");
  }
}
