"""Standard Webhooks, with the standard's own library on the other side."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from proveout.adapters.hooks import standard
from proveout.adapters.hooks.table import parse_secret
from proveout.adapters.system import SystemClock
from proveout.domain.delivery import BadDelivery, Flaw, Headers, Scheme, Verified
from unit.adapters.hooks.sender import NOW, TEXTS, Sender

SENDER = Sender(scheme=Scheme.STANDARD)
THEIRS = standardwebhooks.Webhook(TEXTS[Scheme.STANDARD][0])
BODY = b'{"type": "parcel.late", "data": {"id": "parcel_7", "to": "Z\xc3\xbcrich"}}'

PUBLISHED = {
    b"id": b"msg_p5jXN8AQM9LWM0D4loKWxJek",
    b"timestamp": b"1614265330",
    b"signature": b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""The example in the documentation of Svix, which the standard grew out of."""

SENT = datetime.fromtimestamp(1614265330, UTC)
KEY = parse_secret(Scheme.STANDARD, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def texts(headers: Headers) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers}


def signed(*signatures: bytes, at: datetime = NOW) -> Headers:
    """Return headers whose signature is these, and `GOOD` the one that is right."""
    headers = dict(SENDER.sign(BODY, event="msg_1", at=at))
    good = headers[b"webhook-signature"]
    written = b" ".join(good if part == GOOD else part for part in signatures)
    return tuple({**headers, b"webhook-signature": written}.items())


GOOD = b"good"
OTHER = b"v1," + base64.b64encode(b"x" * 32)


@pytest.mark.parametrize("start", [b"webhook-", b"svix-"])
def test_the_published_example_is_good(start: bytes) -> None:
    """Under the standard's names and under Svix's; a changed body is not."""
    headers = [(start + name, value) for name, value in PUBLISHED.items()]

    verified = standard.verify(headers, b'{"test": 2432232314}', [KEY], SENT)

    assert verified == Verified(event="msg_p5jXN8AQM9LWM0D4loKWxJek", type="")
    with pytest.raises(BadDelivery, match="no secret of this source"):
        standard.verify(headers, b'{"test": 2432232315}', [KEY], SENT)


@given(body=st.text(), event=st.from_regex(r"[!-~]{1,40}", fullmatch=True))
def test_we_write_what_their_library_writes(body: str, event: str) -> None:
    ours = dict(SENDER.sign(body.encode(), event=event))

    assert ours[b"webhook-signature"].decode() == THEIRS.sign(event, NOW, body)


def test_their_library_accepts_what_we_sign() -> None:
    """And refuses it for another body, so it does look; it goes by the machine's clock."""
    headers = SENDER.sign(BODY, event="msg_1", at=SystemClock().now())

    assert THEIRS.verify(BODY, texts(headers))["type"] == "parcel.late"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        THEIRS.verify(BODY + b" ", texts(headers))


def test_we_accept_what_their_library_signs() -> None:
    """The event is named by the header, its kind and its object by the body."""
    headers = (
        (b"webhook-id", b"msg_1"),
        (b"webhook-timestamp", b"%d" % NOW.timestamp()),
        (b"webhook-signature", THEIRS.sign("msg_1", NOW, BODY.decode()).encode()),
    )

    verified = SENDER.receive(headers, BODY)

    assert verified == Verified(event="msg_1", type="parcel.late", object="parcel_7")
    assert SENDER.refuse(headers, BODY + b" ") is Flaw.WRONG_SIGNATURE


@pytest.mark.parametrize("seconds", [-400, 400])
def test_both_refuse_what_was_signed_at_another_time(seconds: int) -> None:
    """Too old or still to come: their library and ours look both ways."""
    now = SystemClock().now()
    headers = SENDER.sign(BODY, at=now + timedelta(seconds=seconds))

    with pytest.raises(standardwebhooks.WebhookVerificationError, match="timestamp"):
        THEIRS.verify(BODY, texts(headers))
    assert SENDER.refuse(headers, BODY, now=now) in {Flaw.TOO_OLD, Flaw.FROM_THE_FUTURE}


@pytest.mark.parametrize(
    ("signatures", "flaw"),
    [
        ((GOOD,), None),
        ((OTHER, GOOD), None),
        ((b"v1a,AAAA", GOOD, OTHER), None),
        ((b"v1", b"nonsense", b"v2,,", b"", GOOD), None),
        ((OTHER, OTHER), Flaw.WRONG_SIGNATURE),
        ((b"v1,",), Flaw.WRONG_SIGNATURE),
        ((b"v1,\xff\xfe",), Flaw.WRONG_SIGNATURE),
        ((b"v1,====",), Flaw.WRONG_SIGNATURE),
        ((b"v1a,AAAA",), Flaw.MALFORMED_SIGNATURE),
        ((b"v1",), Flaw.MALFORMED_SIGNATURE),
        ((b" ",), Flaw.MALFORMED_SIGNATURE),
    ],
)
def test_one_good_signature_of_several_is_enough(
    signatures: tuple[bytes, ...], flaw: Flaw | None
) -> None:
    """Other versions are passed over, and none of them counts."""
    headers = signed(*signatures)

    if flaw is None:
        assert SENDER.receive(headers, BODY).event == "msg_1"
    else:
        assert SENDER.refuse(headers, BODY) is flaw


@pytest.mark.parametrize("moment", [b"", b"-1", b"1e9", b"1795426200.0", b"\xd9\xa1", b"9" * 13])
def test_a_time_of_another_form_is_malformed(moment: bytes) -> None:
    headers = tuple((n, moment if n == b"webhook-timestamp" else v) for n, v in signed(GOOD))

    assert SENDER.refuse(headers, BODY) is Flaw.MALFORMED_SIGNATURE


@pytest.mark.parametrize(
    ("name", "value"), [(b"webhook-id", b"msg_2"), (b"webhook-timestamp", b"1795426201")]
)
def test_id_and_time_are_signed(name: bytes, value: bytes) -> None:
    """Neither can a recorded delivery be made young, nor can it count as another event."""
    headers = tuple((n, value if n == name else v) for n, v in signed(GOOD))

    assert headers != signed(GOOD)
    assert SENDER.refuse(headers, BODY) is Flaw.WRONG_SIGNATURE


def test_the_two_kinds_of_names_do_not_mix() -> None:
    """Each is complete or does not count; a stray header of the other kind does no harm."""
    headers = signed(GOOD)
    mixed = [(n.replace(b"webhook-id", b"svix-id"), v) for n, v in headers]

    assert SENDER.refuse(mixed, BODY) is Flaw.NO_EVENT_ID
    assert SENDER.receive([*headers, (b"svix-id", b"msg_2")], BODY).event == "msg_1"
