package io.cairn.checkpoint;

import io.cairn.checkpoint.catalog.Catalog;
import io.cairn.checkpoint.catalog.CheckpointTable;
import io.cairn.checkpoint.catalog.GuestTable;
import io.cairn.checkpoint.catalog.GuestTable.GuestRow;
import io.cairn.checkpoint.catalog.RetainedTable;
import io.cairn.checkpoint.catalog.Sql;
import io.cairn.storage.CairnException;
import io.cairn.storage.ErrorCode;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** Consistent looks at guests. */
final class CatalogReader {
  private final Catalog catalog;

  /** The last look at each guest, by id; good as long as the guest's revision has not moved. */
  private final Map<String, GuestView> seen = new ConcurrentHashMap<>();

  CatalogReader(Catalog catalog) {
    this.catalog = catalog;
  }

  /** A look at a guest, with what waits to be freed. */
  record Look(GuestView view, List<RetainedSnapshot> retained) {}

  List<Guest> guests() {
    return catalog.read(s -> GuestTable.all(s).stream().map(GuestRow::guest).toList());
  }

  /** The guest of that name. */
  Guest guest(String name) {
    return catalog.read(s -> row(s, name)).guest();
  }

  GuestView view(String name) {
    return catalog.read(s -> view(s, row(s, name)));
  }

  Look look(String name) {
    return catalog.read(
        s -> {
          GuestRow row = row(s, name);
          return new Look(view(s, row), RetainedTable.all(s, row.guest().id()));
        });
  }

  private GuestView view(Sql sql, GuestRow row) throws SQLException {
    String id = row.guest().id();
    GuestView last = seen.get(id);
    if (last != null && last.revision() == row.revision() && last.guest().equals(row.guest())) {
      return last;
    }
    CheckpointTree tree =
        CheckpointTree.of(CheckpointTable.all(sql, id, row.guest().name()), row.current());
    GuestView view = new GuestView(row.guest(), tree, row.revision());
    seen.put(id, view);
    return view;
  }

  private static GuestRow row(Sql sql, String name) throws SQLException {
    Optional<String> id = GuestTable.idOf(sql, name);
    if (id.isEmpty()) {
      String known =
          GuestTable.all(sql).stream()
              .map(r -> r.guest().name())
              .limit(10)
              .collect(Collectors.joining(", "));
      throw new CairnException(
          ErrorCode.NOT_FOUND,
          "there is no guest '" + name + "'",
          known.isEmpty() ? "'cairn guest add' adds one" : "known guests: " + known);
    }
    return GuestTable.byId(sql, id.get()).orElseThrow();
  }

  /** The checkpoint of that id. */
  static Checkpoint require(GuestView view, CheckpointId id) {
    return view.tree()
        .get(id)
        .orElseThrow(
            () ->
                new CairnException(
                    ErrorCode.NOT_FOUND,
                    "guest " + view.guest().name() + " has no checkpoint with id " + id.shortForm(),
                    "'cairn list' shows the checkpoints that exist"));
  }
}
