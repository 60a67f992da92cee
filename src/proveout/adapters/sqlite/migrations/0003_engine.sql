-- The whole engine: priority, order, keys that outlive payloads, signals, limits, schedules.
-- Engines that know schema 2 or newer may go on: new columns have defaults they never read.

ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0; -- higher is claimed first
ALTER TABLE runs ADD COLUMN ordering TEXT; -- runs of one ordering key: one at a time, in order
ALTER TABLE runs ADD COLUMN not_before INTEGER; -- when it may begin, kept until its turn comes
ALTER TABLE runs ADD COLUMN origin TEXT;   -- the run whose effect keys a replay keeps
ALTER TABLE runs ADD COLUMN input TEXT;    -- digest of the input, once the input is pruned
ALTER TABLE runs ADD COLUMN pruned INTEGER; -- when its payloads were removed
DROP INDEX runs_queued;
CREATE INDEX runs_queued ON runs (experiment, priority DESC, due, seq) WHERE state = 'QUEUED';
-- What has not begun: what an intake limit counts.
CREATE INDEX runs_unbegun ON runs (workflow)
  WHERE fence = 0 AND state IN ('QUEUED', 'WAITING') AND experiment IS NULL;
-- Whose turn it is: the first of each key that has not ended.
CREATE INDEX runs_ordering ON runs (workflow, ordering, seq)
  WHERE ordering IS NOT NULL AND state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED');
-- What retention looks for: payloads of runs that ended long ago, and rows to forget.
CREATE INDEX runs_kept ON runs (workflow, updated)
  WHERE pruned IS NULL AND experiment IS NULL
    AND state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED');
CREATE INDEX runs_pruned ON runs (workflow, updated) WHERE pruned IS NOT NULL;
CREATE INDEX deliveries_kept ON deliveries (source, received)
  WHERE run IS NULL AND length(body) > 0;
CREATE INDEX deliveries_pruned ON deliveries (source, received)
  WHERE run IS NULL AND length(body) = 0;

-- Every signal that was sent, under the name of the wait for it ("signal paid"); which wait
-- took it, or none where it is kept for the next.
CREATE TABLE signals (
  seq        INTEGER PRIMARY KEY,
  run        TEXT NOT NULL,
  name       TEXT NOT NULL,
  value      BLOB NOT NULL,
  unit       TEXT NOT NULL UNIQUE,
  path       TEXT,
  occurrence INTEGER
);
CREATE INDEX signals_run ON signals (run, name, seq);

-- What is left of each shared limit; workers take slices from it.
CREATE TABLE limits (
  name    TEXT PRIMARY KEY,
  level   REAL NOT NULL,
  updated INTEGER NOT NULL
);

-- Up to which tick each schedule has fired.
CREATE TABLE schedules (
  workflow TEXT NOT NULL,
  name     TEXT NOT NULL,
  ticked   INTEGER NOT NULL,
  unit     TEXT NOT NULL, -- the one that moved it last
  PRIMARY KEY (workflow, name)
);
