package io.cairn.qcow2.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cairn.storage.ErrorCode;
import io.cairn.storage.StorageException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class EachDiskTest {
  private static StorageException failure(String what) {
    return new StorageException(ErrorCode.FAILED, what, "");
  }

  @Test
  void run_sideBySide_doesAllAtOnceAndKeepsTheOrder() throws StorageException {
    CyclicBarrier all = new CyclicBarrier(3);
    List<Integer> results =
        EachDisk.run(
            List.of(1, 2, 3),
            true,
            disk -> {
              try {
                // Passed only when the work on each has begun.
                all.await(30, TimeUnit.SECONDS);
              } catch (Exception e) {
                throw failure(e.toString());
              }
              return disk * 10;
            });
    assertEquals(List.of(10, 20, 30), results);
  }

  @Test
  void run_severalFail_waitsForAllAndThrowsTheFirst() {
    Set<Integer> done = ConcurrentHashMap.newKeySet();
    StorageException thrown =
        assertThrows(
            StorageException.class,
            () ->
                EachDisk.run(
                    List.of(1, 2, 3, 4),
                    true,
                    disk -> {
                      done.add(disk);
                      if (disk % 2 == 0) {
                        throw failure("disk " + disk);
                      }
                      return disk;
                    }));
    assertEquals("disk 2", thrown.getMessage());
    assertEquals("disk 4", thrown.getSuppressed()[0].getMessage());
    assertEquals(Set.of(1, 2, 3, 4), done);
  }

  @Test
  void run_oneAfterTheOther_endsAtAFailure() {
    Set<Integer> done = ConcurrentHashMap.newKeySet();
    assertThrows(
        StorageException.class,
        () ->
            EachDisk.run(
                List.of(1, 2, 3),
                false,
                disk -> {
                  done.add(disk);
                  if (disk == 2) {
                    throw failure("disk 2");
                  }
                  return disk;
                }));
    assertEquals(Set.of(1, 2), done);
  }
}
