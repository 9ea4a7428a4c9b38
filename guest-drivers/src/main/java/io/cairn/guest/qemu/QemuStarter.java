package io.cairn.guest.qemu;

import io.cairn.checkpoint.guest.GuestStarter;
import io.cairn.checkpoint.guest.LiveGuest;
import io.cairn.checkpoint.guest.StartRequest;
import io.cairn.checkpoint.memory.MemoryImage;
import io.cairn.guest.qemu.stream.MigrationStreams;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts guests by the command lines that were recorded with their memory.
 *
 * <p>Memory is mapped from a flat file where the command line says no more of it than its size:
 * then only the devices are loaded, in a time that does not depend on the size. Elsewhere QEMU
 * reads all of it.
 */
final class QemuStarter implements GuestStarter {
  private static final Logger LOG = LoggerFactory.getLogger(QemuStarter.class);
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String LOG_FILE = "qemu.log";

  private final BlockFileSystem files;

  QemuStarter(BlockFileSystem files) {
    this.files = files;
  }

  @Override
  public LiveGuest start(StartRequest request) throws IOException {
    QemuOptions options = QemuOptions.of(request.guest().driverOptions());
    SavedMachine saved = SavedMachine.of(request.machine());
    Optional<QemuGuest> same = inPlace(request, options);
    if (same.isPresent()) {
      return new QemuLiveGuest(request.guest(), options, same.get(), files);
    }
    Path log = request.directory().resolve(LOG_FILE);
    GuestLaunch launch = new GuestLaunch(options.socket(), log, request.hook(), PATIENCE);
    QemuGuest started =
        request.image().isPresent()
            ? load(launch, saved, request.image().get(), request.directory())
            : launch.start(
                saved.process(), saved.process().commandLine().paused(), Optional.empty());
    return new QemuLiveGuest(request.guest(), options, started, files);
  }

  /** The process that was kept for this memory, with the memory loaded; empty if there is none. */
  private Optional<QemuGuest> inPlace(StartRequest request, QemuOptions options)
      throws IOException {
    Optional<KeptProcess> kept = KeptProcess.take(options.socket());
    if (kept.isEmpty()) {
      return Optional.empty();
    }
    try {
      if (kept.get().isFor(request)) {
        return Optional.of(kept.get().load());
      }
    } catch (IOException e) {
      LOG.warn("a new process is started, as the present one refuses: {}", e.getMessage());
    } finally {
      InPlaceRestore.forget(files, request.directory());
    }
    kept.get().end();
    return Optional.empty();
  }

  /** Writes the flat file, or reads all of the memory where there will be none. */
  @Override
  public void prepare(StartRequest request) throws IOException {
    if (request.image().isEmpty()) {
      return;
    }
    MemoryImage image = request.image().get();
    OptionalInt ram = mappable(SavedMachine.of(request.machine()), image, request.directory());
    if (ram.isPresent()) {
      Path flat = new FlatMemory(files, request.directory()).of(image, ram.getAsInt());
      LOG.debug("the memory is ready in {}", flat);
    } else {
      image.readPages(OptionalInt.empty(), 1, (block, page, from, offset, count) -> {});
    }
  }

  private QemuGuest load(GuestLaunch launch, SavedMachine saved, MemoryImage image, Path directory)
      throws IOException {
    CommandLine incoming = saved.process().commandLine().incoming();
    OptionalInt ram = mappable(saved, image, directory);
    Set<String> capabilities = Set.of();
    if (ram.isPresent()) {
      Path flat = new FlatMemory(files, directory).of(image, ram.getAsInt());
      incoming = incoming.mapping(flat, image.blocks().get(ram.getAsInt()).sizeBytes());
      capabilities = Set.of("x-ignore-shared");
    }
    QemuGuest guest = launch.start(saved.process(), incoming, Optional.of(saved.facts()));
    launch.load(
        guest,
        ram.isPresent()
            ? out -> MigrationStreams.writeWithout(image, Set.of(CommandLine.RAM), out)
            : out -> MigrationStreams.write(image, out),
        capabilities);
    return guest;
  }

  /** The block that can be mapped, if it is all of the memory and there is room for its file. */
  private OptionalInt mappable(SavedMachine saved, MemoryImage image, Path directory)
      throws IOException {
    OptionalInt ram = image.block(CommandLine.RAM);
    if (ram.isEmpty() || !saved.process().commandLine().plainMemory()) {
      return OptionalInt.empty();
    }
    long size = image.blocks().get(ram.getAsInt()).sizeBytes();
    boolean all = Long.toString(size).equals(saved.facts().facts().get("memory"));
    return all && files.usableBytes(directory) > size ? ram : OptionalInt.empty();
  }
}
