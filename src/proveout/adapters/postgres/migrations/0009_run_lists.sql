-- What a person looks for by release among millions that ran on another.
-- Engines that know schema 3 or newer may go on: an index changes no answer.

CREATE INDEX runs_by_release ON proveout.runs (release, seq)
  WHERE experiment IS NULL AND release IS NOT NULL;
