package io.cairn.checkpoint.catalog;

import com.google.gson.JsonParseException;
import io.cairn.checkpoint.files.Manifests;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.sqlite.JDBC;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteOpenMode;

/**
 * The store's database. Safe for use by threads, which take turns; other processes work beside it.
 *
 * <p>Durability: WAL with {@code synchronous=FULL}, so a write transaction is on stable storage
 * when {@link #write} returns.
 */
public final class Catalog implements AutoCloseable {
  /** The database's name in the store's directory. */
  public static final String FILE_NAME = "catalog.db";

  /** How long a statement waits for another process's write; each takes milliseconds. */
  private static final Duration BUSY = Duration.ofSeconds(10);

  private final Path file;
  private final Connection connection;
  private final Sql sql;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean closed;

  private Catalog(Path file, Connection connection) {
    this.file = file;
    this.connection = connection;
    this.sql = new Sql(connection);
  }

  /** What a catalog is opened for. */
  public enum Mode {
    /** Reading. */
    READ,
    /** Reading and writing; it must exist. */
    WRITE,
    /** Reading and writing; it is made if it does not exist. */
    CREATE
  }

  /** Statements that belong together. */
  @FunctionalInterface
  public interface Work<T> {
    /** Runs them. */
    T run(Sql statements) throws SQLException;
  }

  /** Statements that result in nothing. */
  @FunctionalInterface
  public interface Task {
    /** Runs them. */
    void run(Sql statements) throws SQLException;
  }

  /**
   * Opens the catalog of a store.
   *
   * @throws CairnException STORE_UNUSABLE if there is none, or of a newer version; CORRUPT if it is
   *     damaged
   */
  public static Catalog open(Path directory, Mode mode) {
    Path file = directory.resolve(FILE_NAME);
    boolean exists = Files.exists(file);
    if (!exists && (mode != Mode.CREATE || hasManifests(directory))) {
      throw noStore(directory);
    }
    Catalog catalog = null;
    try {
      if (!exists) {
        Files.createDirectories(directory);
      }
      catalog = new Catalog(file, mode == Mode.READ ? connectReading(file) : connect(file));
      catalog.bringUpToDate(directory, mode);
      return catalog;
    } catch (SQLException e) {
      closeAfter(catalog, e);
      throw SqlErrors.translate(e, file);
    } catch (CairnException e) {
      closeAfter(catalog, e);
      throw e;
    } catch (IOException e) {
      throw new CairnException(
          ErrorCode.STORE_UNUSABLE,
          "the store's directory " + directory + " cannot be made: " + e,
          "give another directory, or check permissions");
    }
  }

  private static void closeAfter(@org.jspecify.annotations.Nullable Catalog catalog, Exception e) {
    if (catalog != null) {
      try {
        catalog.connection.close();
      } catch (SQLException suppressed) {
        e.addSuppressed(suppressed);
      }
    }
  }

  private static CairnException noStore(Path directory) {
    if (hasManifests(directory)) {
      return new CairnException(
          ErrorCode.STORE_UNUSABLE,
          "the store at " + directory + " has lost its catalog " + FILE_NAME,
          "'cairn doctor --rebuild' makes it anew from the manifests and the disks");
    }
    return new CairnException(
        ErrorCode.STORE_UNUSABLE,
        "there is no store at " + directory,
        "'cairn guest add' makes one; --store or CAIRN_STORE names another directory");
  }

  /** A store that has manifests had a catalog: a new, empty one would hide what was lost. */
  private static boolean hasManifests(Path directory) {
    try (Stream<Path> guests = Files.list(directory.resolve(Manifests.GUESTS))) {
      return guests.findAny().isPresent();
    } catch (IOException e) {
      return false;
    }
  }

