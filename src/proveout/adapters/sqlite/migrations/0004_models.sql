-- Calls of models: who made each, and what it took.
-- Engines that know schema 3 or newer may go on: they keep no calls, and read none.

-- Kept for the account, whatever became of the run, and of runs that are not known, too.
CREATE TABLE model_calls (
  id          TEXT PRIMARY KEY,
  run         TEXT NOT NULL,
  fence       INTEGER NOT NULL,
  path        TEXT,              -- with name and occurrence the step; none for the workflow's own code
  name        TEXT,
  occurrence  INTEGER,
  provider    TEXT NOT NULL,
  asked       TEXT NOT NULL,
  answered    TEXT NOT NULL,
  status      INTEGER NOT NULL,
  read        INTEGER,           -- tokens, as far as the answer said
  cached      INTEGER,
  written     INTEGER,
  picodollars INTEGER,           -- whole ones, so that sums are exact; none where unpriced
  started     INTEGER NOT NULL,
  elapsed     REAL NOT NULL
);
-- All that a sum reads.
CREATE INDEX model_calls_run ON model_calls (run, read, written, picodollars);
