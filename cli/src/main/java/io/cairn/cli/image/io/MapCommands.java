package io.cairn.cli.image.io;

import io.cairn.cli.image.FormatInfo;
import io.cairn.cli.image.SystemErrors;
import io.cairn.cli.image.ToolFailure;
import io.cairn.qcow2.Preallocation;
import io.cairn.qcow2.Qcow2Image;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@code alloc}, {@code map}, {@code length}, {@code truncate} and {@code info}. */
final class MapCommands {
  private static final long ALLOC_DEFAULT_BYTES = 512;

  static final List<IoCommand> ALL =
      List.of(
          new IoCommand.Builder(
                  "alloc", "offset [count]", "checks if offset is allocated in the file")
              .alias("a")
              .arguments(1, 2)
              .does(MapCommands::alloc),
          new IoCommand.Builder("map", "", "prints the allocated areas of a file")
              .does(MapCommands::map),
          new IoCommand.Builder("length", "", "gets the length of the current file")
              .alias("l")
              .does(
                  (session, in) -> {
                    session.console().out(Report.size(session.disk().sizeBytes()) + "\n");
                    return true;
                  }),
          new IoCommand.Builder(
                  "truncate",
                  "[-m prealloc_mode] off",
                  "truncates the current file at the given offset")
              .alias("t")
              .arguments(1, 3)
              .needs(IoCommand.Needs.WRITABLE)
              .options("m:")
              .does(MapCommands::truncate),
          new IoCommand.Builder("info", "", "prints information about the current file")
              .alias("i")
              .does(MapCommands::info));

  private MapCommands() {}

  private static boolean alloc(IoSession session, IoArguments in) throws ToolFailure, IOException {
    long start = in.number(0);
    long count = in.operands().size() > 1 ? in.number(1) : ALLOC_DEFAULT_BYTES;
    session.complete();
    long size = session.disk().sizeBytes();
    long allocated = 0;
    long rest = Math.max(0, Math.min(count, size - start));
    long asked = start < size ? count : 0;
    long end = start + rest;
    for (long at = start; at < end; ) {
      IoImage.Run run = session.image().run(at, end - at);
      allocated += run.allocated() ? run.lengthBytes() : 0;
      at += run.lengthBytes();
    }
    session
        .console()
        .out(
            allocated
                + "/"
                + Math.min(asked, rest)
                + " bytes allocated at offset "
                + Report.size(start)
                + "\n");
    return true;
  }

  private static boolean map(IoSession session, IoArguments in) throws IOException {
    session.complete();
    long size = session.disk().sizeBytes();
    long at = 0;
    while (at < size) {
      IoImage.Run first = session.image().run(at, size - at);
      long end = at + first.lengthBytes();
      while (end < size) {
        IoImage.Run next = session.image().run(end, size - end);
        if (next.allocated() != first.allocated()) {
          break;
        }
        end += next.lengthBytes();
      }
      session
          .console()
          .out(
              String.format(
                  Locale.ROOT,
                  "%s (0x%x) bytes %s at offset %s (0x%x)%n",
                  Report.size(end - at),
                  end - at,
                  first.allocated() ? "    allocated" : "not allocated",
                  Report.size(at),
                  at));
      at = end;
    }
    return true;
  }

  private static boolean truncate(IoSession session, IoArguments in)
      throws ToolFailure, IOException {
    Optional<String> mode = in.value("m");
    Optional<Preallocation> preallocation =
        mode.isEmpty() ? Optional.of(Preallocation.OFF) : Preallocation.ofOptionValue(mode.get());
    if (preallocation.isEmpty()) {
      session.console().error("Invalid preallocation mode '" + mode.orElseThrow() + "'");
      return false;
    }
    in.requireOperands(1, 1);
    long size = in.number(0);
    session.complete();
    if (session.image().opened().qcow2().isPresent() && size % 512 != 0) {
      session.console().error("The new size must be a multiple of 512");
      return false;
    }
    try {
      session.disk().resize(size, preallocation.get(), true);
    } catch (IOException e) {
      session.console().error(e.getMessage() == null ? SystemErrors.text(e) : e.getMessage());
      return false;
    }
    return true;
  }

  private static boolean info(IoSession session, IoArguments in) throws IOException {
    Optional<Qcow2Image> image = session.image().opened().qcow2();
    StringBuilder text = new StringBuilder("format name: ");
    text.append(session.image().opened().format()).append('\n');
    long cluster = image.map(i -> (long) i.header().clusterSizeBytes()).orElse(0L);
    long vmState = image.map(FormatInfo::vmStateOffset).orElse(0L);
    text.append("cluster size: ").append(Report.size(cluster)).append('\n');
    text.append("vm state offset: ").append(Report.size(vmState)).append('\n');
    if (image.isPresent()) {
      text.append("Format specific information:\n");
      text.append(FormatInfo.human(FormatInfo.of(image.get()), 1));
    }
    session.console().out(text.toString());
    return true;
  }
}
