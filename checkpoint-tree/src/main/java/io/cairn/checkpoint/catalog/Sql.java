package io.cairn.checkpoint.catalog;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Statements of one catalog transaction. Prepared once for each text; used under its lock. */
public final class Sql {
  private final Connection connection;
  private final Map<String, PreparedStatement> prepared = new HashMap<>();

  Sql(Connection connection) {
    this.connection = connection;
  }

  /** Reads one row. */
  @FunctionalInterface
  public interface Row<T> {
    /** The value of the row the result set stands on. */
    T read(ResultSet row) throws SQLException;
  }

  /** Runs a change; returns how many rows it touched. */
  public int update(String statement, @Nullable Object... arguments) throws SQLException {
    return bound(statement, arguments).executeUpdate();
  }

  /** Adds a row and returns its row number. */
  public long insert(String statement, @Nullable Object... arguments) throws SQLException {
    update(statement, arguments);
    return one("SELECT last_insert_rowid()", r -> r.getLong(1));
  }

  /** Every row. */
  public <T> List<T> list(String query, Row<T> reader, @Nullable Object... arguments)
      throws SQLException {
    List<T> rows = new ArrayList<>();
    try (ResultSet result = bound(query, arguments).executeQuery()) {
      while (result.next()) {
        rows.add(reader.read(result));
      }
    }
    return rows;
  }

  /** The first row, if there is one. */
  public <T> Optional<T> first(String query, Row<T> reader, @Nullable Object... arguments)
      throws SQLException {
    try (ResultSet result = bound(query, arguments).executeQuery()) {
      return result.next() ? Optional.of(reader.read(result)) : Optional.empty();
    }
  }

  /** The one row there always is. */
  public <T> T one(String query, Row<T> reader, @Nullable Object... arguments) throws SQLException {
    return first(query, reader, arguments)
        .orElseThrow(() -> new SQLException("no row from: " + query));
  }

  /** Runs a statement without arguments that is not worth keeping. */
  void run(String statement) throws SQLException {
    try (Statement once = connection.createStatement()) {
      once.execute(statement);
    }
  }

  private PreparedStatement bound(String text, @Nullable Object... arguments) throws SQLException {
    PreparedStatement statement = prepared.get(text);
    if (statement == null) {
      statement = connection.prepareStatement(text);
      prepared.put(text, statement);
    }
    for (int i = 0; i < arguments.length; i++) {
      Object argument = arguments[i];
      if (argument instanceof Long number) {
        statement.setLong(i + 1, number);
      } else if (argument instanceof Integer number) {
        statement.setInt(i + 1, number);
      } else if (argument instanceof Boolean flag) {
        statement.setInt(i + 1, flag ? 1 : 0);
      } else if (argument == null) {
        statement.setNull(i + 1, java.sql.Types.NULL);
      } else {
        statement.setString(i + 1, argument.toString());
      }
    }
    return statement;
  }
}
