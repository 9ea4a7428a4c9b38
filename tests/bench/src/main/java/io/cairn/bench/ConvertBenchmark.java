package io.cairn.bench;

import io.cairn.qcow2.CompressionType;
import io.cairn.qcow2.CreateOptions;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.op.Convert;
import io.cairn.qcow2.op.ConvertRequest;
import io.cairn.qcow2.op.ImageFormat;
import io.cairn.qcow2.op.ImageOpener;
import io.cairn.qcow2.op.OpenedDisk;
import io.cairn.storage.io.HostFileSystem;
import io.cairn.testkit.QemuTools;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Conversions against {@code qemu-img convert}, from the same file, in turns. The disk is one third
 * text, one third bytes that nothing compresses, and one third zeros. Targets are made durable by
 * both. The engine has done each conversion some times before, as in a process that lives long.
 */
final class ConvertBenchmark {
  private static final int PIECE_BYTES = 1 << 20;
  private static final int PIECES = 384;
  private static final int RUNS = 5;
  private static final int WARM_RUNS = 4;

  private ConvertBenchmark() {}

  /** One conversion, as both do it. */
  private record Case(
      String name,
      Path source,
      ImageFormat sourceFormat,
      Optional<String> snapshot,
      ImageFormat format,
      boolean compressed,
      Optional<String> compression) {}

  static Table measure(Path directory) throws Exception {
    Path raw = directory.resolve("disk.raw");
    write(raw);
    Path image = directory.resolve("disk.qcow2");
    QemuTools.img("convert", "-O", "qcow2", raw.toString(), image.toString()).expect(0);
    QemuTools.img("snapshot", "-c", "s", image.toString()).expect(0);
    List<Case> cases = new ArrayList<>();
    cases.add(plain("raw to qcow2", raw, ImageFormat.RAW, ImageFormat.QCOW2));
    cases.add(plain("qcow2 to raw", image, ImageFormat.QCOW2, ImageFormat.RAW));
    cases.add(
        new Case(
            "snapshot to raw",
            image,
            ImageFormat.QCOW2,
            Optional.of("1"),
            ImageFormat.RAW,
            false,
            Optional.empty()));
    for (String compression : List.of("zlib", "zstd")) {
      cases.add(
          new Case(
              "raw to qcow2, " + compression,
              raw,
              ImageFormat.RAW,
              Optional.empty(),
              ImageFormat.QCOW2,
              true,
              Optional.of(compression)));
    }
    String size = PIECES * (PIECE_BYTES >> 20) + " MiB";
    Table table = new Table(size, "qemu-img", "engine", "faster", "sizes");
    for (Case each : cases) {
      row(table, directory, each);
    }
    return table;
  }

  private static Case plain(String name, Path source, ImageFormat from, ImageFormat to) {
    return new Case(name, source, from, Optional.empty(), to, false, Optional.empty());
  }

  private static void row(Table table, Path directory, Case each) throws Exception {
    Times qemu = new Times();
    Times engine = new Times();
    Path byQemu = directory.resolve("by-qemu");
    Path byEngine = directory.resolve("by-engine");
    for (int run = 0; run < (each.compressed() ? 1 : WARM_RUNS); run++) {
      Files.deleteIfExists(byEngine);
      engine(each, byEngine);
    }
    for (int run = 0; run < RUNS; run++) {
      Files.deleteIfExists(byQemu);
      Files.deleteIfExists(byEngine);
      qemu.measure(() -> qemu(each, byQemu));
      engine.measure(() -> engine(each, byEngine));
    }
    QemuTools.img("compare", byQemu.toString(), byEngine.toString()).expect(0);
    table.row(
        each.name(),
        qemu.median(),
        engine.median(),
        engine.timesFasterThan(qemu),
        mebibytes(byQemu) + " / " + mebibytes(byEngine) + " MiB");
    Files.delete(byQemu);
    Files.delete(byEngine);
  }

  private static long mebibytes(Path file) throws IOException {
    return Files.size(file) >> 20;
  }

  private static void qemu(Case each, Path target) {
    List<String> line = new ArrayList<>(List.of("convert", "-f", each.sourceFormat().formatName()));
    line.addAll(List.of("-O", each.format().formatName(), "-t", "writeback"));
    each.snapshot().ifPresent(id -> line.addAll(List.of("-l", "snapshot.id=" + id)));
    if (each.compressed()) {
      line.add("-c");
    }
    each.compression().ifPresent(kind -> line.addAll(List.of("-o", "compression_type=" + kind)));
    line.addAll(List.of(each.source().toString(), target.toString()));
    QemuTools.img(line.toArray(String[]::new)).expect(0);
  }

  private static void engine(Case each, Path target) throws IOException {
    OpenOptions options = OpenOptions.readOnly();
    try (OpenedDisk source =
        each.snapshot().isPresent()
            ? ImageOpener.openSnapshot(
                HostFileSystem.instance(), each.source(), each.snapshot().get(), options)
            : ImageOpener.open(
                HostFileSystem.instance(),
                each.source(),
                Optional.of(each.sourceFormat()),
                options)) {
      ConvertRequest.Builder request = ConvertRequest.builder(source, target, each.format());
      if (each.compressed()) {
        request.compressed();
      }
      if (each.format() == ImageFormat.QCOW2) {
        request.createOptions(createOptions(each, source.sizeBytes()));
      }
      Convert.run(HostFileSystem.instance(), request.build());
    }
  }

  private static CreateOptions createOptions(Case each, long sizeBytes) {
    CreateOptions.Builder options = CreateOptions.builder(sizeBytes);
    if (each.compression().equals(Optional.of("zstd"))) {
      options.compressionType(CompressionType.ZSTD);
    }
    return options.build();
  }

  private static void write(Path raw) throws IOException {
    Random random = new Random(1);
    byte[] piece = new byte[PIECE_BYTES];
    try (OutputStream out = Files.newOutputStream(raw)) {
      for (int i = 0; i < PIECES; i++) {
        switch (i % 3) {
          case 0 -> text(piece, random);
          case 1 -> random.nextBytes(piece);
          default -> Arrays.fill(piece, (byte) 0);
        }
        out.write(piece);
      }
    }
  }

  /** Lines of a log: words from a small vocabulary, and numbers. */
  private static void text(byte[] piece, Random random) {
    String[] words = {"disk ", "read ", "write ", "error ", "at ", "sector ", "guest ", "\n"};
    int at = 0;
    while (at < piece.length) {
      String word =
          random.nextInt(3) == 0
              ? random.nextInt(100_000) + " "
              : words[random.nextInt(words.length)];
      for (int i = 0; i < word.length() && at < piece.length; i++) {
        piece[at++] = (byte) word.charAt(i);
      }
    }
  }
}
