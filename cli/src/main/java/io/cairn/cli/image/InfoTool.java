package io.cairn.cli.image;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code info}. */
final class InfoTool implements Tool {
  private static final Syntax SYNTAX =
      Syntax.of("info", "Print what is known of an image.")
          .value("-f --format", "FMT", "The image's format, qcow2 or raw.")
          .value("--output", "FORMAT", "human or json.")
          .flag("--backing-chain", "Tell of all backing files too.")
          .flag("-U --force-share", "Take and honour no locks.")
          .flag("--image-opts", "The image is given as driver=FMT,file.filename=FILE.")
          .value("--object", "OBJECT", "Refused: Cairn has no objects of QEMU's.")
          .example("info disk.qcow2")
          .example("info --backing-chain --output=json disk.qcow2")
          .operands("FILE");

  @Override
  public Syntax syntax() {
    return SYNTAX;
  }

  @Override
  public int run(Call call) throws ToolFailure, IOException {
    boolean chain = false;
    for (OptionScanner.Given given = call.next(); given != null; given = call.next()) {
      chain |= given.key().equals("backing-chain");
    }
    String name = call.onlyOperand("Expecting one image file name");
    List<ImageFacts> facts = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    try (Images.Opened opened = call.open(name, Images.Access.READ.alone())) {
      facts.add(ImageFacts.of(opened));
      seen.add(opened.name());
    }
    while (chain && facts.get(facts.size() - 1).backing().isPresent()) {
      ImageFacts above = facts.get(facts.size() - 1);
      String next = above.fullBackingName();
      if (!seen.add(next)) {
        throw ToolFailure.of("Backing file '" + next + "' creates an infinite loop.");
      }
      Optional<String> format = above.backing().orElseThrow().format();
      try (Images.Opened opened =
          call.images().open(next, format, Images.Access.READ.alone().shared(call.forceShare()))) {
        facts.add(ImageFacts.of(opened));
      }
    }
    print(call, facts, chain);
    return 0;
  }

  private static void print(Call call, List<ImageFacts> facts, boolean chain) {
    Console console = call.console();
    if (call.json()) {
      List<Object> documents = new ArrayList<>();
      facts.forEach(one -> documents.add(one.json()));
      console.out(QemuJson.pretty(chain ? documents : documents.get(0)) + "\n");
      return;
    }
    String separator = "";
    for (ImageFacts one : facts) {
      console.out(separator + one.human());
      separator = "\n";
    }
  }
}
