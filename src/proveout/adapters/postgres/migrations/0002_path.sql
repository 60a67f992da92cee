-- Releases, what they serve, the ledger, small records, and what arrives from outside.

ALTER TABLE proveout.runs
  ADD COLUMN release text COLLATE "C",               -- set by the first claim
  ADD COLUMN suspect boolean NOT NULL DEFAULT false, -- in flight when a worker died
  ADD COLUMN crashes bigint NOT NULL DEFAULT 0;
UPDATE proveout.runs SET release = 'draft' WHERE fence > 0 AND experiment IS NULL;
CREATE INDEX runs_of_release ON proveout.runs (release)
  WHERE state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED') AND release IS NOT NULL;
CREATE INDEX runs_ended ON proveout.runs (workflow, updated)
  WHERE state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED') AND release IS NOT NULL;
CREATE INDEX runs_suspect ON proveout.runs (release)
  WHERE state = 'QUEUED' AND experiment IS NULL AND suspect;

-- The lot that a run's key draws; the same number as domain/release.py computes.
CREATE FUNCTION proveout.lot(salt text, key text) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('x' || left(encode(sha256(convert_to(salt || ':' || key, 'UTF8')), 'hex'), 8))
           ::bit(32)::bigint % 10000
  $$;

CREATE TABLE proveout.releases (
  digest      text COLLATE "C" PRIMARY KEY,
  workflow    text COLLATE "C" NOT NULL,
  number      bigint NOT NULL,
  manifest    bytea NOT NULL,
  code        text NOT NULL,
  environment text NOT NULL,
  created     timestamptz NOT NULL,
  author      text NOT NULL,
  archive     bytea NOT NULL,
  settings    bytea NOT NULL,
  UNIQUE (workflow, number)
);

-- Claims hold a pointer's row FOR SHARE, a change holds it FOR UPDATE: none straddles the other.
CREATE TABLE proveout.pointers (
  workflow text COLLATE "C" PRIMARY KEY,
  version  bigint NOT NULL,
  stage    text NOT NULL,
  stable   text COLLATE "C",
  canary   text COLLATE "C",
  share    bigint, -- basis points
  salt     text,
  since    timestamptz,
  hold     timestamptz,
  changed  timestamptz NOT NULL
);

CREATE TABLE proveout.halts (
  workflow text COLLATE "C" NOT NULL,
  scope    text COLLATE "C" NOT NULL,
  since    timestamptz NOT NULL,
  author   text NOT NULL,
  reason   text NOT NULL,
  PRIMARY KEY (workflow, scope)
);

CREATE TABLE proveout.ledger (
  seq       bigint PRIMARY KEY,
  at        timestamptz NOT NULL,
  actor     text NOT NULL,
  act       text NOT NULL,
  subject   text NOT NULL,
  facts     bytea NOT NULL,
  previous  text NOT NULL,
  hash      text NOT NULL,
  key       text NOT NULL,
  signature text NOT NULL,
  unit      text COLLATE "C" NOT NULL
);

CREATE TABLE proveout.records (
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (kind, name)
);
INSERT INTO proveout.records VALUES ('store', 'id', convert_to(gen_random_uuid()::text, 'UTF8'));

CREATE TABLE proveout.deliveries (
  seq      bigint GENERATED ALWAYS AS IDENTITY,
  source   text COLLATE "C" NOT NULL,
  event    text COLLATE "C" NOT NULL,
  type     text NOT NULL,
  received timestamptz NOT NULL,
  headers  text NOT NULL, -- a list of pairs, as JSON
  body     bytea NOT NULL,
  is_test  boolean NOT NULL,
  run      text COLLATE "C",
  unit     text COLLATE "C" NOT NULL,
  PRIMARY KEY (source, event)
);
CREATE INDEX deliveries_newest ON proveout.deliveries (seq);
