-- What watching counts: the newest calls of models, and reviews that ended.
-- Engines that know schema 3 or newer may go on: indexes change nothing for them.
CREATE INDEX model_calls_started ON model_calls (started);
CREATE INDEX reviews_ended ON reviews (decided) WHERE decided IS NOT NULL;
