package io.cairn.cli;

import io.cairn.checkpoint.Checkpoint;
import io.cairn.checkpoint.CheckpointStore;
import io.cairn.checkpoint.Guest;
import io.cairn.storage.CairnException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * The names that shell completion offers, kept in files so that the shell needs no JVM to read
 * them: in the store's directory {@code names}, one file for each guest with its checkpoints'
 * names, one on each line. Rewritten after every change, by rename, so that a reader sees the old
 * or the new names; losing one harms nothing but a completion.
 */
final class NamesFile {
  private NamesFile() {}

  /** Writes the names of a guest anew, or removes them if it is gone. */
  static void update(Invocation in, CheckpointStore store, String guest) {
    try {
      Path directory = store.directory().resolve("names");
      if (store.guests().stream().noneMatch(g -> g.name().equals(guest))) {
        Files.deleteIfExists(directory.resolve(guest));
        return;
      }
      List<String> names = store.view(guest).tree().all().stream().map(Checkpoint::name).toList();
      Files.createDirectories(directory);
      // Hidden, so that a shell's * does not offer it as a guest.
      Path temporary = Files.createTempFile(directory, ".", ".tmp");
      Files.write(temporary, names, StandardCharsets.UTF_8);
      Files.move(temporary, directory.resolve(guest), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | CairnException e) {
      in.notice("the names for completion could not be written: " + e.getMessage());
    }
  }

  /** Writes the names of every guest anew. */
  static void updateAll(Invocation in, CheckpointStore store) {
    for (Guest guest : store.guests()) {
      update(in, store, guest.name());
    }
  }
}
