-- Moments are microseconds since 1970 in UTC; payloads are bytes of JSON.

CREATE TABLE runs (
  seq         INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  workflow    TEXT NOT NULL,
  state       TEXT NOT NULL,
  value       BLOB NOT NULL,
  key         TEXT,
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  due         INTEGER,
  fence       INTEGER NOT NULL DEFAULT 0,
  worker      TEXT,
  lease_until INTEGER,
  wake        INTEGER NOT NULL DEFAULT 0, -- an answer came while the run was not waiting
  unit        TEXT,                       -- the last unit that moved the run
  experiment  TEXT,
  candidate   TEXT,
  position    INTEGER,
  case_digest TEXT,
  result      BLOB,
  failure     BLOB,
  elapsed     REAL,
  note        TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX runs_key ON runs (workflow, key) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX runs_trial ON runs (experiment, candidate, position) WHERE experiment IS NOT NULL;
CREATE INDEX runs_queued ON runs (experiment, due, seq) WHERE state = 'QUEUED';
CREATE INDEX runs_running ON runs (lease_until) WHERE state = 'RUNNING';
CREATE INDEX runs_waiting ON runs (due) WHERE state = 'WAITING' AND due IS NOT NULL;

CREATE TABLE journal (
  seq        INTEGER PRIMARY KEY,
  run        TEXT NOT NULL,
  path       TEXT NOT NULL,
  name       TEXT NOT NULL,
  occurrence INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  digest     TEXT NOT NULL,
  arguments  TEXT NOT NULL,
  outcome    TEXT NOT NULL, -- returned, raised or pending
  value      BLOB,          -- the value, or the failure
  due        INTEGER,
  started    INTEGER NOT NULL,
  tries      INTEGER NOT NULL,
  elapsed    REAL NOT NULL,
  fence      INTEGER NOT NULL,
  unit       TEXT NOT NULL,
  UNIQUE (run, path, name, occurrence)
);

CREATE TABLE reviews (
  id         TEXT PRIMARY KEY,
  run        TEXT NOT NULL,
  path       TEXT NOT NULL,
  name       TEXT NOT NULL,
  occurrence INTEGER NOT NULL,
  queue      TEXT NOT NULL,
  content    BLOB NOT NULL,
  digest     TEXT NOT NULL,
  opened     INTEGER NOT NULL,
  deadline   INTEGER,
  on_expiry  TEXT NOT NULL,
  state      TEXT NOT NULL,
  answer     BLOB,
  decided    INTEGER,
  unit       TEXT
);
CREATE INDEX reviews_run ON reviews (run);
CREATE INDEX reviews_open ON reviews (deadline) WHERE state = 'open';

CREATE TABLE experiments (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  workflow   TEXT NOT NULL,
  lock       TEXT NOT NULL,
  look       INTEGER NOT NULL,
  order_seed INTEGER NOT NULL,
  dataset    TEXT NOT NULL,
  plan       BLOB NOT NULL,
  locked     INTEGER NOT NULL,
  verdict    BLOB,
  UNIQUE (workflow, name, lock, look)
);
