package io.cairn.checkpoint.catalog;

import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;

/**
 * The versions of the catalog's tables. Version N is made from version N-1 by the N-th script, in
 * one transaction; a catalog is never taken back to an earlier version.
 */
final class Schema {
  /** What this version of Cairn writes. */
  static final Schema CURRENT = new Schema(List.of("schema-1.sql", "schema-2.sql"));

  /** "CARN": marks an SQLite file as a catalog of Cairn. */
  private static final long APPLICATION_ID = 0x4341524eL;

  private final List<String> scripts;

  Schema(List<String> scripts) {
    this.scripts = List.copyOf(scripts);
  }

  int version() {
    return scripts.size();
  }

  /** The version a database has; 0 for one without any tables. */
  int read(Sql sql, Path file) throws SQLException {
    int version = sql.one("PRAGMA user_version", r -> r.getInt(1));
    long application = sql.one("PRAGMA application_id", r -> r.getLong(1));
    if (version == 0 && application == 0) {
      if (sql.one("SELECT count(*) FROM sqlite_schema", r -> r.getLong(1)) == 0) {
        return 0;
      }
    }
    if (application != APPLICATION_ID) {
      throw new CairnException(
          ErrorCode.STORE_UNUSABLE,
          file + " is an SQLite database, but not a catalog of Cairn",
          "give the directory of a Cairn store");
    }
    if (version > version()) {
      throw new CairnException(
          ErrorCode.STORE_UNUSABLE,
          String.format(
              "the store's catalog %s has version %d; this version of Cairn reads up to %d",
              file, version, version()),
          "use the version of Cairn that wrote it, or a newer one");
    }
    return version;
  }

  /** Brings a database to the present version. Runs within the caller's transaction. */
  void migrate(Sql sql, int from) throws SQLException {
    for (int version = from; version < version(); version++) {
      for (String statement : statements(scripts.get(version))) {
        sql.run(statement);
      }
    }
    sql.run("PRAGMA user_version = " + version());
    sql.run("PRAGMA application_id = " + APPLICATION_ID);
  }

  private static List<String> statements(String script) {
    try (InputStream in = Schema.class.getResourceAsStream(script)) {
      if (in == null) {
        throw new IllegalStateException("the resource " + script + " is missing");
      }
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return text
          .replaceAll("(?m)--.*$", "")
          .lines()
          .collect(java.util.stream.Collectors.joining("\n"))
          .transform(t -> List.of(t.split(";", -1)))
          .stream()
          .map(String::strip)
          .filter(s -> !s.isEmpty())
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(script, e);
    }
  }
}
