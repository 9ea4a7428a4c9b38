package io.cairn.cli;

import io.cairn.cli.image.Syntax;
import io.cairn.cli.image.Tools;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code cairn image}: the group of commands about single images. This is their description only:
 * {@link CairnCommand} hands their command lines to {@link io.cairn.cli.image.ImageTool} unread,
 * because they are written in QEMU's syntax and because reading them here would be most of their
 * run time.
 */
final class ImageCommand extends Command {
  private static final List<ExitCodes.Line> EXIT_CODES =
      List.of(
          new ExitCodes.Line("0", "done; check: the image is clean; compare: the disks are equal"),
          new ExitCodes.Line("1", "failed; compare: the disks differ; io: a command failed"),
          new ExitCodes.Line("2", "check: damage; compare: an image could not be opened"),
          new ExitCodes.Line("3", "check: leaked clusters only; compare: a block status failed"),
          new ExitCodes.Line("4", "compare: an image could not be read"),
          new ExitCodes.Line("63", "check: the format has nothing to check"));

  private final List<Command> members = new ArrayList<>();

  ImageCommand() {
    super("image", "Work on a single disk image, in the way of qemu-img and qemu-io.");
    paragraph(
        "The commands take the command lines of qemu-img, print what it prints, and exit as it"
            + " does, so that scripts written for it run with Cairn's engine; io has the command"
            + " language of qemu-io. Images are qcow2 or raw files. Where a link named qemu-img or"
            + " qemu-io leads to the cairn program, it behaves as that tool.");
    example("cairn image info disk.qcow2", "");
    example("cairn image convert -O qcow2 -c disk.raw disk.qcow2", "");
    for (Syntax syntax : Tools.syntaxes()) {
      Command member = new Member(syntax);
      member.spec().usageMessage().sortOptions(false);
      spec().addSubcommand(member.name(), member.spec());
      members.add(member);
    }
  }

  @Override
  List<Command> members() {
    return members;
  }

  @Override
  List<ExitCodes.Line> exitCodes() {
    return EXIT_CODES;
  }

  @Override
  int run(Invocation in) {
    throw new CairnException(
        ErrorCode.USAGE, "say what to do with an image, such as info", "see: cairn image --help");
  }

  /** One tool, described from its command line. */
  private static final class Member extends Command {
    Member(Syntax syntax) {
      super(syntax.name(), syntax.summary());
      for (String text : syntax.about()) {
        paragraph(text);
      }
      for (Syntax.Option option : syntax.options()) {
        String names = String.join(" ", option.names());
        if (option.takesValue()) {
          options(names, option.label(), option.description());
        } else {
          flag(names, option.description());
        }
      }
      if (!syntax.operands().isEmpty()) {
        arguments(syntax.operands(), "0..1", syntax.operandsMeaning());
      }
      syntax.examples().forEach(line -> example("cairn image " + line, ""));
    }

    @Override
    List<ExitCodes.Line> exitCodes() {
      return EXIT_CODES;
    }

    @Override
    int run(Invocation in) {
      throw new CairnException(ErrorCode.USAGE, "see: cairn help image " + name(), "");
    }
  }
}
