-- Tokens that a call of a model put into a cache, which some vendors charge extra for.
-- Engines that know schema 3 or newer may go on: what they count has none.

ALTER TABLE proveout.model_calls ADD COLUMN stored bigint;
ALTER TABLE proveout.model_calls ADD COLUMN stored_hour bigint;
