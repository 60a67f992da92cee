"""GitHub's signatures, by the example that GitHub publishes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from proveout.adapters.hooks import github
from proveout.adapters.hooks.table import parse_secret
from proveout.domain.delivery import BadDelivery, Flaw, Scheme, Stamp, Verified
from unit.adapters.hooks.sender import NOW, Sender

SENDER = Sender(scheme=Scheme.GITHUB)
BODY = b'{"action": "opened", "issue": {"number": 5, "id": 7}}'

KEY = parse_secret(Scheme.GITHUB, "It's a Secret to Everybody")
HELLO = b"Hello, World!"
PUBLISHED = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
"""GitHub, "Validating webhook deliveries": the values to test with."""


def test_we_write_the_published_signature() -> None:
    stamp = Stamp(event="72d3162e", type="ping", at=NOW)

    headers = github.sign(HELLO, KEY, stamp)

    assert dict(headers) == {
        b"x-hub-signature-256": PUBLISHED,
        b"x-github-delivery": b"72d3162e",
        b"x-github-event": b"ping",
    }


@pytest.mark.parametrize(
    ("body", "flaw"),
    [(HELLO, Flaw.MALFORMED_BODY), (b"Hello, World?", Flaw.WRONG_SIGNATURE)],
)
def test_the_published_signature_is_good_for_its_own_body_alone(body: bytes, flaw: Flaw) -> None:
    """The example is no JSON, and that is all that is wrong with it."""
    with pytest.raises(BadDelivery) as no:
        github.verify([(b"x-hub-signature-256", PUBLISHED)], body, [KEY], NOW)

    assert no.value.reason is flaw


def test_the_event_is_told_by_the_headers() -> None:
    """The id is the same each time an event is sent again."""
    headers = SENDER.sign(BODY, event="72d3162e-cc78", kind="issues")

    assert SENDER.receive(headers, BODY) == Verified(event="72d3162e-cc78", type="issues")


def test_no_time_is_signed() -> None:
    """A delivery is as good a year later, so nothing but its id can tell a repetition."""
    headers = SENDER.sign(BODY)

    assert SENDER.receive(headers, BODY, now=NOW + timedelta(days=365)).event == "evt_1"
    assert SENDER.receive(headers, BODY, now=NOW - timedelta(days=365)).event == "evt_1"


def test_a_delivery_without_an_id_is_turned_away() -> None:
    """Without it a redelivery would count as another event; without a kind it is kept."""
    headers = SENDER.sign(BODY)
    no_id = [header for header in headers if header[0] != b"x-github-delivery"]
    no_kind = [header for header in headers if header[0] != b"x-github-event"]

    assert SENDER.refuse(no_id, BODY) is Flaw.NO_EVENT_ID
    assert SENDER.receive(no_kind, BODY) == Verified(event="evt_1", type="")


@pytest.mark.parametrize(
    ("signature", "flaw"),
    [
        (PUBLISHED.removeprefix(b"sha256="), Flaw.MALFORMED_SIGNATURE),
        (b"sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59", Flaw.MALFORMED_SIGNATURE),
        (PUBLISHED.upper(), Flaw.MALFORMED_SIGNATURE),
        (b"sha256=", Flaw.WRONG_SIGNATURE),
        (b"sha256=\xc3\xa9\xff", Flaw.WRONG_SIGNATURE),
        (b"sha256=" + PUBLISHED.removeprefix(b"sha256=").upper(), Flaw.WRONG_SIGNATURE),
        (PUBLISHED + b"0", Flaw.WRONG_SIGNATURE),
        (PUBLISHED[:-1], Flaw.WRONG_SIGNATURE),
    ],
)
def test_a_signature_is_written_in_one_way(signature: bytes, flaw: Flaw) -> None:
    with pytest.raises(BadDelivery) as no:
        github.verify([(b"x-hub-signature-256", signature)], HELLO, [KEY], NOW)

    assert no.value.reason is flaw


def test_the_older_signature_is_not_looked_at() -> None:
    """SHA-1 is sent beside the other for old receivers; alone it lets nobody in."""
    headers = [(b"x-hub-signature", b"sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59")]

    assert SENDER.refuse(headers, BODY) is Flaw.MISSING_SIGNATURE
