-- A third version, as a later release may bring it.
ALTER TABLE guests ADD COLUMN note TEXT NOT NULL DEFAULT 'none';
CREATE TABLE later (id INTEGER PRIMARY KEY); -- with a comment
