-- What models answered in trials, to be answered again in drills.
-- Engines that know schema 3 or newer may go on: trials, whose answers these are, stay for ever.

CREATE TABLE model_answers (
  call        TEXT PRIMARY KEY,  -- as in model_calls
  run         TEXT NOT NULL,
  digest      TEXT NOT NULL,     -- of what was asked
  status      INTEGER NOT NULL,
  headers     TEXT NOT NULL,     -- JSON: pairs of name and value
  body        BLOB NOT NULL
);
CREATE INDEX model_answers_run ON model_answers (run);
