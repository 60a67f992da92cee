-- Calls of models: who made each, and what it took.
-- Engines that know schema 3 or newer may go on: they keep no calls, and read none.

-- Kept for the account, whatever became of the run, and of runs that are not known, too.
CREATE TABLE proveout.model_calls (
  id          text COLLATE "C" PRIMARY KEY,
  run         text COLLATE "C" NOT NULL,
  fence       bigint NOT NULL,
  path        text COLLATE "C", -- with name and occurrence the step; none for the workflow's own code
  name        text COLLATE "C",
  occurrence  bigint,
  provider    text NOT NULL,
  asked       text NOT NULL,
  answered    text NOT NULL,
  status      bigint NOT NULL,
  read        bigint,           -- tokens, as far as the answer said
  cached      bigint,
  written     bigint,
  picodollars bigint,           -- whole ones, as in SQLite; none where unpriced
  started     timestamptz NOT NULL,
  elapsed     double precision NOT NULL
);
-- All that a sum reads.
CREATE INDEX model_calls_run ON proveout.model_calls (run) INCLUDE (read, written, picodollars);
