package io.cairn.checkpoint;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.cairn.checkpoint.catalog.Processes;
import io.cairn.checkpoint.transaction.CrashPoints;
import io.cairn.storage.BackendRegistry;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.HostFileSystem;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * How a store is opened.
 *
 * @param create whether a store that does not exist is made
 * @param readOnly whether nothing is written, recovery included
 * @param backends the backends, asked for on first use; by default those on the class path
 * @param drivers the guest drivers, asked for on first use; by default those on the class path
 * @param clock what tells the time
 * @param random what ids are drawn from
 * @param lockWait how long to wait for another writer of the same guest
 * @param command what to write into locks and the audit log
 * @param notices told, in a sentence, of what was done unasked: a stale lock taken over, a
 *     transaction recovered
 * @param executor what operations run on; by default each has a new thread of its own
 * @param files where manifests and the audit log are written
 * @param processes what tells this process from others, and whether those still run
 * @param crashPoints told of every step boundary of a transaction; for tests of crashes
 */
public record StoreOptions(
    boolean create,
    boolean readOnly,
    Supplier<BackendRegistry> backends,
    Supplier<List<GuestDriver>> drivers,
    Clock clock,
    Random random,
    Duration lockWait,
    String command,
    Consumer<String> notices,
    Executor executor,
    BlockFileSystem files,
    Processes processes,
    CrashPoints crashPoints) {
  private static final Duration LOCK_WAIT = Duration.ofSeconds(10);

  /** Every option at its default: an existing store, open for writing. */
  public static StoreOptions defaults() {
    return builder().build();
  }

  /** Begins with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options. */
  public static final class Builder {
    private boolean create;
    private boolean readOnly;
    private Supplier<BackendRegistry> backends = BackendRegistry::discover;
    private Supplier<List<GuestDriver>> drivers = Builder::discoverDrivers;
    private Clock clock = Clock.systemUTC();
    private Random random = new SecureRandom();
    private Duration lockWait = LOCK_WAIT;
    private String command = "java";
    private Consumer<String> notices = notice -> {};
    private Executor executor = work -> new Thread(work, "cairn-operation").start();
    private BlockFileSystem files = HostFileSystem.instance();
    private Processes processes = Processes.ofThisMachine();
    private CrashPoints crashPoints = CrashPoints.NONE;

    private Builder() {}

    private static List<GuestDriver> discoverDrivers() {
      return ServiceLoader.load(GuestDriver.class).stream()
          .map(ServiceLoader.Provider::get)
          .toList();
    }

    /** Makes a store that does not exist. */
    @CanIgnoreReturnValue
    public Builder create(boolean value) {
      create = value;
      return this;
    }

    /** Writes nothing. */
    @CanIgnoreReturnValue
    public Builder readOnly(boolean value) {
      readOnly = value;
      return this;
    }

    /** Uses these backends. */
    @CanIgnoreReturnValue
    public Builder backends(BackendRegistry registry) {
      backends = () -> registry;
      return this;
    }

    /** Uses these guest drivers. */
    @CanIgnoreReturnValue
    public Builder drivers(List<GuestDriver> list) {
      List<GuestDriver> copy = List.copyOf(list);
      drivers = () -> copy;
      return this;
    }

    /** Uses this clock. */
    @CanIgnoreReturnValue
    public Builder clock(Clock value) {
      clock = value;
      return this;
    }

    /** Draws ids from this source. */
    @CanIgnoreReturnValue
    public Builder random(Random value) {
      random = value;
      return this;
    }

    /** Waits this long for another writer. */
    @CanIgnoreReturnValue
    public Builder lockWait(Duration value) {
      lockWait = value;
      return this;
    }

    /** Writes this into locks and the audit log. */
    @CanIgnoreReturnValue
    public Builder command(String value) {
      command = value;
      return this;
    }

    /** Tells this listener of what was done unasked. */
    @CanIgnoreReturnValue
    public Builder notices(Consumer<String> listener) {
      notices = listener;
      return this;
    }

    /** Runs operations on this executor. */
    @CanIgnoreReturnValue
    public Builder executor(Executor value) {
      executor = value;
      return this;
    }

    /** Writes manifests and the audit log there. */
    @CanIgnoreReturnValue
    public Builder files(BlockFileSystem value) {
      files = value;
      return this;
    }

    /** Tells processes apart by these means. */
    @CanIgnoreReturnValue
    public Builder processes(Processes value) {
      processes = value;
      return this;
    }

    /** Tells this listener of every step boundary. */
    @CanIgnoreReturnValue
    public Builder crashPoints(CrashPoints value) {
      crashPoints = value;
      return this;
    }

    /** The options. */
    public StoreOptions build() {
      return new StoreOptions(
          create,
          readOnly,
          backends,
          drivers,
          clock,
          random,
          lockWait,
          command,
          notices,
          executor,
          files,
          processes,
          crashPoints);
    }
  }
}
