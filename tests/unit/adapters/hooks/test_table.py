"""What holds for every scheme: what is let in, what is turned away, and what is never shown."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import traceback
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from proveout.adapters.hooks.envelope import LONGEST_HEADER
from proveout.adapters.hooks.table import SCHEMES, SIGNERS
from proveout.domain.delivery import (
    ACCOUNTS,
    BadDelivery,
    Flaw,
    Headers,
    Scheme,
    Stamp,
    Verified,
    is_name,
)
from proveout.errors import Mistake, Refusal
from unit.adapters.hooks.sender import NOW, TEXTS, Sender

BODY = b'{"id": "evt_1", "event_id": "evt_1", "type": "parcel.late", "livemode": true}'

PRETTY = b"""{
  "id": "evt_1",
  "event_id": "evt_1",
  "type": "parcel.late",
  "weight": 1.0,
  "to": "Z\\u00fcrich",
  "livemode": true
}
"""
"""What no parser writes back as it was."""

SIGNATURES = (
    *(b"stripe-signature", b"x-hub-signature-256", b"webhook-signature"),
    *(b"x-slack-signature", b"x-shopify-hmac-sha256"),
)


def without(headers: Headers, *names: bytes) -> Headers:
    return tuple(header for header in headers if header[0] not in names)


def test_each_scheme_has_a_verifier_and_a_signer() -> None:
    """No scheme can be chosen in the settings that nothing verifies."""
    schemes = set(Scheme)

    assert set(SCHEMES) == schemes
    assert set(SIGNERS) == schemes
    assert set(TEXTS) == schemes


def test_a_good_delivery_says_what_it_is(sender: Sender) -> None:
    headers = sender.sign(BODY)

    verified = sender.receive(headers, BODY)

    assert verified.event == "evt_1"
    assert verified.type == "parcel.late"
    assert not verified.is_test


def test_the_bytes_are_signed_not_what_they_mean(sender: Sender) -> None:
    """A pretty-printed body is good as it came, and bad once it was parsed and written again."""
    headers = sender.sign(PRETTY)
    again = json.dumps(json.loads(PRETTY)).encode()

    assert sender.receive(headers, PRETTY).event == "evt_1"
    assert sender.refuse(headers, again) is Flaw.WRONG_SIGNATURE


def test_no_single_byte_can_be_changed(sender: Sender) -> None:
    """Each byte replaced by another, taken away or doubled breaks the signature."""
    headers = sender.sign(BODY)
    changed = [
        BODY[:place] + middle + BODY[place + 1 :]
        for place, byte in enumerate(BODY)
        for middle in (bytes([byte ^ 1]), bytes([byte ^ 32]), b"", bytes([byte, byte]))
    ]

    reasons = {sender.refuse(headers, body) for body in changed}

    assert len(changed) == 4 * len(BODY)
    assert reasons == {Flaw.WRONG_SIGNATURE}


def test_no_single_byte_of_a_signature_can_be_changed(sender: Sender) -> None:
    """Whatever it breaks, its shape or its worth, the delivery is turned away."""
    headers = sender.sign(BODY)
    name, value = next(header for header in headers if header[0] in SIGNATURES)
    rest = without(headers, name)

    changed = [
        (*rest, (name, value[:place] + bytes([byte ^ 1]) + value[place + 1 :]))
        for place, byte in enumerate(value)
    ]

    for bad in changed:
        assert sender.refuse(bad, BODY) in {
            Flaw.WRONG_SIGNATURE,
            Flaw.MALFORMED_SIGNATURE,
        }


def test_any_secret_of_a_source_will_do(sender: Sender) -> None:
    """While a secret is being replaced both are good; once the old one is gone it is not."""
    old, new = sender.sign(BODY, key=sender.other), sender.sign(BODY)
    both = [sender.other, sender.key]

    assert sender.receive(old, BODY, secrets=both) == sender.receive(new, BODY, secrets=both)
    assert sender.receive(old, BODY, secrets=both[::-1]).event == "evt_1"
    assert sender.refuse(old, BODY, secrets=[sender.key]) is Flaw.WRONG_SIGNATURE


@pytest.mark.parametrize("secrets", [[], [b""]], ids=["no secret", "an empty secret"])
def test_a_source_without_a_secret_lets_nobody_in(sender: Sender, secrets: list[bytes]) -> None:
    """A secret that everybody knows is none, even for someone who signs with it."""
    headers = sender.sign(BODY, key=b"")

    assert sender.refuse(headers, BODY, secrets=secrets) is Flaw.WRONG_SIGNATURE


def test_an_unsigned_delivery_is_turned_away(sender: Sender) -> None:
    """A missing signature and an empty one are the same."""
    headers = without(sender.sign(BODY), *SIGNATURES)

    assert sender.refuse(headers, BODY) is Flaw.MISSING_SIGNATURE
    assert sender.refuse((*headers, *((name, b"") for name in SIGNATURES)), BODY) is (
        Flaw.MISSING_SIGNATURE
    )


def test_another_schemes_signature_is_none(sender: Sender) -> None:
    headers = [
        header
        for scheme in set(Scheme) - {sender.scheme}
        for header in Sender(scheme=scheme).sign(BODY)
    ]

    assert sender.refuse(headers, BODY) is Flaw.MISSING_SIGNATURE


def test_a_header_may_not_be_there_twice(sender: Sender) -> None:
    """With two values nobody knows which one counted elsewhere, even when both are the same."""
    headers = sender.sign(BODY)

    for header in headers:
        assert sender.refuse((*headers, header), BODY) is Flaw.MALFORMED_HEADER
    assert sender.receive((*headers, (b"host", b"a"), (b"host", b"b")), BODY).event == "evt_1"


def test_a_huge_header_is_turned_away_unread(sender: Sender) -> None:
    headers = sender.sign(BODY)

    for name, value in headers:
        huge = (*without(headers, name), (name, value.ljust(LONGEST_HEADER + 1, b" ")))
        assert sender.refuse(huge, BODY) is Flaw.MALFORMED_HEADER


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "nothing"),
        (b"payload=%7B%7D", "a form"),
        (b"[1, 2]", "a list"),
        (b'"evt_1"', "a text"),
        (b"null", "null"),
        (b'{"id": "evt_1"} {}', "two objects"),
        (b'{"id": "evt_1", "to": "Z\xfcrich"}', "Latin-1"),
        ('\ufeff{"id": "evt_1"}'.encode(), "a byte order mark"),
        ('{"id": "evt_1"}'.encode("utf-16"), "UTF-16"),
        (b'{"id": "evt_1", "n": NaN}', "NaN"),
        (b'{"id": "evt_1", "n": -Infinity}', "infinity"),
        (b'{"id": "evt_1", "n": 1e999}', "a number beyond all floats"),
        (b'{"id": "evt_1", "n": ' + b"9" * 5000 + b"}", "a number of 5,000 digits"),
        (b'{"id": "evt_1", "n": ' + b"[" * 100_000, "lists without an end"),
        (b'{"id": "evt_1", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deep lists"),
        (b'{"a": ' * 100_000 + b"1" + b"}" * 100_000, "deep objects"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_signed_body_that_is_no_json_object_is_turned_away(
    sender: Sender, body: bytes, what: str
) -> None:
    """A good signature does not make the body readable; an unsigned one is not even read."""
    headers = sender.sign(body)

    assert sender.refuse(headers, body) is Flaw.MALFORMED_BODY, what
    assert sender.refuse(sender.sign(BODY), body) is Flaw.WRONG_SIGNATURE


@pytest.mark.parametrize(
    "name", ["", "x" * 256, " x", "x\t", "n\u00e9", "a\nb", "\x7f", "\u2028", "\ud800"]
)
def test_an_unusable_id_is_turned_away(sender: Sender, name: str) -> None:
    """The id keeps events apart: it must survive every header, log and key of a database."""
    good = json.dumps({"id": "x" * 255, "event_id": "x" * 255}).encode()
    body = json.dumps({"id": name, "event_id": name}).encode()
    raw = name.encode("utf-8", "surrogatepass")

    assert sender.refuse(named(sender, body, raw), body) is Flaw.NO_EVENT_ID
    assert sender.receive(named(sender, good, b"x" * 255), good).event == "x" * 255


def named(sender: Sender, body: bytes, event: bytes) -> Headers:
    """Return headers that name the event so, under a signature that is good."""
    headers = dict(sender.sign(body))
    if sender.scheme is Scheme.GITHUB:
        headers[b"x-github-delivery"] = event
    if sender.scheme is Scheme.SHOPIFY:
        headers[b"x-shopify-webhook-id"] = event
    if sender.scheme is Scheme.STANDARD:
        signed = b"%b.%b.%b" % (event, headers[b"webhook-timestamp"], body)
        code = base64.b64encode(hmac.digest(sender.key, signed, hashlib.sha256))
        headers |= {b"webhook-id": event, b"webhook-signature": b"v1," + code}
    return tuple(headers.items())


@pytest.mark.parametrize("scheme", [Scheme.STRIPE, Scheme.SLACK])
@pytest.mark.parametrize(
    "body", [b'{"livemode": true}', b'{"id": 7, "event_id": 7}', b'{"id": null}']
)
def test_an_event_without_an_id_is_turned_away(scheme: Scheme, body: bytes) -> None:
    """Stripe and Slack name their events in the body alone."""
    sender = Sender(scheme=scheme)

    assert sender.refuse(sender.sign(body), body) is Flaw.NO_EVENT_ID


@pytest.mark.parametrize("kind", [7, None, "", "two\nlines", "x" * 256, {"a": 1}])
def test_an_unusable_kind_is_kept_without_a_name(kind: object) -> None:
    """An event of an unknown kind is acknowledged and kept, so a broken name is no flaw."""
    body = json.dumps({"id": "evt_1", "event_id": "evt_1", "type": kind}).encode()

    for scheme in (Scheme.STRIPE, Scheme.STANDARD, Scheme.SLACK):
        sender = Sender(scheme=scheme)
        assert sender.receive(sender.sign(body), body) == Verified(event="evt_1", type="")


@pytest.mark.parametrize("scheme", [Scheme.STRIPE, Scheme.STANDARD, Scheme.SLACK])
@pytest.mark.parametrize(
    ("seconds", "flaw"),
    [
        (-301, Flaw.TOO_OLD),
        (-300, None),
        (0, None),
        (300, None),
        (301, Flaw.FROM_THE_FUTURE),
        (-86_400 * 365, Flaw.TOO_OLD),
        (86_400 * 365, Flaw.FROM_THE_FUTURE),
    ],
)
def test_a_signed_time_may_be_five_minutes_off(
    scheme: Scheme, seconds: int, flaw: Flaw | None
) -> None:
    """Either clock may be ahead; beyond that a recorded delivery could be sent again."""
    sender = Sender(scheme=scheme)
    headers = sender.sign(BODY, at=NOW + timedelta(seconds=seconds))

    if flaw is None:
        assert sender.receive(headers, BODY).event == "evt_1"
    else:
        assert sender.refuse(headers, BODY) is flaw


def test_a_wrong_signature_tells_nothing_of_the_clock(sender: Sender) -> None:
    """Whoever has no secret learns only that, however old the time is."""
    headers = sender.sign(BODY, key=sender.other, at=NOW - timedelta(days=9))

    assert sender.refuse(headers, BODY) is Flaw.WRONG_SIGNATURE


NAMES = st.sampled_from(
    [
        *(b"stripe-signature", b"x-hub-signature-256", b"x-github-delivery", b"x-github-event"),
        *(b"webhook-id", b"webhook-timestamp", b"webhook-signature"),
        *(b"x-slack-signature", b"x-slack-request-timestamp", b"x-shopify-hmac-sha256"),
        *(b"svix-id", b"svix-timestamp", b"svix-signature", b"host"),
    ]
)
FRAGMENTS = st.sampled_from(
    [
        *(b"t=", b"v1=", b"v0=", b",", b"=", b" ", b".", b"v1,", b"v1a,", b"sha256=", b"\xff"),
        *(b"v0=", b"v0:"),
        *(b"1795426200", b"-1", b"1e9", b"0", b"9" * 12, b"9" * 400, b"\xd9\xa1", b"nan", b"evt_1"),
        *(b"ab" * 32, b"AAAA", b"====", b"\x00", b"\n", b"x" * (LONGEST_HEADER + 1)),
    ]
)
VALUES = st.one_of(st.binary(max_size=60), st.lists(FRAGMENTS, max_size=8).map(b"".join))
ANY_HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=8)

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["id", "event_id", "type", "livemode", "data", "object", "related_object", "event", "challenge"]
)
OBJECTS = st.dictionaries(KEYS, st.dictionaries(KEYS, st.dictionaries(KEYS, VALUE) | VALUE) | VALUE)
BODIES = st.one_of(
    st.binary(max_size=60),
    VALUE.map(lambda value: json.dumps(value).encode()),
    OBJECTS.map(lambda value: json.dumps(value).encode()),
)


def outcome(sender: Sender, headers: Headers, body: bytes) -> object:
    """Return what the verifier returned, or the refusal that it raised."""
    try:
        return sender.receive(headers, body)
    except BadDelivery as no:
        return no


@given(headers=ANY_HEADERS, body=BODIES)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_headers_and_no_body_lead_anywhere_else(
    sender: Sender, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Whatever arrives unsigned is turned away as a bad delivery, never by another error."""
    assert isinstance(outcome(sender, headers, body), BadDelivery)


