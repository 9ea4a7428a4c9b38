package io.cairn.storage.platform;

import java.util.Comparator;
import java.util.ServiceLoader;

/** Chooses the {@link PlatformFiles} of this process. */
public final class PlatformFilesLookup {
  private PlatformFilesLookup() {}

  /** Chosen at the first call, so that nothing native is loaded before it is needed. */
  private static final class Holder {
    static final PlatformFiles BEST = choose();
  }

  /** The best provider that works on this machine; the same one for the life of the process. */
  public static PlatformFiles best() {
    return Holder.BEST;
  }

  /** The provider that needs nothing but the JDK. */
  public static PlatformFiles pureJava() {
    return JavaPlatformFiles.INSTANCE;
  }

  private static PlatformFiles choose() {
    return ServiceLoader.load(PlatformFiles.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(PlatformFiles::available)
        .max(Comparator.comparingInt(PlatformFiles::priority))
        .filter(found -> found.priority() > JavaPlatformFiles.INSTANCE.priority())
        .orElse(JavaPlatformFiles.INSTANCE);
  }
}
