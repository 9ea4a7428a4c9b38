package io.cairn.cli.image;

import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.qcow2.CheckOptions;
import io.cairn.qcow2.CheckResult;
import io.cairn.qcow2.ImageChecker;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** {@code check}. */
final class CheckTool implements Tool {
  private static final int NO_CHECKS = 63;

  private static final Syntax SYNTAX =
      Syntax.of("check", "Look for damage and leaks in an image, and repair them.")
          .value("-f --format", "FMT", "The image's format, qcow2 or raw.")
          .value("-r --repair", "WHAT", "leaks: free what nothing uses; all: repair damage too.")
          .value("--output", "FORMAT", "human or json.")
          .flag("-q --quiet", "Print nothing but errors.")
          .value("-T", "CACHE", "Accepted for scripts; the cache mode does not change.")
          .flag("-U --force-share", "Take and honour no locks.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("check disk.qcow2")
          .example("check -r all disk.qcow2")
          .operands("FILE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    String repair = "";
    for (Given given = call.next(); given != null; given = call.next()) {
      switch (given.key()) {
        case "r" -> {
          repair = given.value();
          if (!repair.equals("leaks") && !repair.equals("all")) {
            throw ToolFailure.usage(
                "Unknown option value for -r (expecting 'leaks' or 'all'): " + repair);
          }
        }
        case "T" -> Call.requireCacheMode(given.value(), "source cache");
        default -> throw new IllegalStateException(given.key());
      }
    }
    String name = call.onlyOperand("Expecting one image file name");
    String file = call.imageOptions() ? ImageOptions.parse(name).file() : name;
    Optional<String> format =
        call.imageOptions() ? ImageOptions.parse(name).format() : call.format();
    requireCheckable(call, file, format);
    // As a raw file, for the locks only: what is to be repaired may not open as what it is.
    Images.Access access = repair.isEmpty() ? Images.Access.READ : Images.Access.WRITE;
    try (Images.Opened locked =
        call.images().open(file, Optional.of(Images.RAW), access.shared(call.forceShare()))) {
      return check(call, locked, repair);
    }
  }

  private static void requireCheckable(Call call, String file, Optional<String> format)
      throws ToolFailure {
    boolean raw;
    try {
      raw = call.images().formatOf(file, format).equals(Images.RAW);
    } catch (ToolFailure e) {
      throw e.in("Could not open '" + file + "': ");
    }
    if (raw) {
      throw ToolFailure.of("This image format does not support checks").exiting(NO_CHECKS);
    }
  }

  private static int check(Call call, Images.Opened locked, String repair) throws IOException {
    CheckOptions options =
        switch (repair) {
          case "leaks" -> CheckOptions.repairingLeaks();
          case "all" -> CheckOptions.repairingAll();
          default -> CheckOptions.readOnly();
        };
    CheckResult result =
        ImageChecker.check(call.images().fileSystem(), locked.disk().file(), options);
    if (call.json()) {
      call.console().out(QemuJson.pretty(json(locked.name(), result)) + "\n");
    } else if (!call.quiet()) {
      result.findings().forEach(finding -> call.console().err(finding.message() + "\n"));
      call.console().out(repaired(result) + human(result));
    }
    return result.qemuExitCode();
  }

  private static String repaired(CheckResult result) {
    return result.leaksFixed() == 0 && result.corruptionsFixed() == 0
        ? ""
        : "The following inconsistencies were found and repaired:\n\n    "
            + result.leaksFixed()
            + " leaked clusters\n    "
            + result.corruptionsFixed()
            + " corruptions\n\nDouble checking the fixed image now...\n";
  }

  static Map<String, Object> json(String name, CheckResult result) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("filename", name);
    facts.put("format", Images.QCOW2);
    facts.put("check-errors", result.checkErrors());
    facts.put("image-end-offset", result.imageEndOffset());
    facts.put("total-clusters", result.totalClusters());
    putUnlessZero(facts, "corruptions", result.corruptions());
    putUnlessZero(facts, "leaks", result.leaks());
    putUnlessZero(facts, "corruptions-fixed", result.corruptionsFixed());
    putUnlessZero(facts, "leaks-fixed", result.leaksFixed());
    putUnlessZero(facts, "allocated-clusters", result.allocatedClusters());
    putUnlessZero(facts, "fragmented-clusters", result.fragmentedClusters());
    putUnlessZero(facts, "compressed-clusters", result.compressedClusters());
    return facts;
  }

  private static void putUnlessZero(Map<String, Object> facts, String name, long value) {
    if (value != 0) {
      facts.put(name, value);
    }
  }

  static String human(CheckResult result) {
    StringBuilder text = new StringBuilder();
    if (result.clean()) {
      text.append("No errors were found on the image.\n");
    } else {
      if (result.corruptions() > 0) {
        text.append('\n')
            .append(result.corruptions())
            .append(" errors were found on the image.\n")
            .append("Data may be corrupted, or further writes to the image may corrupt it.\n");
      }
      if (result.leaks() > 0) {
        text.append('\n')
            .append(result.leaks())
            .append(" leaked clusters were found on the image.\n")
            .append("This means waste of disk space, but no harm to data.\n");
      }
      if (result.checkErrors() > 0) {
        text.append('\n')
            .append(result.checkErrors())
            .append(" internal errors have occurred during the check.\n");
      }
    }
    if (result.totalClusters() != 0 && result.allocatedClusters() != 0) {
      double allocated = result.allocatedClusters();
      text.append(
          String.format(
              Locale.ROOT,
              "%d/%d = %s%% allocated, %s%% fragmented, %s%% compressed clusters%n",
              result.allocatedClusters(),
              result.totalClusters(),
              percent(allocated * 100 / result.totalClusters()),
              percent(result.fragmentedClusters() * 100 / allocated),
              percent(result.compressedClusters() * 100 / allocated)));
    }
    if (result.imageEndOffset() > 0) {
      text.append("Image end offset: ").append(result.imageEndOffset()).append('\n');
    }
    return text.toString();
  }

  /** Two digits, rounded as C does it: the exact value, and to the even digit between two. */
  private static String percent(double value) {
    return new BigDecimal(value).setScale(2, RoundingMode.HALF_EVEN).toPlainString();
  }
}
