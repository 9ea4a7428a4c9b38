package io.cairn.crash;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.cairn.testkit.Seeds;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Images with wrong fields, a new one each time: everything that reads or writes an image either
 * works or fails with an {@link IOException}, soon, and without much memory. An image that is
 * refused in a way that none was before is damaged further.
 *
 * <p>{@code -Dcairn.fuzz.seconds=N} goes on for longer; {@code -Dcairn.seed=0} takes other images;
 * {@code -Dcairn.fuzz.keep=FILE} appends images that were refused in a new way, in the form of the
 * stored ones.
 */
@Tag("crash")
final class ImageFuzzTest {
  private static final Duration LENGTH =
      Duration.ofSeconds(Integer.getInteger("cairn.fuzz.seconds", 15));
  private static final String KEEP = System.getProperty("cairn.fuzz.keep", "");
  private static final long CPU_SECONDS_MAX = 10;
  private static final int POOL_MAX = 2000;

  private static final ThreadMXBean THREAD = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** An image, as a line of {@link FuzzCorpus}, and the name of the sound one it was made of. */
  @SuppressWarnings("ArrayRecordComponent") // compared with nothing
  private record Candidate(String sound, byte[] content) {}

  private final Map<String, byte[]> sound;
  private long images;
  private long requests;
  private long mostNanos;
  private long mostAllocated;

  ImageFuzzTest() throws IOException {
    sound = FuzzCorpus.soundImages();
  }

  @Test
  void storedImages_used_workOrFailCleanly() throws IOException {
    Set<String> refusals = new HashSet<>();
    for (String name : sound.keySet()) {
      refusals.addAll(use(new Candidate(name, requireNonNull(sound.get(name))), 0));
    }
    assertTrue(refusals.size() < 5, () -> "sound images were refused: " + refusals);
    for (String line : FuzzCorpus.damagedImages()) {
      String name = line.split(" ", 2)[0];
      refusals.addAll(use(new Candidate(name, FuzzCorpus.image(sound, line)), 0));
    }
    report("stored images, refused in " + refusals.size() + " ways");
    assertTrue(refusals.size() > 80, () -> "hardly any way to be refused: " + refusals);
  }

  @Test
  void anyImage_used_worksOrFailsCleanly() throws IOException {
    Random random = Seeds.random("anyImage_used");
    List<Candidate> pool = new ArrayList<>();
    Set<String> refusals = new HashSet<>();
    sound.forEach((name, content) -> pool.add(new Candidate(name, content)));
    int soundCount = pool.size();
    long end = System.nanoTime() + LENGTH.toNanos();
    while (System.nanoTime() < end) {
      int among = random.nextBoolean() ? soundCount : pool.size();
      Candidate present = pool.get(random.nextInt(among));
      byte[] from = soundOf(present);
      Candidate next =
          new Candidate(present.sound(), MutatedImage.of(from, present.content(), random));
      if (refusals.addAll(use(next, random.nextLong()))) {
        if (pool.size() < POOL_MAX) {
          pool.add(next);
        }
        keep(next);
      }
    }
    report("in " + LENGTH + ", refused in " + refusals.size() + " ways");
    assertTrue(images > 0, "no image was tried");
  }

  /** Uses an image; returns how it was refused. */
  private Set<String> use(Candidate candidate, long seed) throws IOException {
    long cpu = THREAD.getCurrentThreadCpuTime();
    ImageUse use;
    try {
      use = ImageUse.of(candidate.content(), seed);
    } catch (RuntimeException | Error e) {
      throw new AssertionError(describe(candidate, seed), e);
    }
    cpu = THREAD.getCurrentThreadCpuTime() - cpu;
    if (cpu > CPU_SECONDS_MAX * 1_000_000_000L) {
      throw new AssertionError(cpu + " ns for " + describe(candidate, seed));
    }
    images++;
    requests += use.requests();
    mostNanos = Math.max(mostNanos, cpu);
    mostAllocated = Math.max(mostAllocated, use.mostAllocatedBytes());
    return use.refusals();
  }

  private String describe(Candidate candidate, long seed) {
    return "seed " + seed + " with " + line(candidate);
  }

  private String line(Candidate candidate) {
    return FuzzCorpus.line(candidate.sound(), soundOf(candidate), candidate.content());
  }

  private byte[] soundOf(Candidate candidate) {
    return requireNonNull(sound.get(candidate.sound()));
  }

  private void keep(Candidate candidate) throws IOException {
    if (!KEEP.isEmpty()) {
      Files.writeString(
          Path.of(KEEP),
          line(candidate) + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    }
  }

  private void report(String what) {
    System.out.printf(
        "%d images, %d requests, %s; at most %d ms for an image and %d MiB for a request%n",
        images, requests, what, mostNanos / 1_000_000, mostAllocated >> 20);
  }
}
