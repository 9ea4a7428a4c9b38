package io.cairn.cli.image;

import io.cairn.qcow2.BlockSource;
import io.cairn.qcow2.DirtyBitmap;
import io.cairn.qcow2.OpenOptions;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import io.cairn.qcow2.op.Bitmaps;
import io.cairn.qcow2.op.Convert;
import io.cairn.qcow2.op.ConvertRequest;
import io.cairn.qcow2.op.ImageFormat;
import io.cairn.qcow2.op.Progress;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** One run of {@code convert}. */
final class Conversion implements Closeable {
  private final Call call;
  private final ConvertOptions wanted;
  private final List<String> texts;
  private final List<Images.Opened> opened = new ArrayList<>();
  private final List<Source> sources = new ArrayList<>();

  Conversion(Call call, ConvertOptions wanted, List<String> texts) {
    this.call = call;
    this.wanted = wanted;
    this.texts = texts;
  }

  void run(List<String> names, String target) throws ToolFailure, IOException {
    Progress progress = Shown.of(call);
    boolean converted = false;
    try {
      open(names);
      if (wanted.existing) {
        intoExisting(target, progress);
      } else {
        intoNew(target, progress);
      }
      converted = true;
    } finally {
      Shown.end(call, converted);
    }
  }

  private void open(List<String> names) throws ToolFailure, IOException {
    for (String name : names) {
      opened.add(call.open(name, Images.Access.READ));
    }
    if (wanted.snapshot.isPresent() && names.size() > 1) {
      throw ToolFailure.of("No support for concatenating multiple snapshot");
    }
    for (Images.Opened image : opened) {
      sources.add(Source.of(image, wanted.snapshot));
    }
    if (wanted.bitmaps) {
      requireBitmaps();
    }
  }

  private void requireBitmaps() throws ToolFailure, IOException {
    Optional<Qcow2Image> image = opened.get(0).qcow2();
    if (opened.size() > 1) {
      throw ToolFailure.of("Copying bitmaps only possible with single source");
    }
    if (image.isEmpty() || image.get().header().version() < 3) {
      throw ToolFailure.of("Source lacks bitmap support");
    }
    for (DirtyBitmap bitmap : lastFirst(image.get())) {
      if (bitmap.inconsistent() && !wanted.skipBrokenBitmaps) {
        throw ToolFailure.withHint(
            "Cannot copy inconsistent bitmap '" + bitmap.name() + "'",
            "Try --skip-broken-bitmaps, or use 'qemu-img bitmap --remove' to delete it\n");
      }
    }
  }

  /** Copies the bitmaps of the only source, if that was asked for. */
  private void copyBitmaps(Path target) throws ToolFailure, IOException {
    if (!wanted.bitmaps) {
      return;
    }
    Qcow2Image source = opened.get(0).qcow2().orElseThrow();
    for (DirtyBitmap bitmap : lastFirst(source)) {
      if (bitmap.inconsistent()) {
        call.console().error("warning: Skipping inconsistent bitmap '" + bitmap.name() + "'");
      }
    }
    OpenOptions alone = OpenOptions.writable().withBackingChain(false);
    try (Qcow2Image image = Qcow2Image.open(call.images().fileSystem(), target, alone)) {
      for (DirtyBitmap bitmap : lastFirst(source)) {
        boolean there =
            image.bitmaps().list().stream().anyMatch(b -> b.name().equals(bitmap.name()));
        if (there && !bitmap.inconsistent()) {
          throw ToolFailure.of(
              "Failed to create bitmap "
                  + bitmap.name()
                  + ": Bitmap already exists: "
                  + bitmap.name());
        }
      }
      Bitmaps.copy(source, image);
    }
  }

  /** The order in which QEMU tells of bitmaps. */
  private static List<DirtyBitmap> lastFirst(Qcow2Image image) throws IOException {
    List<DirtyBitmap> bitmaps = new ArrayList<>(image.bitmaps().list());
    Collections.reverse(bitmaps);
    return bitmaps;
  }

  private void requireBitmapsIn(boolean possible) throws ToolFailure {
    if (wanted.bitmaps && !possible) {
      throw ToolFailure.of("Format driver '" + wanted.format + "' does not support bitmaps");
    }
  }

  private long totalBytes() {
    return sources.stream().mapToLong(source -> source.disk().sizeBytes()).sum();
  }

  private ConvertRequest.Builder request(Path target, ImageFormat format, Progress progress) {
    List<BlockSource> disks = new ArrayList<>();
    for (Source source : sources) {
      disks.add(
          wanted.salvage
              ? new SalvagedSource(source.disk(), call.console(), call.quiet())
              : source.disk());
    }
    ConvertRequest.Builder request =
        ConvertRequest.builder(disks, target, format).progress(progress);
    wanted.threads.ifPresent(request::threads);
    wanted.sparseBytes.ifPresent(request::sparseBytes);
    if (wanted.compressed) {
      request.compressed();
    }
    if (wanted.outOfOrder) {
      request.outOfOrder();
    }
    return request;
  }

