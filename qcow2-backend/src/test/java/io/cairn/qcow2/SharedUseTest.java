package io.cairn.qcow2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cairn.storage.io.BlockFile;
import io.cairn.storage.io.BlockFileSystem;
import io.cairn.storage.io.MemoryFileSystem;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What may run together does: a request that is stuck in the file keeps no other waiting. */
@Timeout(30)
class SharedUseTest {
  private static final Path IMAGE = Path.of("/images/disk.qcow2");
  private static final int CLUSTER = 4096;
  private static final int FLUSHES = 8;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** Called within each write and sync of the file. */
  private volatile Gate gate = call -> {};

  /** Something that may let a call wait. */
  private interface Gate {
    void pass(String call) throws InterruptedException;
  }

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  @Test
  void writesInPlace_inTwoClusters_meetInTheFile() throws Exception {
    try (Qcow2Image image = mapped()) {
      CountDownLatch both = new CountDownLatch(2);
      gate =
          call -> {
            both.countDown();
            assertTrue(both.await(20, TimeUnit.SECONDS), "the other write did not come");
          };
      together(() -> write(image, 0, (byte) 5), () -> write(image, 3 * CLUSTER + 100, (byte) 6));
      gate = call -> {};
      assertEquals(5, read(image, 0));
      assertEquals(6, read(image, 3 * CLUSTER + 100));
      assertEquals(1, read(image, 3 * CLUSTER));
    }
  }

  @Test
  void read_whileAWriteInPlaceIsStuck_returns() throws Exception {
    try (Qcow2Image image = mapped()) {
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch readDone = new CountDownLatch(1);
      gate =
          call -> {
            begun.countDown();
            assertTrue(readDone.await(20, TimeUnit.SECONDS), "the read had to wait");
          };
      together(
          () -> write(image, 0, (byte) 5),
          () -> {
            begun.await();
            byte seen = read(image, 2 * CLUSTER);
            readDone.countDown();
            return seen;
          });
    }
  }

  @Test
  void writes_toTwoNewClusters_meetInTheFile() throws Exception {
    try (Qcow2Image image = empty()) {
      write(image, 8 * CLUSTER, (byte) 1);
      CountDownLatch both = new CountDownLatch(2);
      gate =
          call -> {
            both.countDown();
            assertTrue(both.await(20, TimeUnit.SECONDS), "the other write did not come");
          };
      together(() -> write(image, 0, (byte) 5), () -> write(image, 3 * CLUSTER, (byte) 6));
      gate = call -> {};
      assertEquals(5, read(image, 0));
      assertEquals(6, read(image, 3 * CLUSTER));
    }
  }

  @Test
  void read_whileAWriteToANewClusterIsStuck_returns() throws Exception {
    try (Qcow2Image image = empty()) {
      write(image, 8 * CLUSTER, (byte) 1);
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch readDone = new CountDownLatch(1);
      gate =
          call -> {
            begun.countDown();
            assertTrue(readDone.await(20, TimeUnit.SECONDS), "the read had to wait");
          };
      together(
          () -> write(image, 0, (byte) 5),
          () -> {
            begun.await();
            assertEquals(1, read(image, 8 * CLUSTER));
            assertEquals(0, read(image, 0));
            readDone.countDown();
            return image;
          });
      assertEquals(5, read(image, 0));
    }
  }

  @Test
  void writes_toOneNewCluster_keepBoth() throws Exception {
    try (Qcow2Image image = empty()) {
      write(image, 8 * CLUSTER, (byte) 1);
      CountDownLatch begun = new CountDownLatch(1);
      AtomicInteger calls = new AtomicInteger();
      gate =
          call -> {
            if (calls.incrementAndGet() == 1) {
              begun.countDown();
              // Long enough for the other write to do harm, if it did not wait.
              TimeUnit.MILLISECONDS.sleep(100);
              assertEquals(1, calls.get(), "two writes to one new cluster at once");
            }
          };
      together(
          () -> write(image, 100, (byte) 5),
          () -> {
            begun.await();
            return write(image, 2000, (byte) 6);
          });
      gate = call -> {};
      assertEquals(5, read(image, 100));
      assertEquals(6, read(image, 2000));
    }
  }

  @Test
  void flushes_whileOneSyncIsStuck_shareTheNext() throws Exception {
    try (Qcow2Image image = mapped()) {
      AtomicInteger syncs = new AtomicInteger();
      AtomicInteger written = new AtomicInteger();
      CountDownLatch firstSync = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      gate =
          call -> {
            if (call.equals("sync") && syncs.incrementAndGet() == 1) {
              firstSync.countDown();
              goOn.await();
            }
          };
      List<Callable<Object>> requests = new ArrayList<>();
      requests.add(
          () -> {
            write(image, 0, (byte) 9);
            image.flush();
            return image;
          });
      for (int i = 1; i <= FLUSHES; i++) {
        long at = (long) i * CLUSTER;
        requests.add(
            () -> {
              firstSync.await();
              write(image, at, (byte) 8);
              if (written.incrementAndGet() == FLUSHES) {
                goOn.countDown();
              } else {
                goOn.await();
              }
              image.flush();
              return image;
            });
      }
      together(requests);
      gate = call -> {};
      // The first is stuck until all others have written; one more is enough for all of them.
      assertEquals(2, syncs.get());
    }
  }

  private void together(Callable<?>... requests) throws Exception {
    together(List.of(requests));
  }

  private void together(List<? extends Callable<?>> requests) throws Exception {
    List<Future<?>> running = new ArrayList<>();
    for (Callable<?> request : requests) {
      running.add(threads.submit(request));
    }
    for (Future<?> each : running) {
      each.get();
    }
  }

  /** An image all of whose clusters are the disk's own, and durable. */
  private Qcow2Image mapped() throws IOException {
    Qcow2Image image = empty();
    byte[] ones = new byte[16 * CLUSTER];
    Arrays.fill(ones, (byte) 1);
    image.write(0, ByteBuffer.wrap(ones));
    image.flush();
    return image;
  }

  private Qcow2Image empty() throws IOException {
    BlockFileSystem fs = gated(new MemoryFileSystem());
    Qcow2Image.create(
        fs, IMAGE, CreateOptions.builder(16 * CLUSTER).clusterSizeBytes(CLUSTER).build());
    OpenOptions options = OpenOptions.writable().withLocking(false);
    return Qcow2Image.open(fs, IMAGE, options);
  }

  private static Object write(Qcow2Image image, long at, byte value) throws IOException {
    image.write(at, ByteBuffer.wrap(new byte[] {value}));
    return image;
  }

  private static byte read(Qcow2Image image, long at) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    image.read(at, one);
    return one.get(0);
  }

  private BlockFileSystem gated(BlockFileSystem fs) {
    return proxy(
        BlockFileSystem.class,
        (proxy, method, arguments) -> {
          Object result = call(method, fs, arguments);
          return result instanceof BlockFile file ? gated(file) : result;
        });
  }

  private BlockFile gated(BlockFile file) {
    return proxy(
        BlockFile.class,
        (proxy, method, arguments) -> {
          if (method.getName().equals("write") || method.getName().equals("sync")) {
            gate.pass(method.getName());
          }
          return call(method, file, arguments);
        });
  }

  private static Object call(Method method, Object target, Object[] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    Object proxy = Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    return type.cast(proxy);
  }
}
