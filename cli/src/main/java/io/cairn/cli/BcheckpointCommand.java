package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.CreateRequest;
import io.cairn.checkpoint.DeleteRequest;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.GuestState;
import io.cairn.cli.terminal.Json;
import io.cairn.guest.bhyve.BhyveDriver;
import io.cairn.restore.RestorePlanner;
import io.cairn.restore.RestoreRequest;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** {@code cairn bcheckpoint}: checkpoints of guests of bhyve, in the words of CBSD. */
final class BcheckpointCommand extends Command {
  BcheckpointCommand() {
    super("bcheckpoint", "Checkpoint guests of bhyve with the words of CBSD.");
    paragraph(
        "Takes the arguments of 'cbsd bcheckpoint': mode= and jname=, the guest; name=, 'checkpoint'"
            + " if left out; poweroff=1 or suspend=1 to end the guest when its checkpoint exists."
            + " Unlike CBSD's, a checkpoint has the disks with the memory, the command ends when all"
            + " of it is durable and says whether it is, and a checkpoint of the same name is"
            + " deleted only after the new one exists.");
    paragraph(
        "mode=create takes a checkpoint of a guest that runs. mode=list names the checkpoints."
            + " mode=restore puts memory and disks back and lets the guest run. mode=destroy and"
            + " mode=destroyall delete one or all, and ask first. mode=import dir=DIR takes a"
            + " checkpoint out of CBSD's folder DIR, which was made with suspend=1 and whose guest"
            + " has not run since, into the tree, with the disks as they are.");
    arguments("KEY=VALUE", "1..*", "mode=, jname=, name=, poweroff=, suspend=, dir=.");
    confirmed();
    mutating();
    example("cairn bcheckpoint mode=create jname=web", "a checkpoint named 'checkpoint'");
    example("cairn bcheckpoint mode=create jname=web name=evening poweroff=1", "");
    example("cairn bcheckpoint mode=list jname=web", "");
    example("cairn bcheckpoint mode=restore jname=web name=evening", "");
    example("cairn bcheckpoint mode=destroyall jname=web --yes", "from a script");
    example(
        "cairn bcheckpoint mode=import jname=web name=checkpoint"
            + " dir=/usr/jails/jails-system/web/checkpoints",
        "");
  }

  @Override
  int run(Invocation in) throws IOException {
    CbsdArguments arguments = CbsdArguments.parse(in.options().arguments(0));
    CheckpointStore store = arguments.mode().equals("list") ? in.reading() : in.writing(false);
    Guest guest = domain(store, arguments.guest());
    return switch (arguments.mode()) {
      case "create" -> create(in, store, guest, arguments);
      case "list" -> list(in, store, guest);
      case "restore" -> restore(in, store, guest, arguments);
      case "destroy" -> destroy(in, store, guest, Optional.of(arguments.name()));
      case "destroyall" -> destroy(in, store, guest, Optional.empty());
      case "import" ->
          new CbsdImport(in, store, guest, arguments.name(), arguments.requireDirectory()).run();
      default ->
          throw new CairnException(
              ErrorCode.FAILED,
              "Unknown mode: " + arguments.mode(),
              "create, list, restore, destroy, destroyall or import");
    };
  }

  private static Guest domain(CheckpointStore store, String name) {
    Guest guest =
        store.guests().stream()
            .filter(g -> g.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new CairnException(
                        ErrorCode.FAILED,
                        "No such domains: " + name,
                        "cairn guest add " + name + " --driver bhyve makes it known"));
    if (!guest.driver().equals(BhyveDriver.NAME)) {
      throw new CairnException(
          ErrorCode.FAILED, "Not in bhyve mode", name + " has driver " + guest.driver());
    }
    return guest;
  }

  private static int create(
      Invocation in, CheckpointStore store, Guest guest, CbsdArguments arguments) {
    if (store.guestState(guest.name()) != GuestState.RUNNING) {
      throw new CairnException(
          ErrorCode.FAILED, "Not running", "cairn create takes checkpoints of disks alone");
    }
    boolean known =
        store.view(guest.name()).tree().all().stream()
            .anyMatch(checkpoint -> checkpoint.name().equals(arguments.name()));
    if (known && !in.json()) {
      in.terminal().out("Prune old checkpoint...");
    }
    CreateRequest request =
        CreateRequest.builder(guest.name())
            .name(arguments.name())
            .reuse(known)
            .live(
                new CreateRequest.Live(
                    false, false, arguments.powerOff(), Optional.empty(), Optional.empty()))
            .build();
    // Its name was given, as with CBSD: that is the confirmation.
    Planned.Outcome outcome =
        Planned.runConfirmed(in, store, () -> store.planCreate(request), "create");
    if (!in.json()) {
      outcome
          .result()
          .flatMap(result -> result.checkpoint())
          .ifPresent(made -> in.terminal().out("checkpoint was created: " + made.address()));
    }
    return outcome.exitCode();
  }

  private static int list(Invocation in, CheckpointStore store, Guest guest) {
    CheckpointTree tree = store.view(guest.name()).tree();
    List<Checkpoint> all =
        tree.all().stream().sorted(Comparator.comparing(Checkpoint::name)).toList();
    if (in.json()) {
      in.terminal()
          .out(
              Json.document("checkpoint-list", 1)
                  .put("guest", guest.name())
                  .put("current", tree.current().map(c -> c.id().hex()))
                  .put("checkpoints", all.stream().map(c -> Views.checkpoint(c, tree)).toList())
                  .toString());
      return 0;
    }
    in.terminal().out("Created checkpoint for " + guest.name() + ":");
    all.forEach(checkpoint -> in.terminal().out(checkpoint.name()));
    return 0;
  }

  private static int restore(
      Invocation in, CheckpointStore store, Guest guest, CbsdArguments arguments) {
    Checkpoint target = find(store, guest, arguments.name());
    if (!in.json()) {
      in.terminal().out("Checkpoint found, starting from: " + target.address());
    }
    RestoreRequest request = RestoreRequest.to(guest.name(), target.id());
    int code =
        Planned.run(in, store, () -> RestorePlanner.plan(store, request), "restore").exitCode();
    // A checkpoint of a guest that was suspended is one of a paused guest; CBSD starts it.
    if (code == 0 && !in.dryRun() && store.guestState(guest.name()) == GuestState.PAUSED) {
      store.resumeGuest(guest.name());
    }
    return code;
  }

  private static Checkpoint find(CheckpointStore store, Guest guest, String name) {
    return store.view(guest.name()).tree().all().stream()
        .filter(checkpoint -> checkpoint.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new CairnException(
                    ErrorCode.FAILED,
                    "Checkpoint not found: " + name,
                    "cairn bcheckpoint mode=list jname=" + guest.name()));
  }

  private static int destroy(
      Invocation in, CheckpointStore store, Guest guest, Optional<String> name) {
    DeleteRequest.Builder request = DeleteRequest.builder(guest.name());
    List<Checkpoint> doomed =
        name.isPresent()
            ? List.of(find(store, guest, name.get()))
            : store.view(guest.name()).tree().all();
    if (doomed.isEmpty()) {
      return 0;
    }
    doomed.forEach(checkpoint -> request.checkpoint(checkpoint.id()));
    DeleteRequest built = request.discardCurrent(name.isEmpty()).build();
    return Planned.run(in, store, () -> store.planDelete(built), "destroy").exitCode();
  }
}
