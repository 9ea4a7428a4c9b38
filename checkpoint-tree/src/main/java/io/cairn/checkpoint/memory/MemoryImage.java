package io.cairn.checkpoint.memory;

import static com.google.common.base.Preconditions.checkElementIndex;

import com.google.common.util.concurrent.ThreadFactoryBuilder;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * A stored image, open for reading. What it reads is checked against the checksum of its frame.
 * Safe for use by threads; blocking.
 */
public final class MemoryImage implements Closeable {
  /** How many pages a thread takes at once: some MiB. */
  private static final int SLICE_PAGES = 1024;

  private final BlockFileSystem files;
  private final Path directory;
  private final ImageMap map;
  private final Packs packs;

  MemoryImage(BlockFileSystem files, Path directory, ImageMap map) {
    this.files = files;
    this.directory = directory;
    this.map = map;
    this.packs = new Packs(files, directory);
  }

  /** The checkpoint it belongs to. */
  public CheckpointId id() {
    return map.id();
  }

  /** The blocks, in the order in which they were stored. */
  public List<MemoryBlock> blocks() {
    return map.layout().blocks();
  }

  /** The number of the block with this name. */
  public OptionalInt block(String name) {
    return map.layout().blockNamed(name);
  }

  /** The bytes in a page. */
  public int pageSizeBytes() {
    return map.layout().pageSizeBytes();
  }

  /** The parts, in the order in which they were stored. */
  public List<MemoryPart> parts() {
    return map.parts();
  }

  /** The part with this name. */
  public Optional<MemoryPart> part(String name) {
    return map.parts().stream().filter(p -> p.name().equals(name)).findFirst();
  }

  /** What proves the content, as {@link SavedMemory#digest()} was. */
  public String digest() {
    return map.digest();
  }

  /**
   * Compares the recorded digest with that of what is stored, from the digests of pages in the
   * indexes of packs. {@link MemoryImages#verify} reads the pages too.
   *
   * @throws StorageException CORRUPT if it is another
   */
  public void proveDigest() throws IOException {
    try (PageReader reader = new PageReader(packs, map.packs(), pageSizeBytes())) {
      String found = ImageDigest.of(map.layout(), map.pages(), map.parts(), reader);
      if (!found.equals(map.digest())) {
        throw new StorageException(
            ErrorCode.CORRUPT,
            "the memory of checkpoint "
                + map.id().hex()
                + " has digest "
                + found
                + ", "
                + map.digest()
                + " was recorded",
            "restore another checkpoint");
      }
    }
  }

  /**
   * Opens another image of the same guest.
   *
   * @throws StorageException NOT_FOUND if there is none, CORRUPT if its map is damaged
   */
  public MemoryImage beside(CheckpointId id) throws IOException {
    return new MemoryImage(files, directory, MapFile.read(files, directory, id));
  }

  /**
   * The pages of a block that another image of the same guest holds with another content. Told from
   * where they are stored and from their digests; reads no page.
   *
   * @param block the number of the block, which the other image has with the same name and size
   */
  public BitSet differing(int block, MemoryImage other) throws IOException {
    checkElementIndex(block, blocks().size(), "block");
    try (PageReader here = new PageReader(packs, map.packs(), pageSizeBytes());
        PageReader there = new PageReader(other.packs, other.map.packs(), pageSizeBytes())) {
      return new PageComparison(map, here, other.map, there).differing(block);
    }
  }

  /** Reads one page. */
  public void read(int block, int page, ByteBuffer to) throws IOException {
    checkElementIndex(block, blocks().size(), "block");
    checkElementIndex(page, map.layout().pagesOf(block), "page");
    byte[] bytes = new byte[pageSizeBytes()];
    long place = map.pages().get(map.layout().firstPage(block) + page);
    if (place != PageMap.ZERO) {
      try (PageReader reader = new PageReader(packs, map.packs(), pageSizeBytes())) {
        reader.read(place, bytes, 0);
      }
    }
    to.put(bytes);
  }

  /**
   * Reads all pages that are not zero, each once, in the order in which they are stored.
   *
   * @param block the block to read, or all
   * @param threads how many threads read and call the sink
   * @param sink takes the pages; must be safe for use by threads if there is more than one
   */
  public void readPages(OptionalInt block, int threads, PageSink sink) throws IOException {
    readPages(block, threads, () -> sink, each -> {});
  }

  /** What is done with a sink when a slice of pages was given to it. */
  private interface SliceEnd<S extends PageSink> {
    void ended(S sink) throws IOException;
  }

  /** Reads pages with a sink for each thread. */
  private <S extends PageSink> void readPages(
      OptionalInt block, int threads, Supplier<S> sinks, SliceEnd<S> end) throws IOException {
    PageReadEvent event = PageReadEvent.begun();
    StoredPages pages = StoredPages.of(map, block);
    AtomicInteger next = new AtomicInteger();
    AtomicBoolean failed = new AtomicBoolean();
    Callable<Void> work =
        () -> {
          S sink = sinks.get();
          try (PageReader reader = new PageReader(packs, map.packs(), pageSizeBytes())) {
            for (int from = next.getAndAdd(SLICE_PAGES);
                from < pages.size() && !failed.get();
                from = next.getAndAdd(SLICE_PAGES)) {
              pages.read(reader, from, Math.min(pages.size(), from + SLICE_PAGES), sink);
              end.ended(sink);
            }
          } catch (IOException | RuntimeException e) {
            failed.set(true);
            throw e;
          }
          return null;
        };
    ExecutorService workers =
        Executors.newFixedThreadPool(
            threads,
            new ThreadFactoryBuilder().setDaemon(true).setNameFormat("cairn-restore-%d").build());
    try {
      List<Future<Void>> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        all.add(workers.submit(work));
      }
      await(all, failed);
      PageReadEvent.commit(event, id(), (long) pages.size() * pageSizeBytes(), threads);
    } finally {
      workers.shutdown();
    }
  }

  /**
   * Reads pages of one block that are not zero, each once, in the order in which they are stored.
   *
   * @param block the number of the block
   * @param wanted which pages of the block; others are not given, but may be read with them
   * @param sink takes the pages, from this thread
   */
  public void readPages(int block, BitSet wanted, PageSink sink) throws IOException {
    PageReadEvent event = PageReadEvent.begun();
    StoredPages pages = StoredPages.of(map, block, wanted);
    try (PageReader reader = new PageReader(packs, map.packs(), pageSizeBytes())) {
      pages.read(reader, 0, pages.size(), sink);
    }
    PageReadEvent.commit(event, id(), (long) pages.size() * pageSizeBytes(), 1);
  }

  private static void await(List<Future<Void>> all, AtomicBoolean failed) throws IOException {
    IOException failure = null;
    for (Future<Void> each : all) {
      try {
        each.get();
      } catch (InterruptedException e) {
        failed.set(true);
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while memory was read");
      } catch (ExecutionException e) {
        failure = e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Writes a block as a flat file: each page at its own offset, zero pages as holes. That is what a
   * hypervisor maps as memory. The file is not synced: it can be made again.
   *
   * @param block the number of the block
   * @param file an empty file, which gets the block's length
   * @param threads how many threads work on it
   */
  public void writeFlat(int block, BlockFile file, int threads) throws IOException {
    checkElementIndex(block, blocks().size(), "block");
    file.truncate(blocks().get(block).sizeBytes());
    readPages(
        OptionalInt.of(block),
        threads,
        () -> new FlatPages(file, pageSizeBytes()),
        FlatPages::write);
  }

  @Override
  public void close() throws IOException {
    packs.close();
  }
}
