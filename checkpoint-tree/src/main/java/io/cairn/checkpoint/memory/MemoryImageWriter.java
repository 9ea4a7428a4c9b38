package io.cairn.checkpoint.memory;

import static com.google.common.base.Preconditions.checkElementIndex;
import static com.google.common.base.Preconditions.checkState;

import com.google.common.util.concurrent.MoreExecutors;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.BlockFileSystem.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Stores one image. Pages come in any order, from one thread; of a page that comes twice the last
 * one counts, and a page that never comes is zero. Other threads find out what is to be stored and
 * compress it. Takes two MiB for each of them and eight more, and eight bytes for each page that is
 * not zero.
 *
 * <p><b>Order.</b> Packs and their names are on stable storage before the map gets its name, and
 * the image exists from the moment at which it has it. A crash before leaves files that no map
 * names, which {@link MemoryImages#collect()} removes.
 */
public final class MemoryImageWriter implements Closeable {
  /** How much of a flat file is read at once. */
  private static final int FLAT_BYTES = 1 << 17;

  /** How many batches may wait, so that nobody is idle while one of them takes longer. */
  private static final int BATCHES_AHEAD = 4;

  private final BlockFileSystem files;
  private final Path directory;
  private final CheckpointId id;
  private final PageLayout layout;
  private final Random random;
  private final PackTable table;
  private final PageMap pages;

  /** Pages that came with data; the others are zero, and need no entry to become so. */
  private final BitSet touched = new BitSet();

  private final Packs packs;
  private final ExecutorService workers;

  /** Waits for the disk, so that the workers need not. */
  private final ExecutorService syncer;

  private final ConcurrentLinkedQueue<BatchEncoder> encoders = new ConcurrentLinkedQueue<>();
  private final List<BatchEncoder> allEncoders = new ArrayList<>();
  private final int inFlightMax;
  private final Deque<Future<EncodedBatch>> inFlight = new ArrayDeque<>();
  private final List<Future<PackWriter>> synced = new ArrayList<>();
  private final List<Path> written = new ArrayList<>();
  private final List<MemoryPart> parts = new ArrayList<>();
  private Batch batch;
  private @Nullable PackWriter pack;
  private boolean committed;
  private long sharedPages;
  private long differencePages;
  private long storedBytes;
  private final @Nullable PageWriteEvent event = PageWriteEvent.begun();

  MemoryImageWriter(
      BlockFileSystem files,
      Path directory,
      CheckpointId id,
      PageLayout layout,
      @Nullable ImageMap parent,
      Random random,
      int threads) {
    this.files = files;
    this.directory = directory;
    this.id = id;
    this.layout = layout;
    this.random = random;
    boolean shares = parent != null && parent.layout().pageSizeBytes() == layout.pageSizeBytes();
    this.table = shares && parent != null ? new PackTable(parent.packs()) : new PackTable();
    this.pages = new PageMap(layout.pages());
    this.packs = new Packs(files, directory);
    this.batch = new Batch(layout.pageSizeBytes());
    this.inFlightMax = threads + BATCHES_AHEAD;
    this.workers = Executors.newFixedThreadPool(threads, daemons("cairn-memory-%d"));
    this.syncer = Executors.newSingleThreadExecutor(daemons("cairn-memory-sync-%d"));
    for (int i = 0; i < threads; i++) {
      BatchEncoder encoder =
          shares && parent != null
              ? new BatchEncoder(
                  layout.pageSizeBytes(),
                  new ParentPages(parent, layout),
                  new PageReader(packs, parent.packs(), layout.pageSizeBytes()))
              : new BatchEncoder(layout.pageSizeBytes(), null, null);
      encoders.add(encoder);
      allEncoders.add(encoder);
    }
  }

  private static ThreadFactory daemons(String name) {
    return new ThreadFactoryBuilder().setDaemon(true).setNameFormat(name).build();
  }

  /** The blocks, in their order. */
  public List<MemoryBlock> blocks() {
    return layout.blocks();
  }

  /** The bytes in a page. */
  public int pageSizeBytes() {
    return layout.pageSizeBytes();
  }

  /**
   * Stores pages of a block, which are copied. May wait for earlier ones to be written.
   *
   * @param block the number of the block
   * @param firstPage the number of the first page in it
   * @param from holds the pages in a row
   * @param offset where they begin
   * @param count how many there are
   */
  public void pages(int block, int firstPage, byte[] from, int offset, int count)
      throws IOException {
    int page = page(block, firstPage, count);
    touched.set(page, page + count);
    for (int i = 0; i < count; i++) {
      batch.add(page + i, from, offset + i * layout.pageSizeBytes());
      submitIfFull();
    }
  }

  /** Says that pages hold only zeros, whatever came of them before. */
  public void zeroPages(int block, int firstPage, int count) throws IOException {
    int page = page(block, firstPage, count);
    int end = page + count;
    for (int i = touched.nextSetBit(page); i >= 0 && i < end; i = touched.nextSetBit(i + 1)) {
      batch.addZero(i);
      submitIfFull();
    }
  }

  /**
   * Stores a whole block from a file that holds its pages in a row, as bhyve writes them and as
   * {@link MemoryImage#writeFlat} does.
   *
   * @param block the number of the block
   * @param file the file
   * @param offset where the block begins in it, in bytes
   * @throws io.cairn.storage.StorageException CORRUPT if the file ends before the block does
   */
  public void flat(int block, BlockFile file, long offset) throws IOException {
    int size = layout.pageSizeBytes();
    int pagesAtOnce = Math.max(1, FLAT_BYTES / size);
    int all = layout.pagesOf(checkElementIndex(block, layout.blocks().size(), "block"));
    ByteBuffer bytes = ByteBuffer.allocateDirect(pagesAtOnce * size);
    for (int first = 0; first < all; first += pagesAtOnce) {
      int count = Math.min(pagesAtOnce, all - first);
      Checks.read(file, offset + (long) first * size, bytes.clear().limit(count * size));
      flat(block, first, bytes, count);
    }
  }

  /** Stores pages in a row; what is zero is neither copied nor given to another thread. */
  private void flat(int block, int first, ByteBuffer bytes, int count) throws IOException {
    int size = layout.pageSizeBytes();
    for (int from = 0; from < count; ) {
      boolean zero = PackFormat.isZero(bytes, from * size, size);
      int end = from + 1;
      while (end < count && PackFormat.isZero(bytes, end * size, size) == zero) {
        end++;
      }
      if (zero) {
        zeroPages(block, first + from, end - from);
      } else {
        int page = page(block, first + from, end - from);
        touched.set(page, page + end - from);
        for (int i = from; i < end; i++) {
          batch.add(page + i - from, bytes, i * size);
          submitIfFull();
        }
      }
      from = end;
    }
  }

  /** Adds a part. */
  public void part(MemoryPart part) {
    parts.add(part);
  }

  private int page(int block, int firstPage, int count) {
    checkElementIndex(block, layout.blocks().size(), "block");
    int last = checkElementIndex(firstPage + count - 1, layout.pagesOf(block), "page");
    return layout.firstPage(block) + last + 1 - count;
  }

  // Batches, in the order of their pages

  private void submitIfFull() throws IOException {
    if (batch.isFull()) {
      submit();
    }
  }

  private void submit() throws IOException {
    Batch full = batch;
    inFlight.add(workers.submit((Callable<EncodedBatch>) () -> encode(full)));
    batch =
        inFlight.size() < inFlightMax
            ? new Batch(layout.pageSizeBytes())
            : store(done(inFlight.remove()));
  }

  private EncodedBatch encode(Batch full) throws IOException {
    BatchEncoder encoder = encoders.remove();
    try {
      return encoder.encode(full);
    } finally {
      encoders.add(encoder);
    }
  }

  /** Writes what is new of a batch and notes where every page is. Returns the batch, empty. */
  @CanIgnoreReturnValue
  private Batch store(EncodedBatch encoded) throws IOException {
    long[] firstPlaces = new long[encoded.frames().size()];
    for (int i = 0; i < firstPlaces.length; i++) {
      firstPlaces[i] = store(encoded.frames().get(i));
    }
    Batch stored = encoded.batch();
    for (int i = 0; i < stored.entries(); i++) {
      long place = encoded.places()[i];
      if (place == EncodedBatch.NEW) {
        int slot = encoded.slots()[i];
        place = firstPlaces[slot >>> 8] + (slot & 0xff);
      } else if (place != PageMap.ZERO) {
        sharedPages++;
      }
      pages.set(stored.pages[i], place);
    }
    stored.clear();
    return stored;
  }

  /** Writes a frame; returns the place of its first page. */
  private long store(EncodedFrame frame) throws IOException {
    PackWriter to = pack;
    if (to != null && to.pages() + frame.pages() > PackFormat.PAGES_MAX) {
      finishPack(to);
      to = null;
    }
    if (to == null) {
      to = newPack();
      pack = to;
    }
    int[] bases = new int[frame.bases().length];
    for (int i = 0; i < bases.length; i++) {
      long base = frame.bases()[i];
      bases[i] = to.index().basePack(table.id(PageMap.pack(base))) << 16 | PageMap.ordinal(base);
    }
    differencePages += bases.length;
    long place = PageMap.place(table.add(to.id()), to.pages());
    to.add(frame, bases);
    return place;
  }

  private PackWriter newPack() throws IOException {
    if (table.size() >= PageMap.PACKS_MAX) {
      throw new IOException("an image is in more than " + PageMap.PACKS_MAX + " packs");
    }
    PackId packId = PackId.random(random);
    Path path = directory.resolve(packId.fileName());
    PackWriter created = PackWriter.create(files, path, packId, layout.pageSizeBytes(), syncer);
    written.add(path);
    return created;
  }

  /** Ends a pack; others wait for the disk. */
  private void finishPack(PackWriter finished) throws IOException {
    finished.finish();
    pack = null;
    storedBytes += finished.bytes();
    synced.add(
        syncer.submit(
            () -> {
              try (finished) {
                finished.sync();
              }
              return finished;
            }));
  }

  private static <T> T done(Future<T> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while memory was stored");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  // The end

  /**
   * Stores the rest and makes the image exist.
   *
   * @return what was stored, with the digest that proves it
   */
  public SavedMemory commit() throws IOException {
    checkState(!committed, "committed twice");
    if (batch.entries() > 0) {
      submit();
    }
    while (!inFlight.isEmpty()) {
      store(done(inFlight.remove()));
    }
    PackWriter open = pack;
    if (open != null) {
      finishPack(open);
    }
    for (Future<PackWriter> each : synced) {
      done(each);
    }
    String digest;
    try (PageReader reader = new PageReader(packs, table, layout.pageSizeBytes())) {
      // Before the map has its name, or a power loss could leave a map of packs that are not there.
      files.syncDirectory(directory);
      digest = ImageDigest.of(layout, pages, parts, reader);
      ImageMap used = UsedPacks.only(new ImageMap(id, layout, table, pages, parts, digest), reader);
      byte[] map = MapFile.encode(used);
      writeMap(map);
      storedBytes += map.length;
    }
    committed = true;
    long zeroPages = 0;
    for (int page = 0; page < pages.pages(); page++) {
      zeroPages += pages.get(page) == PageMap.ZERO ? 1 : 0;
    }
    SavedMemory saved =
        new SavedMemory(
            digest, pages.pages(), zeroPages, sharedPages, differencePages, storedBytes);
    PageWriteEvent.commit(event, id, saved, layout.pageSizeBytes());
    return saved;
  }

  private void writeMap(byte[] bytes) throws IOException {
    Path path = directory.resolve(ImageMap.fileName(id));
    Path temporary = directory.resolve(ImageMap.fileName(id) + MemoryImages.TEMPORARY);
    files.delete(temporary);
    written.add(temporary);
    try (BlockFile file = files.open(temporary, OpenMode.CREATE_NEW)) {
      file.write(0, ByteBuffer.wrap(bytes));
      file.sync();
    }
    files.rename(temporary, path);
    written.clear();
    written.add(path);
    files.syncDirectory(directory);
    written.clear();
  }

  /** Releases everything; without {@link #commit} what was written is removed. */
  @Override
  public void close() throws IOException {
    workers.shutdownNow();
    syncer.shutdownNow();
    // What they use is freed below.
    MoreExecutors.shutdownAndAwaitTermination(workers, 1, TimeUnit.HOURS);
    MoreExecutors.shutdownAndAwaitTermination(syncer, 1, TimeUnit.HOURS);
    IOException failure = null;
    List<Closeable> open = new ArrayList<>(allEncoders);
    open.add(packs);
    if (pack != null) {
      open.add(pack);
    }
    for (Closeable each : open) {
      try {
        each.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (!committed) {
      for (Path path : written) {
        files.delete(path);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
