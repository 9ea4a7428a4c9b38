package io.cairn.checkpoint.memory;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.Finding;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFileSystem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The memory images of one guest, in one directory. Writing needs the guest's lock; reading needs
 * nothing, but an image that is deleted meanwhile cannot be read on. All methods block.
 */
public final class MemoryImages {
  static final String TEMPORARY = ".tmp";

  /**
   * A pack of which this share is dead is replaced. To free less, more would have to be copied than
   * is gained.
   */
  private static final double REPLACED_SHARE = 0.125;

  private final BlockFileSystem files;
  private final Path directory;
  private final Random random;

  private MemoryImages(BlockFileSystem files, Path directory, Random random) {
    this.files = files;
    this.directory = directory;
    this.random = random;
  }

  /**
   * The images in a directory.
   *
   * @param files the file system
   * @param directory an existing directory that holds nothing else
   * @param random draws the names of packs
   */
  public static MemoryImages in(BlockFileSystem files, Path directory, Random random) {
    return new MemoryImages(files, directory, random);
  }

  /** The checkpoints that have an image. */
  public List<CheckpointId> list() throws IOException {
    List<CheckpointId> ids = new ArrayList<>();
    for (Path file : files.list(directory)) {
      String name = file.getFileName().toString();
      if (ImageMap.isFile(name)) {
        ids.add(new CheckpointId(name.substring(0, name.length() - ImageMap.SUFFIX.length())));
      }
    }
    return ids;
  }

  /** Whether a checkpoint has an image. */
  public boolean exists(CheckpointId id) throws IOException {
    return files.exists(directory.resolve(ImageMap.fileName(id)));
  }

  /**
   * Begins to store an image.
   *
   * @param id the checkpoint it belongs to, which has no image yet
   * @param parent the checkpoint with whose image pages are shared; one that has none or a damaged
   *     one costs space and does no other harm
   * @param pageSizeBytes the bytes in a page
   * @param blocks the memory, at most 1 TiB at 4 KiB a page
   * @param threads how many threads compress
   * @throws StorageException UNSUPPORTED if an image cannot hold such memory
   */
  public MemoryImageWriter begin(
      CheckpointId id,
      Optional<CheckpointId> parent,
      int pageSizeBytes,
      List<MemoryBlock> blocks,
      int threads)
      throws IOException {
    checkArgument(threads > 0, "%s threads", threads);
    if (exists(id)) {
      throw new StorageException(
          ErrorCode.FAILED, "checkpoint " + id.hex() + " has a memory image already", "");
    }
    PageLayout layout = PageLayout.of(pageSizeBytes, blocks);
    return new MemoryImageWriter(files, directory, id, layout, parentMap(parent), random, threads);
  }

  private @Nullable ImageMap parentMap(Optional<CheckpointId> parent) {
    if (parent.isEmpty()) {
      return null;
    }
    try {
      return MapFile.read(files, directory, parent.get());
    } catch (IOException e) {
      return null;
    }
  }

  /**
   * Opens an image.
   *
   * @throws StorageException NOT_FOUND if there is none, CORRUPT if its map is damaged
   */
  public MemoryImage open(CheckpointId id) throws IOException {
    return new MemoryImage(files, directory, MapFile.read(files, directory, id));
  }

  /**
   * Removes images and frees what only they used, except in packs of which an eighth at most is
   * dead: there, only whole dead frames become holes. Images that do not exist are passed over.
   *
   * @return the bytes that became free
   * @throws StorageException CORRUPT if a map that stays is damaged: the images are removed then,
   *     but nothing is freed, as it may be in use
   */
  @CanIgnoreReturnValue
  public long delete(Collection<CheckpointId> ids) throws IOException {
    Set<PackId> candidates = new HashSet<>();
    long freed = 0;
    boolean damaged = false;
    for (CheckpointId id : ids) {
      Path path = directory.resolve(ImageMap.fileName(id));
      if (files.exists(path)) {
        try {
          candidates.addAll(MapFile.read(files, directory, id).packs().ids());
        } catch (StorageException e) {
          damaged = true;
        }
        freed += files.facts(path).allocatedBytes();
        files.delete(path);
      }
    }
    // Before anything is freed, or a power loss could leave a map of packs that are gone.
    files.syncDirectory(directory);
    if (damaged) {
      candidates.addAll(packsThere());
    }
    return freed + new Collector(files, directory, REPLACED_SHARE).collect(candidates, maps());
  }

  /**
   * Removes what an interrupted {@link MemoryImageWriter} or {@link #delete} left, and frees what
   * is dead to the last page.
   *
   * @return the bytes that became free
   */
  @CanIgnoreReturnValue
  public long collect() throws IOException {
    long freed = 0;
    for (Path file : files.list(directory)) {
      if (file.getFileName().toString().endsWith(TEMPORARY)) {
        freed += files.facts(file).allocatedBytes();
        files.delete(file);
      }
    }
    // A map whose removal is not durable yet counts as removed, so it must not come back.
    files.syncDirectory(directory);
    return freed + new Collector(files, directory, 0).collect(packsThere(), maps());
  }

  private Set<PackId> packsThere() throws IOException {
    Set<PackId> packs = new HashSet<>();
    for (Path file : files.list(directory)) {
      String name = file.getFileName().toString();
      if (PackId.isFile(name)) {
        packs.add(PackId.ofFile(name));
      }
    }
    return packs;
  }

  private List<ImageMap> maps() throws IOException {
    List<ImageMap> maps = new ArrayList<>();
    for (CheckpointId id : list()) {
      maps.add(MapFile.read(files, directory, id));
    }
    return maps;
  }

  /**
   * Reads everything that an image needs and compares it with its digests; empty if all is well.
   */
  public List<Finding> verify(CheckpointId id) throws IOException {
    return new ImageVerifier(files, directory).verify(id);
  }

  /**
   * The space of an image.
   *
   * @param ownBytes what deleting it would free, as far as that is known beforehand
   * @param sharedBytes what it uses together with other images
   */
  public record Usage(long ownBytes, long sharedBytes) {}

  /** The space that an image takes. Reads the maps of all images. */
  public Usage usage(CheckpointId id) throws IOException {
    ImageMap image = MapFile.read(files, directory, id);
    List<ImageMap> others = new ArrayList<>();
    for (CheckpointId other : list()) {
      if (!other.equals(id)) {
        others.add(MapFile.read(files, directory, other));
      }
    }
    double own = files.facts(directory.resolve(ImageMap.fileName(id))).sizeBytes();
    double shared = 0;
    try (Packs packs = new Packs(files, directory);
        PageReader reader = new PageReader(packs, image.packs(), image.layout().pageSizeBytes())) {
      Liveness elsewhere = Liveness.of(others, packs);
      PageMap pages = image.pages();
      for (int page = pages.nextStored(0);
          page < pages.pages();
          page = pages.nextStored(page + 1)) {
        PackReader pack = reader.packOf(pages.get(page));
        int ordinal = PageMap.ordinal(pages.get(page));
        int frame = pack.index().frameOf(ordinal);
        double bytes = (double) pack.index().storedBytes(frame) / pack.index().pagesOf(frame);
        if (elsewhere.of(pack.id()).get(ordinal)) {
          shared += bytes;
        } else {
          own += bytes;
        }
      }
    }
    return new Usage((long) own, (long) shared);
  }
}
