package io.cairn.zfsvm;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;
import static org.junit.platform.launcher.TagFilter.includeTags;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the tests on real pools in one process, because a JVM takes long to start in the guest, and
 * writes one report for {@code ./run-tests} after each test, so that what has run is known whatever
 * ends the guest.
 */
public final class ZfsLane implements TestExecutionListener {
  private final Path reports;
  private final StringBuilder cases = new StringBuilder();
  private int tests;
  private int failures;
  private int skipped;
  private long started;

  private ZfsLane(Path reports) {
    this.reports = reports;
  }

  /**
   * The program.
   *
   * @param arguments the directory for the report, and perhaps a pattern of whole class names
   */
  public static void main(String[] arguments) throws IOException {
    ZfsLane lane = new ZfsLane(Path.of(arguments[0]));
    Files.createDirectories(lane.reports);
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectPackage("io.cairn.zfsvm"))
            .filters(
                includeTags("zfs"),
                ClassNameFilter.includeClassNamePatterns(
                    arguments.length > 1 ? arguments[1] : ".*Test"))
            .build();
    LauncherFactory.create().execute(request, lane);
    boolean good = lane.failures == 0 && lane.tests > 0;
    lane.report(false);
    Runtime.getRuntime().halt(good ? 0 : 1); // the thread for libzfs may be in the kernel
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    if (test.isTest()) {
      started = System.nanoTime();
    }
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    add(test, "<skipped message=\"" + escaped(reason) + "\"/>", "skipped");
    skipped++;
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    if (!test.isTest() && result.getStatus() == Status.SUCCESSFUL) {
      return;
    }
    String reason = result.getThrowable().map(String::valueOf).orElse("");
    switch (result.getStatus()) {
      case SUCCESSFUL -> add(test, "", "ok");
      case ABORTED -> {
        add(test, "<skipped message=\"" + escaped(reason) + "\"/>", "skipped");
        skipped++;
      }
      case FAILED -> {
        add(test, "<failure message=\"" + escaped(reason) + "\"/>", "FAILED");
        failures++;
        result.getThrowable().ifPresent(Throwable::printStackTrace);
      }
    }
  }

  private void add(TestIdentifier test, String inner, String word) {
    tests++;
    long millis = (System.nanoTime() - started) / 1_000_000;
    String className =
        test.getSource()
            .filter(MethodSource.class::isInstance)
            .map(source -> ((MethodSource) source).getClassName())
            .orElse("io.cairn.zfsvm");
    // The report is read line by line, by attributes.
    cases.append("  <testcase name=\"").append(escaped(test.getDisplayName()));
    cases.append("\" classname=\"").append(className);
    cases.append("\" time=\"").append(millis / 1000.0).append("\">\n");
    cases.append(inner.isEmpty() ? "" : "    " + inner + "\n").append("  </testcase>\n");
    System.err.println(word + " " + className + "." + test.getDisplayName() + " " + millis + " ms");
    try {
      report(true);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A run that was cut off counts as a failure. */
  private void report(boolean cut) throws IOException {
    String suite =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"zfs\" tests=\""
            + (tests + (cut ? 1 : 0))
            + "\" errors=\""
            + (cut ? 1 : 0)
            + "\" skipped=\""
            + skipped
            + "\" failures=\""
            + failures
            + "\">\n"
            + cases
            + "</testsuite>\n";
    Files.writeString(reports.resolve("TEST-zfs.xml"), suite);
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace("\"", "&quot;")
        .replaceAll("[\\x00-\\x1f]", " ");
  }
}
