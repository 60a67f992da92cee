-- Tokens that a call of a model put into a cache, which some vendors charge extra for.
-- Engines that know schema 3 or newer may go on: what they count has none.

ALTER TABLE model_calls ADD COLUMN stored INTEGER;
ALTER TABLE model_calls ADD COLUMN stored_hour INTEGER;
