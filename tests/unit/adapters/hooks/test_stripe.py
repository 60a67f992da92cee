"""Stripe's signatures, with Stripe's own library on the other side."""

from __future__ import annotations

from datetime import timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from proveout.domain.delivery import Flaw, Scheme, Verified
from unit.adapters.hooks.sender import NOW, TEXTS, Sender

SENDER = Sender(scheme=Scheme.STRIPE)
SECRET = TEXTS[Scheme.STRIPE][0]
HEADER = b"stripe-signature"

BODY = b"""{
  "id": "evt_5f2a",
  "object": "event",
  "type": "charge.refunded",
  "livemode": true,
  "data": {"object": {"id": "ch_5f2a", "object": "charge", "to": "Z\xc3\xbcrich"}}
}"""

bodies = st.one_of(st.just(BODY.decode()), st.text())


def theirs(body: str, secret: str = SECRET, seconds: int = 0) -> bytes:
    """Return the header that Stripe's library writes."""
    moment = int(NOW.timestamp()) + seconds
    write = stripe.WebhookSignature.generate_signature_header  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - its times have no type
    return write(body, secret, moment).encode()


def they_accept(header: bytes, body: bytes, tolerance: int | None = None) -> bool:
    """Whether Stripe's library takes the signature; without a tolerance it reads no clock."""
    read = stripe.WebhookSignature.verify_header  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - its tolerance has no type
    try:
        return read(body, header.decode(), SECRET, tolerance)
    except stripe.SignatureVerificationError:
        return False


@given(body=bodies)
def test_we_write_what_their_library_writes(body: str) -> None:
    """Byte for byte, whatever the body is."""
    ours = SENDER.sign(body.encode())

    assert ours == ((HEADER, theirs(body)),)


def test_their_library_accepts_what_we_sign() -> None:
    """And refuses it for another body, so it does look."""
    ((_, header),) = SENDER.sign(BODY)

    assert they_accept(header, BODY)
    assert not they_accept(header, BODY + b" ")


def test_we_accept_what_their_library_signs() -> None:
    """The event is Stripe's, with the object that it is about."""
    headers = ((HEADER, theirs(BODY.decode())),)

    verified = SENDER.receive(headers, BODY)

    assert verified == Verified(event="evt_5f2a", type="charge.refunded", object="ch_5f2a")
    assert SENDER.refuse(headers, BODY + b" ") is Flaw.WRONG_SIGNATURE


def test_one_good_signature_of_several_is_enough() -> None:
    """Stripe signs with the old and the new secret while one is being replaced."""
    other = theirs(BODY.decode(), "whsec_0ther").partition(b"v1=")[2]
    moment, _, good = theirs(BODY.decode()).partition(b",v1=")
    both = b"%b,v1=%b,v1=%b,v0=%b" % (moment, other, good, other)
    neither = b"%b,v1=%b,v1=%b,v0=%b" % (moment, other, other, good)

    assert they_accept(both, BODY)
    assert SENDER.receive(((HEADER, both),), BODY).event == "evt_5f2a"
    assert not they_accept(neither, BODY)
    assert SENDER.refuse(((HEADER, neither),), BODY) is Flaw.WRONG_SIGNATURE


def test_a_time_to_come_is_refused_where_their_library_takes_it() -> None:
    """Their library looks only for what is too old; ours looks both ways."""
    header = theirs(BODY.decode(), seconds=86_400 * 365 * 20)

    assert they_accept(header, BODY, tolerance=300)
    assert SENDER.refuse(((HEADER, header),), BODY) is Flaw.FROM_THE_FUTURE


def test_the_time_is_signed() -> None:
    """A recorded delivery cannot be made young again."""
    old = theirs(BODY.decode(), seconds=-3600)
    young = old.replace(b"t=%d" % (NOW.timestamp() - 3600), b"t=%d" % NOW.timestamp())

    assert young != old
    assert SENDER.refuse(((HEADER, old),), BODY) is Flaw.TOO_OLD
    assert SENDER.refuse(((HEADER, young),), BODY) is Flaw.WRONG_SIGNATURE
    assert SENDER.receive(((HEADER, old),), BODY, now=NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    "header",
    [
        b"nonsense",
        b"t=,v1=ab",
        b"t=1795426200",
        b"v1=ab",
        b"t=1795426200,v0=ab",
        b"t=1795426200,t=1795426200,v1=ab",
        b"t=-1795426200,v1=ab",
        b"t=1795426200.5,v1=ab",
        b"t=\xd9\xa1,v1=ab",
        b"t=" + b"9" * 13 + b",v1=ab",
        b"t=" + b"9" * 5000 + b",v1=ab",
    ],
)
def test_a_header_of_another_form_is_malformed(header: bytes) -> None:
    """Nothing is guessed: one time of plain digits, and at least one signature."""
    assert SENDER.refuse(((HEADER, header),), BODY) is Flaw.MALFORMED_SIGNATURE


@pytest.mark.parametrize("value", [b"\xff" * 64, b"\xc3\xa9", b"", b"AB" * 32, b"ab" * 31])
def test_a_signature_of_another_form_is_wrong(value: bytes) -> None:
    """No bytes of a signature lead to another error, and none are read in another way."""
    header = b"t=%d,v1=%b" % (NOW.timestamp(), value)

    assert SENDER.refuse(((HEADER, header),), BODY) is Flaw.WRONG_SIGNATURE


def test_a_signature_in_capitals_is_not_read_as_another_way_to_write_it() -> None:
    moment, _, good = theirs(BODY.decode()).partition(b",v1=")
    capitals = b"%b,v1=%b" % (moment, good.upper())

    assert not they_accept(capitals, BODY)
    assert SENDER.refuse(((HEADER, capitals),), BODY) is Flaw.WRONG_SIGNATURE


@pytest.mark.parametrize(
    ("mode", "is_test"), [("false", True), ("true", False), ("null", False), ('"false"', False)]
)
def test_only_the_test_mode_is_the_test_mode(mode: str, is_test: bool) -> None:
    """Stripe says so with a plain `false`."""
    body = f'{{"id": "evt_5f2a", "type": "x", "livemode": {mode}}}'.encode()

    assert SENDER.receive(SENDER.sign(body), body).is_test is is_test


def test_a_thin_event_names_its_object_too() -> None:
    """Stripe's newer events carry only a reference to what they are about."""
    body = b'{"id": "evt_1", "type": "v1.x", "livemode": true, "related_object": {"id": "me_1"}}'

    assert SENDER.receive(SENDER.sign(body), body).object == "me_1"
