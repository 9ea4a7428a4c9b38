package io.cairn.guest.qemu.qmp;

import com.google.gson.JsonElement;
import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a QEMU can do, by its own word.
 *
 * @param commands the commands it knows
 * @param migrationCapabilities the switches of its migration
 * @param migrationParameters the settings of its migration that have a value
 */
public record QmpFeatures(
    Set<String> commands, Set<String> migrationCapabilities, Set<String> migrationParameters) {
  /** Copies the sets. */
  public QmpFeatures {
    commands = Set.copyOf(commands);
    migrationCapabilities = Set.copyOf(migrationCapabilities);
    migrationParameters = Set.copyOf(migrationParameters);
  }

  /** Asks QEMU. */
  public static QmpFeatures query(QmpClient client) throws IOException {
    return new QmpFeatures(
        names(client.execute("query-commands"), "name"),
        names(client.execute("query-migrate-capabilities"), "capability"),
        QmpJson.object(client.execute("query-migrate-parameters")).keySet());
  }

  private static Set<String> names(JsonElement list, String key) {
    Set<String> names = new TreeSet<>();
    QmpJson.objects(list).forEach(entry -> names.add(QmpJson.text(entry, key)));
    return names;
  }
}
