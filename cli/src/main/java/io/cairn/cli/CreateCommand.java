package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;

/** {@code cairn create}. */
final class CreateCommand extends Command {
  CreateCommand() {
    super("create", "Make a checkpoint of a guest's present state.");
    paragraph(
        "All disks of the guest become one checkpoint, or none does. Without a name the checkpoint"
            + " is named by its time, such as 20261121T100000Z. On standard output its address is"
            + " printed, or with -q its id.");
    paragraph(
        "Of a guest that runs, memory and disks are taken at the same instant, while it is paused;"
            + " then it runs on. The pause is measured and printed.");
    argument("NAME[@CKPT]", "The guest, and the new checkpoint's name.");
    option("-m --message", "TEXT", "Describe the checkpoint.");
    options("--tag", "KEY=VALUE", "Tag the checkpoint; may be given several times.");
    flag("--pin", "Protect the checkpoint from deletion.");
    flag("--reuse", "Let the new checkpoint take the name of an existing one, which is deleted.");
    flag("--disk-only", "Leave the memory of a running guest out.");
    flag(
        "--quiesce",
        "With --disk-only: have the system within the guest put its file systems in order first.");
    flag("--poweroff", "End a running guest when its checkpoint exists.");
    option(
        "--max-pause",
        "DURATION",
        "Refuse beforehand if a running guest would be paused for longer, such as 200ms.");
    option(
        "--method",
        "METHOD",
        "How a running guest's memory is saved, in a word of its driver's, such as background, live"
            + " or stopped. Default: the shortest pause that is safe.");
    flag("-q --quiet", "Print the id only.");
    confirmed();
    mutating();
    example("cairn create web", "a checkpoint named by its time");
    example("cairn create web@before-upgrade -m 'all tests green' --tag os=debian12", "");
    example("cairn create web --dry-run", "what would be done");
    example("cairn create web@evening --poweroff", "like closing the lid of a laptop");
    example("cairn create web --max-pause 100ms", "or not at all");
  }

  @Override
  int run(Invocation in) {
    Address address = Address.parse(in.argument(0));
    CreateRequest.Builder request = CreateRequest.builder(address.guest());
    address.checkpoint().ifPresent(request::name);
    in.value("--message").ifPresent(request::description);
    for (String tag : in.options().values("--tag")) {
      Tags.KeyValue parsed = Tags.parse(tag);
      request.tag(parsed.key(), parsed.value());
    }
    request.pinned(in.has("--pin")).reuse(in.has("--reuse"));
    request.live(live(in));
    CheckpointStore store = in.writing(false);
    CreateRequest built = request.build();
    Planned.Outcome outcome = Planned.run(in, store, () -> store.planCreate(built), "create");
    if (!in.json()) {
      outcome
          .result()
          .flatMap(result -> result.checkpoint())
          .ifPresent(made -> in.terminal().out(in.has("-q") ? made.id().hex() : made.address()));
    }
    return outcome.exitCode();
  }

  private static CreateRequest.Live live(Invocation in) {
    boolean diskOnly = in.has("--disk-only");
    if (in.has("--quiesce") && !diskOnly) {
      throw new CairnException(
          ErrorCode.USAGE,
          "--quiesce is for --disk-only: a guest that continues with its memory needs no order in"
              + " its file systems",
          "add --disk-only, or leave --quiesce out");
    }
    if (diskOnly && (in.has("--method") || in.has("--max-pause"))) {
      throw new CairnException(
          ErrorCode.USAGE,
          "--method and --max-pause are about the memory",
          "leave out --disk-only");
    }
    return new CreateRequest.Live(
        diskOnly,
        in.has("--quiesce"),
        in.has("--poweroff"),
        in.value("--max-pause").map(text -> Settings.duration("--max-pause", text)),
        in.value("--method"));
  }
}