  private void bringUpToDate(Path directory, Mode mode) throws SQLException {
    int version = Schema.CURRENT.read(sql, file);
    if (version == Schema.CURRENT.version()) {
      return;
    }
    if (mode == Mode.READ) {
      if (version == 0) {
        throw noStore(directory);
      }
      throw new CairnException(
          ErrorCode.STORE_UNUSABLE,
          "the store at " + directory + " was written by an older version of Cairn",
          "open it once for writing, which brings it up to date");
    }
    if (version == 0) {
      // An empty database is what a crash leaves between making the file and making the tables.
      if (mode == Mode.WRITE || hasManifests(directory)) {
        throw noStore(directory);
      }
      sql.run("PRAGMA journal_mode = WAL");
    }
    write(
        s -> {
          // Another process may have done it since.
          int now = Schema.CURRENT.read(s, file);
          if (now < Schema.CURRENT.version()) {
            Schema.CURRENT.migrate(s, now);
          }
          return now;
        });
  }

  // Connecting

  private static Connection connect(Path file) throws SQLException {
    SQLiteConfig config = config();
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.enforceForeignKeys(true);
    return connect(file, "", config.toProperties());
  }

  /**
   * Reading needs SQLite's shared-memory file beside the database. Where that can neither be found
   * nor made, as on a read-only file system, and no write-ahead log holds newer pages, nobody can
   * be writing: then the database is read as it lies.
   */
  private static Connection connectReading(Path file) throws SQLException {
    SQLiteConfig config = config();
    config.setReadOnly(true);
    config.resetOpenMode(SQLiteOpenMode.CREATE);
    Connection connection = connect(file, "?mode=ro", config.toProperties());
    try (var statement = connection.createStatement()) {
      statement.execute("SELECT count(*) FROM sqlite_schema");
      return connection;
    } catch (SQLException e) {
      connection.close();
      Path log = file.resolveSibling(file.getFileName() + "-wal");
      if (Files.isWritable(file.toAbsolutePath().getParent()) || sizeOf(log) > 0) {
        throw e;
      }
      return connect(file, "?immutable=1", config.toProperties());
    }
  }

  private static long sizeOf(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return 0;
    }
  }

  private static SQLiteConfig config() {
    SQLiteConfig config = new SQLiteConfig();
    config.setBusyTimeout((int) BUSY.toMillis());
    return config;
  }

  private static Connection connect(Path file, String parameters, Properties properties)
      throws SQLException {
    String url = JDBC.PREFIX + "file:" + file.toUri().getRawPath() + parameters;
    return JDBC.createConnection(url, properties);
  }

  // Transactions

  /** The database's file. */
  public Path file() {
    return file;
  }

  /** Runs statements on one consistent state. */
  public <T> T read(Work<T> work) {
    return transaction("BEGIN", work);
  }

  /** Changes the catalog, all or nothing; durable on return. One writer at a time. */
  public <T> T write(Work<T> work) {
    return transaction("BEGIN IMMEDIATE", work);
  }

  /** Changes the catalog, all or nothing; durable on return. One writer at a time. */
  public void change(Task task) {
    transaction(
        "BEGIN IMMEDIATE",
        s -> {
          task.run(s);
          return true;
        });
  }

  private <T> T transaction(String begin, Work<T> work) {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the store is closed");
      }
      sql.run(begin);
      boolean committed = false;
      try {
        T result = work.run(sql);
        sql.run("COMMIT");
        committed = true;
        return result;
      } finally {
        if (!committed) {
          rollBack();
        }
      }
    } catch (SQLException e) {
      throw SqlErrors.translate(e, file);
    } catch (JsonParseException | DateTimeException | IllegalArgumentException e) {
      // The statements themselves are right: what does not parse is what is stored.
      throw SqlErrors.damaged(file, String.valueOf(e.getMessage()), e);
    } finally {
      lock.unlock();
    }
  }

  /** Whatever brought us here is what gets reported; the database undoes an open one anyway. */
  private void rollBack() {
    try {
      if (!connection.isClosed()) {
        sql.run("ROLLBACK");
      }
    } catch (SQLException e) {
      assert e != null;
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        connection.close();
      }
    } catch (SQLException e) {
      throw SqlErrors.translate(e, file);
    } finally {
      lock.unlock();
    }
  }
}
