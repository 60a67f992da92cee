-- A run as version 0.1 wrote it: it waits for its second answer. Schema 2, SQLite.
INSERT INTO runs (seq, id, workflow, state, value, created, updated, fence, wake, unit, elapsed, note, release, suspect, crashes)
  VALUES (1, '00000001', 'recall', 'WAITING', X'226C6174652070617263656C22', 1795338000000000, 1795345200000000, 3, 0, '00000017', 0.0, '', 'draft', 0, 0);
INSERT INTO journal (seq, run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES (1, '00000001', '0', 'read', 0, 'step', '43414bc2709563c3538294377a47810d', '{"mail":"late parcel"}', 'returned', X'7B2274657874223A226C6174652070617263656C222C22776F726473223A327D', 1795338000000000, 1, 0.0, 1, '00000004');
INSERT INTO journal (seq, run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES (2, '00000001', '1', 'read', 0, 'step', '29aa82229eed3a78c6dec8a481a3809a', '{"mail":"another parcel"}', 'returned', X'7B2274657874223A22616E6F746865722070617263656C222C22776F726473223A327D', 1795338000000000, 1, 0.0, 1, '00000005');
INSERT INTO journal (seq, run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES (3, '00000001', '', 'look_up', 0, 'step', 'ceb4d0d2fd6135affb22fb2c833f2de5', '{"customer":7}', 'raised', X'7B2274797065223A20224C6F6F6B75704572726F72222C20226D657373616765223A20226E6F20637573746F6D65722037222C202274726163656261636B223A20224C6F6F6B75704572726F723A206E6F20637573746F6D657220375C6E222C202273746570223A20226C6F6F6B5F7570227D', 1795338000000000, 1, 0.0, 1, '00000006');
INSERT INTO journal (seq, run, path, name, occurrence, kind, digest, arguments, outcome, due, started, tries, elapsed, fence, unit)
  VALUES (4, '00000001', '', 'sleep', 0, 'sleep', '1ba0363418c0b5c15b34817fcbd25ff7', '3600.0', 'pending', 1795341600000000, 1795338000000000, 0, 0.0, 1, '00000007');
INSERT INTO journal (seq, run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES (5, '00000001', '', 'note', 0, 'captured', 'f5eb24e5802cd61a033f535ced7a32b0', '{"text":"no customer 7"}', 'returned', X'6E756C6C', 1795345200000000, 0, 0.0, 2, '00000010');
INSERT INTO journal (seq, run, path, name, occurrence, kind, digest, arguments, outcome, value, started, tries, elapsed, fence, unit)
  VALUES (6, '00000001', '', 'review', 0, 'review', '12027a113cd7eef5dff56493623264ce', '{"reply":"late parcel"}', 'returned', X'7B22617070726F766564223A20747275652C2022636F6E74656E74223A20227B5C227265706C795C223A205C224465617220416E615C227D222C20226279223A2022616461222C2022726561736F6E223A20226B696E646572222C202265787069726564223A2066616C73657D', 1795345200000000, 0, 0.0, 2, '00000012');
INSERT INTO journal (seq, run, path, name, occurrence, kind, digest, arguments, outcome, started, tries, elapsed, fence, unit)
  VALUES (7, '00000001', '', 'review', 1, 'review', '0047881b04019732205ec1de7eed7171', '{"signed":{"reply":"Dear Ana"}}', 'pending', 1795345200000000, 0, 0.0, 3, '00000016');
INSERT INTO reviews (id, run, path, name, occurrence, queue, content, digest, opened, on_expiry, state, answer, decided, unit)
  VALUES ('00000011', '00000001', '', 'review', 0, 'support', X'7B227265706C79223A226C6174652070617263656C227D', '12027a113cd7eef5dff56493623264ce', 1795345200000000, 'park', 'decided', X'7B22617070726F766564223A20747275652C2022636F6E74656E74223A20227B5C227265706C795C223A205C224465617220416E615C227D222C20226279223A2022616461222C2022726561736F6E223A20226B696E646572222C202265787069726564223A2066616C73657D', 1795345200000000, 'answer-1');
INSERT INTO reviews (id, run, path, name, occurrence, queue, content, digest, opened, on_expiry, state)
  VALUES ('00000015', '00000001', '', 'review', 1, 'leads', X'7B227369676E6564223A7B227265706C79223A224465617220416E61227D7D', '0047881b04019732205ec1de7eed7171', 1795345200000000, 'park', 'open');