@given(extra=ANY_HEADERS, body=BODIES)
@example(extra=[], body=BODY)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_signed_body_leads_anywhere_else(
    sender: Sender, extra: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Even who holds the secret gets one of the two outcomes, with names that are usable."""
    found = outcome(sender, [*sender.sign(body), *extra], body)

    assert isinstance(found, BadDelivery | Verified)
    if isinstance(found, Verified):
        assert is_name(found.event)
        assert not found.type or is_name(found.type)
        assert found.object is None or is_name(found.object)


@given(value=OBJECTS)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_we_sign_we_accept(sender: Sender, value: dict[str, object]) -> None:
    """Signer and verifier of a scheme belong together, for every body that names an event."""
    finite = json.loads(json.dumps(value), parse_constant=lambda _: None)
    body = json.dumps({**finite, "id": "evt_9", "event_id": "evt_9"}).encode()

    assert sender.receive(sender.sign(body, event="evt_9"), body).event == "evt_9"


@pytest.mark.parametrize("flaw", list(Flaw))
def test_each_flaw_has_fixed_words(flaw: Flaw) -> None:
    """It says what broke and what to do, and can repeat nothing that came in."""
    error = BadDelivery(flaw)

    assert isinstance(error, Refusal)
    assert error.code == "bad-delivery"
    assert (error.message, error.why, error.fix) == ACCOUNTS[flaw]
    assert error.why
    assert error.fix


def test_a_refusal_shows_neither_secret_nor_signature(sender: Sender) -> None:
    """Not in its words, and not in a traceback."""
    good = dict(sender.sign(BODY))
    headers = sender.sign(BODY, key=sender.other)

    no = outcome(sender, headers, BODY)

    assert isinstance(no, BadDelivery)
    told = "".join(traceback.format_exception(no)) + repr(no) + no.why + "".join(no.fix)
    for hidden in (
        *TEXTS[sender.scheme],
        *(good[name].decode() for name in good if name in SIGNATURES),
    ):
        assert hidden not in told


@pytest.mark.parametrize("name", ["", "a\r\nhost: b", "n\u00e9", "x" * 256])
def test_a_stamp_that_no_header_can_hold_is_a_mistake(name: str) -> None:
    """A line end in an id would write headers of its own."""
    assert Stamp(event="evt_1", type="x", at=NOW).event == "evt_1"

    with pytest.raises(Mistake, match="the id of an event"):
        Stamp(event=name, type="x", at=NOW)
    with pytest.raises(Mistake, match="the type of an event"):
        Stamp(event="evt_1", type=name, at=NOW)
