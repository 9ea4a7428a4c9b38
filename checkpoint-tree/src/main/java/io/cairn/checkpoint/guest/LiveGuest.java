package io.cairn.checkpoint.guest;

import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.LiveSnapshotMode;
import io.cairn.storage.StorageException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/**
 * A guest whose hypervisor was reached. Reaching it changed nothing, and closing leaves it as it
 * is. Not safe for use by threads. Every method blocks, and fails with a {@link
 * io.cairn.storage.StorageException} that says what can be done.
 */
public interface LiveGuest extends AutoCloseable {
  /** Whether it runs, rather than being paused. */
  boolean running() throws IOException;

  /**
   * What its machine consists of, in words that a later {@link GuestStarter#start} compares: a
   * memory that is loaded into another machine is lost. Keys that begin with {@code launch.} hold
   * what else starting it again needs, such as a command line.
   */
  SortedMap<String, String> machine() throws IOException;

  /** How a disk can be snapshotted while this guest has it open. */
  Set<LiveSnapshotMode> snapshotModes(DiskRef disk) throws IOException;

  /**
   * Why a guest whose memory were saved now could not be continued from it later; empty if it
   * could.
   */
  List<Blocker> blockers() throws IOException;

  /**
   * What a save would cost.
   *
   * @param method how, in a word of the driver's; empty for what it would choose
   * @throws io.cairn.storage.StorageException USAGE if there is no such method, naming those there
   *     are; UNSUPPORTED if this hypervisor cannot save like that
   */
  SaveEstimate estimate(Optional<String> method) throws IOException;

  /**
   * Saves the memory and has the disks snapshotted at the same instant. When this returns the image
   * exists and is durable.
   *
   * <p>On failure no image is left, and the guest runs again if it ran. Disks whose part of the
   * work was done stay snapshotted: the caller takes them back, with {@link #whilePaused}.
   */
  SavedGuest save(SaveRequest request) throws IOException;

  /**
   * Has work done on the disks in a pause, without the memory: for a checkpoint of the disks alone,
   * or to take snapshots back. The guest runs again afterwards if it ran, whatever the outcome.
   *
   * @param quiesce whether the system within the guest is asked to put its file systems in order
   *     first, and to go on afterwards
   * @throws io.cairn.storage.StorageException UNSUPPORTED if the guest cannot be asked to
   */
  GuestPause whilePaused(List<LiveDisk> disks, boolean quiesce, DiskWork work) throws IOException;

  /**
   * Deletes snapshots that this hypervisor took itself, of disks in mode DELEGATED; the guest runs
   * on if it runs. Those that are not there are passed over.
   *
   * @throws io.cairn.storage.StorageException UNSUPPORTED if it never takes any
   */
  default void dropSnapshots(List<LiveDisk> disks) throws IOException {
    throw new StorageException(
        ErrorCode.UNSUPPORTED, "this hypervisor takes no snapshots of its own", "");
  }

  /** Stops its processors and flushes its disks. Does nothing to a paused guest. */
  void pause() throws IOException;

  /** Lets it run. Does nothing to a running guest. */
  void resume() throws IOException;

  /**
   * Ends it, without asking the operating system within; its memory is lost. Does nothing to a
   * guest that is gone. When this returns its process has let go of its disks.
   */
  void end() throws IOException;

  /**
   * Whether the process of this guest can itself take on the memory of another guest to start, so
   * that {@link GuestStarter#prepare} need not make anything ready for a new one. Changes nothing.
   *
   * @param saved whether this guest is saved, with {@link SaveRequest.After#HOLD}, before that
   */
  default boolean canBecome(StartRequest next, boolean saved) throws IOException {
    return false;
  }

  /**
   * Ends it, like {@link #end()}, to be followed by a start of another guest in its place. A driver
   * may keep the process, without its disks, for {@link GuestStarter#start} to load that guest's
   * memory into. Until then it counts as gone: who looks for the guest finds none, and what is kept
   * is ended.
   *
   * @param next what will be started; its image has been proven
   * @throws io.cairn.storage.StorageException CORRUPT if the image is damaged; the guest is as it
   *     was
   */
  default void endBefore(StartRequest next) throws IOException {
    end();
  }

  /** Lets go of it; may be called again. */
  @Override
  void close() throws IOException;
}
