-- Texts compare by code point, so that every process locks rows in the same order.
-- Payloads are bytes of JSON; the server never looks inside.

-- The one clock of the store; a test replaces it by one that stands still.
CREATE FUNCTION proveout.moment() RETURNS timestamptz
  LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';

CREATE SEQUENCE proveout.run_order;

CREATE TABLE proveout.runs (
  seq         bigint PRIMARY KEY,
  id          text COLLATE "C" NOT NULL UNIQUE,
  workflow    text COLLATE "C" NOT NULL,
  state       text COLLATE "C" NOT NULL,
  value       bytea NOT NULL,
  key         text COLLATE "C",
  created     timestamptz NOT NULL,
  updated     timestamptz NOT NULL,
  due         timestamptz,
  fence       bigint NOT NULL DEFAULT 0,
  worker      text COLLATE "C",
  lease_until timestamptz,
  wake        boolean NOT NULL DEFAULT false, -- an answer came while the run was not waiting
  unit        text COLLATE "C",               -- the last unit that moved the run
  experiment  text COLLATE "C",
  candidate   text COLLATE "C",
  position    bigint,
  case_digest text COLLATE "C",
  result      bytea,
  failure     bytea,
  elapsed     double precision,
  note        text NOT NULL DEFAULT ''
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
CREATE UNIQUE INDEX runs_key ON proveout.runs (workflow, key) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX runs_trial ON proveout.runs (experiment, candidate, position)
  WHERE experiment IS NOT NULL;
CREATE INDEX runs_queued ON proveout.runs (due, seq)
  WHERE state = 'QUEUED' AND experiment IS NULL;
CREATE INDEX runs_queued_trials ON proveout.runs (experiment, due, seq)
  WHERE state = 'QUEUED' AND experiment IS NOT NULL;
-- What a person looks for among millions that went well.
CREATE INDEX runs_told ON proveout.runs (state, seq)
  WHERE state IN ('WAITING', 'PARKED', 'FAILED', 'DEAD', 'CANCELLED');
CREATE INDEX runs_running ON proveout.runs (lease_until) WHERE state = 'RUNNING';
CREATE INDEX runs_waiting ON proveout.runs (due) WHERE state = 'WAITING' AND due IS NOT NULL;

CREATE TABLE proveout.journal (
  seq        bigint GENERATED ALWAYS AS IDENTITY,
  run        text COLLATE "C" NOT NULL,
  path       text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  occurrence bigint NOT NULL,
  kind       text NOT NULL,
  digest     text NOT NULL,
  arguments  text NOT NULL,
  outcome    text NOT NULL, -- returned, raised or pending
  value      bytea,         -- the value, or the failure
  due        timestamptz,
  started    timestamptz NOT NULL,
  tries      bigint NOT NULL,
  elapsed    double precision NOT NULL,
  fence      bigint NOT NULL,
  unit       text COLLATE "C" NOT NULL,
  PRIMARY KEY (run, path, name, occurrence)
);

CREATE TABLE proveout.reviews (
  id         text COLLATE "C" PRIMARY KEY,
  run        text COLLATE "C" NOT NULL,
  path       text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  occurrence bigint NOT NULL,
  queue      text COLLATE "C" NOT NULL,
  content    bytea NOT NULL,
  digest     text NOT NULL,
  opened     timestamptz NOT NULL,
  deadline   timestamptz,
  on_expiry  text NOT NULL,
  state      text NOT NULL,
  answer     bytea,
  decided    timestamptz,
  unit       text COLLATE "C"
);
CREATE INDEX reviews_run ON proveout.reviews (run);
CREATE INDEX reviews_open ON proveout.reviews (deadline) WHERE state = 'open';

CREATE TABLE proveout.experiments (
  id         text COLLATE "C" PRIMARY KEY,
  name       text COLLATE "C" NOT NULL,
  workflow   text COLLATE "C" NOT NULL,
  lock       text COLLATE "C" NOT NULL,
  look       bigint NOT NULL,
  order_seed bigint NOT NULL,
  dataset    text NOT NULL,
  plan       bytea NOT NULL,
  locked     timestamptz NOT NULL,
  verdict    bytea,
  UNIQUE (workflow, name, lock, look)
);
