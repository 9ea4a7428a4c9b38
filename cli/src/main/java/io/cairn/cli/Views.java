package io.cairn.cli;

import io.cairn.checkpoint.AuditRecord;
import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointId;
import io.cairn.checkpoint.CheckpointMemory;
import io.cairn.checkpoint.CheckpointTree;
import io.cairn.checkpoint.CheckpointUsage;
import io.cairn.checkpoint.Guest;
import io.cairn.checkpoint.OperationPlan;
import io.cairn.checkpoint.OperationResult;
import io.cairn.checkpoint.guest.GuestPause;
import io.cairn.cli.terminal.Json;
import io.cairn.storage.Blocker;
import io.cairn.storage.DiskRef;
import io.cairn.storage.Finding;
import io.cairn.storage.SnapshotUsage;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** The JSON form of what the API returns, under the names that its records have. */
final class Views {
  private static final long NANOS_PER_MICRO = 1000;

  private Views() {}

  static Json guest(Guest guest, CheckpointTree tree) {
    List<Json> disks = guest.disks().stream().map(Views::disk).toList();
    return Json.object()
        .put("id", guest.id())
        .put("name", guest.name())
        .put("driver", guest.driver())
        .put(
            "driverOptions",
            guest.driverOptions().isEmpty() ? Optional.empty() : Optional.of(guest.driverOptions()))
        .put("created", guest.created())
        .put("checkpoints", tree.size())
        .put("current", tree.current().map(c -> c.id().hex()))
        .put("disks", disks);
  }

  static Json disk(DiskRef disk) {
    return Json.object()
        .put("id", disk.id())
        .put("backend", disk.backend())
        .put("location", disk.location())
        .put("options", disk.options());
  }

  static Json checkpoint(Checkpoint checkpoint, CheckpointTree tree) {
    return checkpoint(checkpoint).put("current", ListCommand.isCurrent(checkpoint, tree));
  }

  static Json checkpoint(Checkpoint checkpoint) {
    List<Json> disks =
        checkpoint.disks().stream()
            .map(
                disk ->
                    Json.object()
                        .put("diskId", disk.diskId())
                        .put("backend", disk.backend())
                        .put("virtualSizeBytes", disk.virtualSizeBytes())
                        .put("identity", disk.identity()))
            .toList();
    return Json.object()
        .put("id", checkpoint.id().hex())
        .put("guest", checkpoint.guest())
        .put("name", checkpoint.name())
        .put("parent", checkpoint.parent().map(CheckpointId::hex))
        .put("created", checkpoint.created())
        .put("description", nonEmpty(checkpoint.description()))
        .put("tags", checkpoint.tags())
        .put("pinned", checkpoint.pinned())
        .put("automatic", checkpoint.automatic())
        .put("disks", disks)
        .put("memory", checkpoint.memory().map(Views::memory));
  }

  static Json memory(CheckpointMemory memory) {
    return Json.object()
        .put("digest", memory.digest())
        .put("sizeBytes", memory.sizeBytes())
        .put("storedBytes", memory.storedBytes())
        .put("driver", memory.driver())
        .put("method", memory.method())
        .put("running", memory.running())
        .put("continued", memory.continued())
        .put("machine", facts(memory))
        .put("launchDigest", nonEmpty(memory.launchDigest()))
        .put("pause", pause(memory.pause()))
        .put("pairing", memory.pairing());
  }

  /** What the machine consists of; how it is started is told by a digest alone. */
  static SortedMap<String, String> facts(CheckpointMemory memory) {
    SortedMap<String, String> facts = new TreeMap<>(memory.machine());
    facts.keySet().removeIf(key -> key.startsWith(CheckpointMemory.LAUNCH));
    return facts;
  }

  static Json pause(GuestPause pause) {
    return Json.object()
        .put("totalMs", pause.total())
        .put("freezeMs", pause.freeze())
        .put("memoryMs", pause.memory())
        .put("disksMs", pause.disks())
        .put("resumeMs", pause.resume())
        .put("totalMicros", pause.total().toNanos() / NANOS_PER_MICRO);
  }

  static Json usage(CheckpointUsage usage) {
    return Json.object()
        .put("usedBytes", usage.usedBytes())
        .put("uniqueBytes", usage.uniqueBytes())
        .put("memoryUsedBytes", usage.memory().map(SnapshotUsage::usedBytes))
        .put("memoryUniqueBytes", usage.memory().map(SnapshotUsage::uniqueBytes));
  }

  static Json plan(OperationPlan plan) {
    List<Json> steps =
        plan.steps().stream()
            .map(
                step ->
                    Json.object()
                        .put("backend", step.backend())
                        .put("action", step.action())
                        .put("afterCommit", step.afterCommit())
                        .put("lines", step.lines())
                        .put("bytesToWrite", step.bytesToWrite())
                        .put("bytesToFree", step.bytesToFree()))
            .toList();
    return Json.document("plan", 1)
        .put("kind", plan.kind().word())
        .put("guest", plan.guest())
        .put("subject", plan.subject())
        .put("digest", plan.digest())
        .put("revision", plan.revision())
        .put("destructive", plan.destructive())
        .put("nothingToDo", plan.nothingToDo())
        .put("steps", steps)
        .put("blockers", blockers(plan.blockers()))
        .put("bytesToWrite", plan.bytesToWrite())
        .put("bytesToFree", plan.bytesToFree())
        .put("effects", plan.effects());
  }

  static List<Json> blockers(List<Blocker> blockers) {
    return blockers.stream()
        .map(
            blocker ->
                Json.object()
                    .put("kind", blocker.code().name())
                    .put("object", blocker.object())
                    .put("message", blocker.message())
                    .put("hint", nonEmpty(blocker.hint())))
        .toList();
  }

  static Json result(OperationPlan plan, OperationResult result) {
    return Json.document("result", 1)
        .put("kind", plan.kind().word())
        .put("guest", plan.guest())
        .put("subject", plan.subject())
        .put("transaction", nonEmpty(result.transactionId()))
        .put("checkpoint", result.checkpoint().map(Views::checkpoint))
        .put("created", result.created().stream().map(Views::checkpoint).toList())
        .put("deleted", result.deleted().stream().map(CheckpointId::hex).toList())
        .put("current", result.current().map(CheckpointId::hex))
        .put("bytesWritten", result.bytesWritten())
        .put("bytesFreed", result.bytesFreed())
        .put("elapsedMs", result.elapsed())
        .put("pause", result.pause().map(Views::pause))
        .put("notes", result.notes());
  }

  static Json finding(Finding finding) {
    return Json.object()
        .put("kind", finding.kind().name())
        .put("object", finding.object())
        .put("message", finding.message());
  }

  static Json audit(AuditRecord entry) {
    return Json.object()
        .put("time", entry.time())
        .put("event", entry.event())
        .put("action", entry.action())
        .put("guest", nonEmpty(entry.guest()))
        .put("subject", nonEmpty(entry.subject()))
        .put("transaction", entry.transactionId())
        .put("user", nonEmpty(entry.user()))
        .put("sudoUser", entry.sudoUser())
        .put("command", nonEmpty(entry.command()))
        .put("planDigest", entry.planDigest())
        .put("checkpoints", entry.checkpoints().stream().map(CheckpointId::hex).toList())
        .put("result", nonEmpty(entry.result()))
        .put("message", nonEmpty(entry.message()))
        .put("durationMs", entry.duration())
        .put("pause", entry.pause().map(Views::pause));
  }

  /** Absent means that the key is missing, never an empty text. */
  static Optional<String> nonEmpty(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}
