-- Version 1 of the catalog. Times are milliseconds since 1970 UTC; maps are JSON objects.

CREATE TABLE guests (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  driver TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  current_id TEXT REFERENCES checkpoints (id) DEFERRABLE INITIALLY DEFERRED,
  revision INTEGER NOT NULL DEFAULT 1,
  manifest_revision INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE disks (
  guest_id TEXT NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  disk_id TEXT NOT NULL,
  backend TEXT NOT NULL,
  location TEXT NOT NULL,
  options TEXT NOT NULL,
  identity TEXT NOT NULL,
  PRIMARY KEY (guest_id, position),
  UNIQUE (guest_id, disk_id),
  UNIQUE (backend, location)
) STRICT;

CREATE TABLE checkpoints (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  guest_id TEXT NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  parent_id TEXT REFERENCES checkpoints (id) DEFERRABLE INITIALLY DEFERRED,
  created_ms INTEGER NOT NULL,
  description TEXT NOT NULL,
  pinned INTEGER NOT NULL,
  automatic INTEGER NOT NULL,
  manifest_due INTEGER NOT NULL DEFAULT 1,
  UNIQUE (guest_id, name)
) STRICT;

CREATE INDEX checkpoints_by_parent ON checkpoints (parent_id);

CREATE TABLE disk_snapshots (
  checkpoint_seq INTEGER NOT NULL REFERENCES checkpoints (seq) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  disk_id TEXT NOT NULL,
  backend TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  identity TEXT NOT NULL,
  PRIMARY KEY (checkpoint_seq, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
  checkpoint_seq INTEGER NOT NULL REFERENCES checkpoints (seq) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (checkpoint_seq, key)
) STRICT, WITHOUT ROWID;

-- Snapshots of deleted checkpoints that could not be freed yet.
CREATE TABLE retained_snapshots (
  guest_id TEXT NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
  checkpoint_id TEXT NOT NULL,
  disk_id TEXT NOT NULL,
  backend TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  identity TEXT NOT NULL,
  PRIMARY KEY (guest_id, checkpoint_id, disk_id)
) STRICT, WITHOUT ROWID;

-- Every label this store ever had put on a snapshot: what carries one of these and belongs to no
-- checkpoint is a leftover, not somebody else's.
CREATE TABLE labels (
  checkpoint_id TEXT PRIMARY KEY,
  guest_id TEXT NOT NULL REFERENCES guests (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  guest_id TEXT NOT NULL REFERENCES guests (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('PREPARING', 'COMMITTED', 'DONE', 'ABORTED')),
  subject TEXT NOT NULL,
  plan_digest TEXT NOT NULL,
  started_ms INTEGER NOT NULL,
  finished_ms INTEGER,
  change TEXT NOT NULL
) STRICT;

CREATE INDEX journal_unfinished ON journal (guest_id, seq)
  WHERE state IN ('PREPARING', 'COMMITTED');

CREATE TABLE journal_steps (
  journal_seq INTEGER NOT NULL REFERENCES journal (seq) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  after_commit INTEGER NOT NULL,
  step TEXT NOT NULL,
  started_ms INTEGER,
  done_ms INTEGER,
  outcome TEXT,
  PRIMARY KEY (journal_seq, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE locks (
  guest_id TEXT PRIMARY KEY REFERENCES guests (id) ON DELETE CASCADE,
  token TEXT NOT NULL,
  host TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  process_id INTEGER NOT NULL,
  process_start_ms INTEGER NOT NULL,
  command TEXT NOT NULL,
  since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One line of the audit log each; exported once it is in the audit.log file too.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  guest TEXT NOT NULL,
  line TEXT NOT NULL,
  exported INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX audit_unexported ON audit (seq) WHERE exported = 0;
