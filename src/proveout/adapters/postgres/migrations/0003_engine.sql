-- The whole engine: priority, order, keys that outlive payloads, signals, limits, schedules.
-- Engines that know schema 2 or newer may go on: new columns have defaults they never read.

ALTER TABLE proveout.runs
  ADD COLUMN priority bigint NOT NULL DEFAULT 0, -- higher is claimed first
  ADD COLUMN ordering text COLLATE "C",          -- runs of one ordering key: one at a time, in order
  ADD COLUMN not_before timestamptz,             -- when it may begin, kept until its turn comes
  ADD COLUMN origin   text COLLATE "C",          -- the run whose effect keys a replay keeps
  ADD COLUMN input    text,                      -- digest of the input, once the input is pruned
  ADD COLUMN pruned   timestamptz;               -- when its payloads were removed
DROP INDEX proveout.runs_queued;
CREATE INDEX runs_queued ON proveout.runs (priority DESC, due, seq)
  WHERE state = 'QUEUED' AND experiment IS NULL;
-- What has not begun: what an intake limit counts.
CREATE INDEX runs_unbegun ON proveout.runs (workflow)
  WHERE fence = 0 AND state IN ('QUEUED', 'WAITING') AND experiment IS NULL;
-- Whose turn it is: the first of each key that has not ended. The sum keeps the planner from
-- walking the whole table by its primary key, which it takes for quick where one key is common.
CREATE INDEX runs_ordering ON proveout.runs (workflow, ordering, (seq + 0))
  WHERE ordering IS NOT NULL AND state IN ('QUEUED', 'RUNNING', 'WAITING', 'PARKED');
-- What retention looks for: payloads of runs that ended long ago, and rows to forget.
CREATE INDEX runs_kept ON proveout.runs (workflow, updated)
  WHERE pruned IS NULL AND experiment IS NULL
    AND state IN ('SUCCEEDED', 'FAILED', 'DEAD', 'CANCELLED');
CREATE INDEX runs_pruned ON proveout.runs (workflow, updated) WHERE pruned IS NOT NULL;
CREATE INDEX deliveries_kept ON proveout.deliveries (source, received)
  WHERE run IS NULL AND length(body) > 0;
CREATE INDEX deliveries_pruned ON proveout.deliveries (source, received)
  WHERE run IS NULL AND length(body) = 0;

-- Every signal that was sent, under the name of the wait for it ("signal paid"); which wait
-- took it, or none where it is kept for the next.
CREATE TABLE proveout.signals (
  seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run        text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  value      bytea NOT NULL,
  unit       text COLLATE "C" NOT NULL UNIQUE,
  path       text COLLATE "C",
  occurrence bigint
);
CREATE INDEX signals_run ON proveout.signals (run, name, seq);

-- What is left of each shared limit; workers take slices from it.
CREATE TABLE proveout.limits (
  name    text COLLATE "C" PRIMARY KEY,
  level   double precision NOT NULL,
  updated timestamptz NOT NULL
);

-- Up to which tick each schedule has fired.
CREATE TABLE proveout.schedules (
  workflow text COLLATE "C" NOT NULL,
  name     text COLLATE "C" NOT NULL,
  ticked   timestamptz NOT NULL,
  unit     text COLLATE "C" NOT NULL, -- the one that moved it last
  PRIMARY KEY (workflow, name)
);

-- Which store this is, for whoever writes here in a transaction of his own.
CREATE FUNCTION proveout.identity() RETURNS bytea
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
  AS $$ SELECT body FROM proveout.records WHERE kind = 'store' AND name = 'id' $$;
