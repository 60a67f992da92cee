-- What models answered in trials, to be answered again in drills.
-- Engines that know schema 3 or newer may go on: trials, whose answers these are, stay for ever.

CREATE TABLE proveout.model_answers (
  call        text COLLATE "C" PRIMARY KEY,  -- as in model_calls
  run         text COLLATE "C" NOT NULL,
  digest      text COLLATE "C" NOT NULL,     -- of what was asked
  status      bigint NOT NULL,
  headers     text NOT NULL,                 -- JSON: pairs of name and value
  body        bytea NOT NULL
);
CREATE INDEX model_answers_run ON proveout.model_answers (run);