  private ImageFormat format() throws ToolFailure {
    return ImageFormat.ofName(wanted.format)
        .orElseThrow(() -> ToolFailure.of("Unknown file format '" + wanted.format + "'"));
  }

  private void intoExisting(String target, Progress progress) throws ToolFailure, IOException {
    ImageFormat format = format();
    Call.requireCacheMode(wanted.cache, "cache");
    Optional<String> known = Optional.of(wanted.format);
    String file = target;
    if (wanted.targetImageOptions) {
      ImageOptions options = ImageOptions.parse(target);
      file = options.file();
      known = options.format().or(() -> Optional.of(wanted.format));
    }
    try (Images.Opened there = call.images().open(file, known, Images.Access.WRITE)) {
      if (there.disk().sizeBytes() < totalBytes()) {
        throw ToolFailure.of("output file is smaller than input file");
      }
      requireBitmapsIn(there.qcow2().filter(i -> i.header().version() >= 3).isPresent());
    }
    requireCompressible(format);
    Convert.run(
        call.images().fileSystem(),
        request(call.images().path(file), format, progress)
            .existingTarget(wanted.targetIsZero)
            .sync(!wanted.cache.equals(ConvertOptions.CACHE_UNSAFE))
            .build());
    copyBitmaps(call.images().path(file));
  }

  private void intoNew(String target, Progress progress) throws ToolFailure, IOException {
    ImageFormat format = format();
    FormatOptions options = FormatOptions.of(wanted.format);
    options.parse(texts);
    if (!options.has("size")) {
      options.set("size", Long.toString(totalBytes()));
    }
    setBacking(format, options);
    requireCompressible(format);
    Call.requireCacheMode(wanted.cache, "cache");
    if (wanted.compressed && !options.value("preallocation").orElse("off").equals("off")) {
      throw ToolFailure.of("Compression and preallocation not supported at the same time");
    }
    try (Replacement replacement = Replacement.of(call.images(), target)) {
      try {
        boolean sync = replacement.replaces() || !wanted.cache.equals(ConvertOptions.CACHE_UNSAFE);
        ConvertRequest.Builder request =
            request(replacement.temporary(), format, progress).sync(sync);
        NewImage image = new NewImage(call.images(), target, wanted.format, options);
        create(image, replacement, request);
        Convert.run(replacement.fileSystem(), request.build());
      } catch (ToolFailure e) {
        throw e.in(target + ": error while converting " + wanted.format + ": ");
      } catch (IOException e) {
        throw replacement
            .whyNot(target, e)
            .in(target + ": error while converting " + wanted.format + ": ");
      }
      requireBitmapsIn(
          format == ImageFormat.QCOW2 && !options.value("compat").orElse("").matches("0.10|v2"));
      copyBitmaps(replacement.temporary());
      replacement.commit();
    }
  }

  /** Says how the target is made, or makes it where the conversion cannot. */
  private void create(NewImage image, Replacement replacement, ConvertRequest.Builder request)
      throws ToolFailure, IOException {
    Preallocation preallocation = image.preallocation();
    if (wanted.format.equals(Images.RAW)) {
      request.rawPreallocation(preallocation);
    } else if (preallocation == Preallocation.OFF) {
      request.createOptions(image.creation(preallocation, image.sizeBytes()));
    } else {
      image.createAt(replacement);
      request.existingTarget(true);
    }
  }

  private void setBacking(ImageFormat format, FormatOptions options)
      throws ToolFailure, IOException {
    if (wanted.backing.isPresent()) {
      if (format == ImageFormat.RAW) {
        throw ToolFailure.of("Backing file not supported for file format 'raw'");
      }
      options.set("backing_file", wanted.backing.get());
    }
    if (wanted.backingFormat.isPresent()) {
      if (format == ImageFormat.RAW) {
        throw ToolFailure.of("Backing file format not supported for file format 'raw'");
      }
      options.set("backing_fmt", wanted.backingFormat.get());
    }
    if (!options.has("backing_file")) {
      return;
    }
    if (opened.size() > 1) {
      throw ToolFailure.of(
          "Having a backing file for the target makes no sense when concatenating multiple input"
              + " images");
    }
    if (!options.has("backing_fmt")) {
      throw ToolFailure.of("Use of backing file requires explicit backing format");
    }
  }

  private void requireCompressible(ImageFormat format) throws ToolFailure {
    if (wanted.compressed && format == ImageFormat.RAW) {
      throw ToolFailure.of("Compression not supported for this file format");
    }
  }

  @Override
  public void close() throws IOException {
    for (Source source : sources) {
      source.close();
    }
    for (Images.Opened image : opened) {
      image.close();
    }
  }
}
