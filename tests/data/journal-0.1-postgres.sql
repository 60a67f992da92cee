-- A run as version 0.1 wrote it: it waits for its second answer. Schema 2, PostgreSQL.
INSERT INTO proveout.runs (seq, id, workflow, state, value, created, updated, fence, wake, unit, elapsed, note, release, suspect, crashes)
  VALUES ('1', '00000001', 'recall', 'WAITING', E'\\x226c6174652070617263656c22', '2026-11-22 09:00:00+00', '2026-11-22 11:00:00+00', '3', 'false', '00000017', '0', '', 'draft', 'false', '0');
INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES ('00000001', '0', 'read', '0', 'step', '43414bc2709563c3538294377a47810d', '{"mail":"late parcel"}', 'returned', E'\\x7b2274657874223a226c6174652070617263656c222c22776f726473223a327d', '2026-11-22 09:00:00+00', '1', '0', '1', '00000004');
INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES ('00000001', '1', 'read', '0', 'step', '29aa82229eed3a78c6dec8a481a3809a', '{"mail":"another parcel"}', 'returned', E'\\x7b2274657874223a22616e6f746865722070617263656c222c22776f726473223a327d', '2026-11-22 09:00:00+00', '1', '0', '1', '00000005');
INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES ('00000001', '', 'look_up', '0', 'step', 'ceb4d0d2fd6135affb22fb2c833f2de5', '{"customer":7}', 'raised', E'\\x7b2274797065223a20224c6f6f6b75704572726f72222c20226d657373616765223a20226e6f20637573746f6d65722037222c202274726163656261636b223a20224c6f6f6b75704572726f723a206e6f20637573746f6d657220375c6e222c202273746570223a20226c6f6f6b5f7570227d', '2026-11-22 09:00:00+00', '1', '0', '1', '00000006');
INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments, outcome, due, started, tries, elapsed, fence, unit)
  VALUES ('00000001', '', 'sleep', '0', 'sleep', '1ba0363418c0b5c15b34817fcbd25ff7', '3600.0', 'pending', '2026-11-22 10:00:00+00', '2026-11-22 09:00:00+00', '0', '0', '1', '00000007');
INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES ('00000001', '', 'note', '0', 'captured', 'f5eb24e5802cd61a033f535ced7a32b0', '{"text":"no customer 7"}', 'returned', E'\\x6e756c6c', '2026-11-22 11:00:00+00', '0', '0', '2', '00000010');
INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES ('00000001', '', 'review', '0', 'review', '12027a113cd7eef5dff56493623264ce', '{"reply":"late parcel"}', 'returned', E'\\x7b22617070726f766564223a20747275652c2022636f6e74656e74223a20227b5c227265706c795c223a205c224465617220416e615c227d222c20226279223a2022616461222c2022726561736f6e223a20226b696e646572222c202265787069726564223a2066616c73657d', '2026-11-22 11:00:00+00', '0', '0', '2', '00000012');
INSERT INTO proveout.journal (run, path, name, occurrence, kind, digest, arguments, outcome, started, tries, elapsed, fence, unit)
  VALUES ('00000001', '', 'review', '1', 'review', '0047881b04019732205ec1de7eed7171', '{"signed":{"reply":"Dear Ana"}}', 'pending', '2026-11-22 11:00:00+00', '0', '0', '3', '00000016');
INSERT INTO proveout.reviews (id, run, path, name, occurrence, queue, content, digest, opened, on_expiry, state, answer, decided, unit)
  VALUES ('00000011', '00000001', '', 'review', '0', 'support', E'\\x7b227265706c79223a226c6174652070617263656c227d', '12027a113cd7eef5dff56493623264ce', '2026-11-22 11:00:00+00', 'park', 'decided', E'\\x7b22617070726f766564223a20747275652c2022636f6e74656e74223a20227b5c227265706c795c223a205c224465617220416e615c227d222c20226279223a2022616461222c2022726561736f6e223a20226b696e646572222c202265787069726564223a2066616c73657d', '2026-11-22 11:00:00+00', 'answer-1');
INSERT INTO proveout.reviews (id, run, path, name, occurrence, queue, content, digest, opened, on_expiry, state)
  VALUES ('00000015', '00000001', '', 'review', '1', 'leads', E'\\x7b227369676e6564223a7b227265706c79223a224465617220416e61227d7d', '0047881b04019732205ec1de7eed7171', '2026-11-22 11:00:00+00', 'park', 'open');
