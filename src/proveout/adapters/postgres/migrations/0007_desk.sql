-- The desk of reviews: claims, escalation, edits, terms, findings, decisions that can be undone.
-- Engines that know schema 3 or newer may go on: to them a claimed review is an open one.

ALTER TABLE proveout.runs ADD COLUMN asked_by text NOT NULL DEFAULT ''; -- who asked, where known

ALTER TABLE proveout.reviews
  ADD COLUMN terms         text NOT NULL DEFAULT '{}',
  ADD COLUMN findings      bytea NOT NULL DEFAULT '', -- pruned with the content
  ADD COLUMN original      bytea NOT NULL DEFAULT '', -- the draft, once edited
  ADD COLUMN edited_by     text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN claimed_by    text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN claimed_until timestamptz,
  ADD COLUMN snoozed_until timestamptz,
  ADD COLUMN assigned_to   text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN escalated     timestamptz,
  ADD COLUMN escalated_by  text NOT NULL DEFAULT '',
  ADD COLUMN escalated_why text NOT NULL DEFAULT '',
  ADD COLUMN approved_by   text NOT NULL DEFAULT '', -- the first of two
  ADD COLUMN takes_effect  timestamptz, -- open, but decided: it can be undone so long
  ADD COLUMN decided_by    text COLLATE "C" NOT NULL DEFAULT '',
  ADD COLUMN outcome       text NOT NULL DEFAULT ''; -- approved, edited or rejected

-- The pages of the queue, the nearest deadline first.
CREATE INDEX reviews_queue ON proveout.reviews (coalesce(deadline, 'infinity'), id)
  WHERE state = 'open';
CREATE INDEX reviews_of_queue ON proveout.reviews (queue, coalesce(deadline, 'infinity'), id)
  WHERE state = 'open';
CREATE INDEX reviews_claimed ON proveout.reviews (claimed_by)
  WHERE state = 'open' AND claimed_by <> '';
CREATE INDEX reviews_due ON proveout.reviews (takes_effect) WHERE state = 'open';
CREATE INDEX reviews_past ON proveout.reviews (decided, id) WHERE state = 'decided';
