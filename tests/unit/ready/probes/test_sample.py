"""Events that are made of a sample, and headers that are spoilt."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from proveout.adapters.hooks.table import SCHEMES, SIGNERS
from proveout.domain.delivery import BadDelivery, Flaw, Scheme, Stamp
from proveout.ready.probes.contract import CONTRACTS
from proveout.ready.probes.probe import Notion
from proveout.ready.probes.sample import BadPayload, Event, Form, read_sample
from proveout.ready.probes.signature import malformed

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
KEY = b"a key"


def event(**how: Any) -> Event:
    return replace(Event(id="new", object="in_2", made=NOW), **how)


def made(scheme: Scheme, payload: dict[str, Any], **how: Any) -> dict[str, Any]:
    sample = read_sample(json.dumps(payload).encode(), CONTRACTS[scheme])
    return sample.content_of(event(**how))


def test_an_event_of_stripe_has_its_own_id_object_and_moment() -> None:
    payload = {
        "id": "evt_1",
        "type": "invoice.paid",
        "created": 1,
        "livemode": False,
        "data": {"object": {"id": "in_1", "status": "paid", "lines": [1]}},
    }

    found = made(Scheme.STRIPE, payload, poison="p-1")

    assert found == {
        "id": "new",
        "type": "invoice.paid",
        "created": int(NOW.timestamp()),
        "livemode": True,
        "data": {"object": {"id": "in_2", "status": "paid", "lines": [1], "poison": "p-1"}},
    }
    assert made(Scheme.STRIPE, payload, is_live=False)["livemode"] is False
    assert payload["created"] == 1


@pytest.mark.parametrize(
    ("scheme", "payload", "changed"),
    [
        (
            Scheme.SLACK,
            {"event_id": "Ev1", "event_time": 1, "event": {"type": "message"}},
            {"event_id": "new", "event_time": int(NOW.timestamp()), "event": {"type": "other"}},
        ),
        (
            Scheme.STANDARD,
            {"type": "a", "timestamp": "2020-01-01T00:00:00Z", "data": {"id": "in_1"}},
            {"type": "other", "timestamp": "2026-11-22T09:00:00Z", "data": {"id": "in_2"}},
        ),
        (
            Scheme.SHOPIFY,
            {"id": "7", "updated_at": "2020-01-01T00:00:00Z"},
            {"id": "in_2", "updated_at": "2026-11-22T09:00:00Z"},
        ),
        (
            Scheme.GITHUB,
            {"action": "opened", "issue": {"id": 7}},
            {"action": "opened", "issue": {"id": 7}},
        ),
    ],
)
def test_each_scheme_names_its_events_in_its_own_place(
    scheme: Scheme, payload: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert made(scheme, payload, type="other") == changed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (1_700_000_000, int(NOW.timestamp())),
        (1_700_000_000_000, int(NOW.timestamp()) * 1000),
        (1.5, NOW.timestamp()),
        ("1700000000.000100", f"{NOW.timestamp():.6f}"),
        ("2020-01-01T00:00:00+02:00", "2026-11-22T09:00:00Z"),
        (None, int(NOW.timestamp())),
    ],
)
def test_a_moment_is_written_as_the_sample_writes_it(before: object, after: object) -> None:
    assert made(Scheme.STRIPE, {"created": before})["created"] == after


def test_ids_keep_their_kind() -> None:
    """A receiver that parses a UUID, a number or a prefix can do so."""
    found = {
        scheme: read_sample(b'{"data": {"object": {"id": 7}}}', CONTRACTS[scheme])
        for scheme in Scheme
    }

    assert found[Scheme.STRIPE].fresh_event("a").startswith("evt_")
    assert found[Scheme.STANDARD].fresh_event("a").startswith("msg_")
    assert len(found[Scheme.GITHUB].fresh_event("a")) == 36
    assert isinstance(found[Scheme.STRIPE].fresh_object("a"), int)
    assert found[Scheme.STRIPE].fresh_event("a") != found[Scheme.STRIPE].fresh_event("b")
    paid = read_sample(b'{"data": {"object": {"id": "in_1MtH"}}}', CONTRACTS[Scheme.STRIPE])
    assert str(paid.fresh_object("a")).startswith("in_")


def test_forms_read_the_same_and_are_written_otherwise() -> None:
    content = {"a": "\u00e9", "b": [1.5, None]}
    written = [form.write(content) for form in Form]

    assert [json.loads(one) for one in written] == [content] * 3
    assert len(set(written)) == 3


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b"{", b'{"a": NaN}', b'"\xff"', b"[" * 90_000, b" " * 100_001],
)
def test_what_is_no_event_is_a_mistake(data: bytes) -> None:
    with pytest.raises(BadPayload):
        read_sample(data, CONTRACTS[Scheme.STRIPE])


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert read_sample(b"\xef\xbb\xbf{}", CONTRACTS[Scheme.STRIPE]).content == {}


# What is done to headers, judged by our own verifiers


def refusal(scheme: Scheme, headers: Any, body: bytes) -> Flaw | None:
    """Return how our own verifier turns it away; None where it does not."""
    try:
        SCHEMES[scheme](headers, body, [KEY], NOW)
    except BadDelivery as no:
        return no.reason
    return None


def delivery(scheme: Scheme, key: bytes = KEY) -> tuple[Any, bytes]:
    body = b'{"id": "evt_1", "event_id": "evt_1"}'
    return SIGNERS[scheme](body, key, Stamp(event="evt_1", type="x", at=NOW)), body


@pytest.mark.parametrize("scheme", list(Scheme))
def test_a_bare_signature_can_be_taken_out_and_put_back(scheme: Scheme) -> None:
    headers, body = delivery(scheme)
    contract = CONTRACTS[scheme]
    bare = contract.bare(headers)
    other = contract.bare(delivery(scheme, b"another")[0])

    assert refusal(scheme, contract.signed_as(headers, bare), body) is None
    assert refusal(scheme, contract.signed_as(headers, other), body) is Flaw.WRONG_SIGNATURE
    assert refusal(scheme, contract.unsigned(headers), body) is Flaw.MISSING_SIGNATURE
    assert b"=" not in bare.rstrip(b"=")


@pytest.mark.parametrize("scheme", [one for one in Scheme if Notion.SEVERAL in CONTRACTS[one].has])
def test_a_second_signature_stands_before_the_first(scheme: Scheme) -> None:
    headers, body = delivery(scheme)
    other = CONTRACTS[scheme].bare(delivery(scheme, b"another")[0])

    twice = CONTRACTS[scheme].signed_twice(headers, other)

    value = next(value for name, value in twice if name == CONTRACTS[scheme].signature)
    assert value.index(other) < value.index(CONTRACTS[scheme].bare(headers))
    assert refusal(scheme, twice, body) is None


@pytest.mark.parametrize("scheme", list(Scheme))
def test_every_malformed_header_is_turned_away_by_our_own_verifiers(scheme: Scheme) -> None:
    """None is so odd that it is right."""
    headers, body = delivery(scheme)

    found = {
        name: refusal(scheme, change(headers), body)
        for name, change in malformed(CONTRACTS[scheme])
    }

    assert None not in found.values()
    assert len(found) == (13 if CONTRACTS[scheme].moment else 7)
