package io.cairn.cli.image.io;

import io.cairn.cli.image.Console;
import io.cairn.cli.image.ImageOptions;
import io.cairn.cli.image.OptionScanner;
import io.cairn.cli.image.OptionScanner.Given;
import io.cairn.cli.image.Syntax;
import io.cairn.cli.image.SystemErrors;
import io.cairn.cli.image.ToolFailure;
import io.cairn.cli.image.UsageText;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The tool: its command line, then commands from it or from standard input. */
public final class IoTool {
  /** Its command line. */
  public static final Syntax SYNTAX =
      Syntax.of("io", "Read and write parts of an image, in the command language of qemu-io.")
          .value("-c --cmd", "COMMAND", "Run a command; several are run in their order.")
          .value("-f --format", "FMT", "The image's format, qcow2 or raw.")
          .flag("-r --read-only", "Open the image for reading only.")
          .flag("-s --snapshot", "Write to a temporary overlay, which is thrown away.")
          .flag("-U --force-share", "Take and honour no locks; for reading only.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("-t --cache", "MODE", "Accepted for scripts; the cache mode does not change.")
          .value("-d --discard", "MODE", "Accepted for scripts; discarding is always on.")
          .value("-i --aio", "MODE", "Accepted for scripts.")
          .flag("-n --nocache", "Accepted for scripts, as -t none.")
          .flag("-k --native-aio", "Accepted for scripts.")
          .flag("-m --misalign", "Accepted for scripts.")
          .flag("-C --copy-on-read", "Refused: there is no copying on reads.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .flag("-V --version", "Print the version.")
          .example("io -c 'write -P 0x41 0 64k' -c 'read -v 0 16' disk.qcow2")
          .example("io -c help")
          .operands("[FILE]");

  private static final String PROMPT = "qemu-io> ";

  private IoTool() {}

  /**
   * Runs the tool.
   *
   * @param directory what names of files are relative to
   * @return the exit code, 1 if any command failed
   */
  public static int run(Console console, Path directory, List<String> arguments) {
    try {
      return parsed(console, directory, arguments);
    } catch (ToolFailure e) {
      console.error(e.message());
      if (e.isUsage()) {
        console.out(UsageText.of(console.program(), SYNTAX));
      }
      return 1;
    } catch (IOException e) {
      console.error(SystemErrors.text(e));
      return 1;
    } finally {
      console.flush();
    }
  }

  private static int parsed(Console console, Path directory, List<String> arguments)
      throws ToolFailure, IOException {
    OptionScanner scanner = new OptionScanner(SYNTAX, arguments, OptionScanner.Texts.GETOPT);
    List<String> commands = new ArrayList<>();
    IoImage.Mode mode = new IoImage.Mode(Optional.empty(), true, false, false);
    boolean imageOptions = false;
    for (Given given = scanner.next(); given != null; given = scanner.next()) {
      switch (given.key()) {
        case "c" -> commands.add(given.value());
        case "f" -> mode = mode.withFormat(Optional.of(given.value()));
        case "r" -> mode = mode.writing(false);
        case "s" -> mode = new IoImage.Mode(mode.format(), mode.write(), true, mode.forceShare());
        case "U" -> mode = new IoImage.Mode(mode.format(), mode.write(), mode.snapshot(), true);
        case "image-opts" -> imageOptions = true;
        case "t" -> requireValid("t", "cache", given.value());
        case "d" -> requireValid("d", "discard", given.value());
        case "i" -> requireValid("i", "aio", given.value());
        case "C" -> throw ToolFailure.of("copy-on-read is not supported");
        case "object" -> throw ToolFailure.of(ImageOptions.NO_OBJECTS);
        case "V" -> {
          console.out(UsageText.version(console.program()));
          return 0;
        }
        case "h" -> {
          console.out(UsageText.of(console.program(), SYNTAX));
          return 0;
        }
        default -> {}
      }
    }
    List<String> operands = scanner.operands();
    if (operands.size() > 1) {
      console.out(UsageText.of(console.program(), SYNTAX));
      return 1;
    }
    if (imageOptions && mode.format().isPresent()) {
      throw ToolFailure.of("--image-opts and --format are mutually exclusive");
    }
    try (IoSession session = new IoSession(console, directory, mode)) {
      if (!operands.isEmpty() && !open(session, operands.get(0), mode, imageOptions)) {
        return 1;
      }
      return commands.isEmpty() ? interactive(session) : batch(session, commands);
    }
  }

  private static boolean open(
      IoSession session, String operand, IoImage.Mode mode, boolean imageOptions)
      throws ToolFailure {
    if (!imageOptions) {
      return session.open(operand, mode);
    }
    ImageOptions options = ImageOptions.parse(operand);
    return session.open(options.file(), mode.withFormat(options.format()));
  }

  private static void requireValid(String option, String name, String value) throws ToolFailure {
    if (!IoModes.valid(option, value)) {
      throw ToolFailure.of("Invalid " + name + " option: " + value);
    }
  }

  private static int batch(IoSession session, List<String> commands) {
    boolean succeeded = true;
    for (String command : commands) {
      succeeded &= session.run(command);
      session.console().flush();
      if (session.quitting()) {
        break;
      }
    }
    return succeeded ? 0 : 1;
  }

  private static int interactive(IoSession session) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(session.console().in(), StandardCharsets.UTF_8));
    boolean succeeded = true;
    while (!session.quitting()) {
      session.console().out(PROMPT);
      session.console().flush();
      String line = lines.readLine();
      if (line == null) {
        break;
      }
      succeeded &= session.run(line);
      session.console().flush();
    }
    return succeeded ? 0 : 1;
  }
}
