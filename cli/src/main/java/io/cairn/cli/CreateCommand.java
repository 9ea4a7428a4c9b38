package io.cairn.cli;

import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CreateRequest;

/** {@code cairn create}. */
final class CreateCommand extends Command {
  CreateCommand() {
    super("create", "Make a checkpoint of a guest's present state.");
    paragraph(
        "All disks of the guest become one checkpoint, or none does. Without a name the checkpoint"
            + " is named by its time, such as 20261121T100000Z. On standard output its address is"
            + " printed, or with -q its id.");
    argument("NAME[@CKPT]", "The guest, and the new checkpoint's name.");
    option("-m --message", "TEXT", "Describe the checkpoint.");
    options("--tag", "KEY=VALUE", "Tag the checkpoint; may be given several times.");
    flag("--pin", "Protect the checkpoint from deletion.");
    flag("--reuse", "Let the new checkpoint take the name of an existing one, which is deleted.");
    flag("-q --quiet", "Print the id only.");
    confirmed();
    mutating();
    example("cairn create web", "a checkpoint named by its time");
    example("cairn create web@before-upgrade -m 'all tests green' --tag os=debian12", "");
    example("cairn create web --dry-run", "what would be done");
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
}
