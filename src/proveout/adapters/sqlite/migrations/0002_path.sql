-- Releases, what they serve, the ledger, small records, and what arrives from outside.

ALTER TABLE runs ADD COLUMN release TEXT;                        -- set by the first claim
ALTER TABLE runs ADD COLUMN suspect INTEGER NOT NULL DEFAULT 0;  -- in flight when a worker died
ALTER TABLE runs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET release = 'draft' WHERE fence > 0 AND experiment IS NULL;
CREATE INDEX runs_of_release ON runs (release)
  WHERE state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED') AND release IS NOT NULL;
CREATE INDEX runs_ended ON runs (workflow, updated)
  WHERE state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED') AND release IS NOT NULL;
CREATE INDEX runs_suspect ON runs (release)
  WHERE state = 'QUEUED' AND experiment IS NULL AND suspect = 1;
CREATE INDEX runs_told ON runs (state, seq)
  WHERE state IN ('WAITING', 'PARKED', 'FAILED', 'DEAD', 'CANCELLED');

CREATE TABLE releases (
  digest      TEXT PRIMARY KEY,
  workflow    TEXT NOT NULL,
  number      INTEGER NOT NULL,
  manifest    BLOB NOT NULL,
  code        TEXT NOT NULL,
  environment TEXT NOT NULL,
  created     INTEGER NOT NULL,
  author      TEXT NOT NULL,
  archive     BLOB NOT NULL,
  settings    BLOB NOT NULL,
  UNIQUE (workflow, number)
);

CREATE TABLE pointers (
  workflow TEXT PRIMARY KEY,
  version  INTEGER NOT NULL,
  stage    TEXT NOT NULL,
  stable   TEXT,
  canary   TEXT,
  share    INTEGER, -- basis points
  salt     TEXT,
  since    INTEGER,
  hold     INTEGER,
  changed  INTEGER NOT NULL
);

CREATE TABLE halts (
  workflow TEXT NOT NULL,
  scope    TEXT NOT NULL,
  since    INTEGER NOT NULL,
  author   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  PRIMARY KEY (workflow, scope)
);

CREATE TABLE ledger (
  seq       INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  actor     TEXT NOT NULL,
  act       TEXT NOT NULL,
  subject   TEXT NOT NULL,
  facts     BLOB NOT NULL,
  previous  TEXT NOT NULL,
  hash      TEXT NOT NULL,
  key       TEXT NOT NULL,
  signature TEXT NOT NULL,
  unit      TEXT NOT NULL
);

CREATE TABLE records (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (kind, name)
);
INSERT INTO records VALUES ('store', 'id', CAST(lower(hex(randomblob(16))) AS BLOB));

CREATE TABLE deliveries (
  seq      INTEGER PRIMARY KEY,
  source   TEXT NOT NULL,
  event    TEXT NOT NULL,
  type     TEXT NOT NULL,
  received INTEGER NOT NULL,
  headers  TEXT NOT NULL, -- a list of pairs, as JSON
  body     BLOB NOT NULL,
  is_test  INTEGER NOT NULL,
  run      TEXT,
  unit     TEXT NOT NULL,
  UNIQUE (source, event)
);
