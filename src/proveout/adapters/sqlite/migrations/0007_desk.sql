-- The desk of reviews: claims, escalation, edits, terms, findings, decisions that can be undone.
-- Engines that know schema 3 or newer may go on: to them a claimed review is an open one.

ALTER TABLE runs ADD COLUMN asked_by TEXT NOT NULL DEFAULT ''; -- who asked for it, where known

ALTER TABLE reviews ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';
ALTER TABLE reviews ADD COLUMN findings BLOB NOT NULL DEFAULT x''; -- pruned with the content
ALTER TABLE reviews ADD COLUMN original BLOB NOT NULL DEFAULT x''; -- the draft, once edited
ALTER TABLE reviews ADD COLUMN edited_by TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN claimed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN claimed_until INTEGER;
ALTER TABLE reviews ADD COLUMN snoozed_until INTEGER;
ALTER TABLE reviews ADD COLUMN assigned_to TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN escalated INTEGER;
ALTER TABLE reviews ADD COLUMN escalated_by TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN escalated_why TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN approved_by TEXT NOT NULL DEFAULT ''; -- the first of two
ALTER TABLE reviews ADD COLUMN takes_effect INTEGER; -- open, but decided: it can be undone so long
ALTER TABLE reviews ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN outcome TEXT NOT NULL DEFAULT ''; -- approved, edited or rejected

-- The pages of the queue, the nearest deadline first.
CREATE INDEX reviews_queue ON reviews (coalesce(deadline, 9223372036854775807), id)
  WHERE state = 'open';
CREATE INDEX reviews_of_queue ON reviews (queue, coalesce(deadline, 9223372036854775807), id)
  WHERE state = 'open';
CREATE INDEX reviews_claimed ON reviews (claimed_by) WHERE state = 'open' AND claimed_by <> '';
CREATE INDEX reviews_due ON reviews (takes_effect) WHERE state = 'open';
CREATE INDEX reviews_past ON reviews (decided, id) WHERE state = 'decided';
