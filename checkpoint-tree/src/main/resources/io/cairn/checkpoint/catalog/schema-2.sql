-- Version 2 of the catalog: guests that run.

ALTER TABLE guests ADD COLUMN driver_options TEXT NOT NULL DEFAULT '{}';

-- The memory of checkpoints of running guests; the content is in memory images beside the manifests.
CREATE TABLE memories (
  checkpoint_seq INTEGER PRIMARY KEY REFERENCES checkpoints (seq) ON DELETE CASCADE,
  record TEXT NOT NULL
) STRICT;

-- What a transaction does with a running guest, how far it is with that, and the memory it saved.
ALTER TABLE journal ADD COLUMN live TEXT;
ALTER TABLE journal ADD COLUMN live_stage TEXT;
ALTER TABLE journal ADD COLUMN live_memory TEXT;
