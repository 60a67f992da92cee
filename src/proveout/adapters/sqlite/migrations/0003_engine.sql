-- The whole engine: priority, order, keys that outlive payloads, signals, limits, schedules.
-- Everything here may stand while older workers go on: new columns have defaults they never read.

ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0; -- higher is claimed first
ALTER TABLE runs ADD COLUMN ordering TEXT; -- runs of one ordering key: one at a time, in order
ALTER TABLE runs ADD COLUMN origin TEXT;   -- the run whose effect keys a replay keeps
ALTER TABLE runs ADD COLUMN input TEXT;    -- digest of the input, once the input is pruned
ALTER TABLE runs ADD COLUMN pruned INTEGER; -- when its payloads were removed
DROP INDEX runs_queued;
CREATE INDEX runs_queued ON runs (experiment, priority DESC, due, seq) WHERE state = 'QUEUED';
CREATE INDEX runs_ordering ON runs (workflow, ordering, seq)
  WHERE ordering IS NOT NULL AND state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED');

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
  PRIMARY KEY (workflow, name)
);
