"""Slack's signatures, by the example that Slack publishes, and its handshake."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from proveout.adapters.hooks import slack
from proveout.domain.delivery import BadDelivery, Flaw, Scheme, Stamp, Verified
from unit.adapters.hooks.sender import NOW, Sender

SENDER = Sender(scheme=Scheme.SLACK)

KEY = b"8f742231b10e8888abcd99yyyzzz85a5"
SENT = datetime.fromtimestamp(1531420618, UTC)
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
    b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
PUBLISHED = b"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
"""Slack, "Verifying requests from Slack": the values of its walk through a signature."""


def test_we_write_the_published_signature() -> None:
    headers = slack.sign(BODY, KEY, Stamp(event="Ev1", type="x", at=SENT))

    assert dict(headers) == {
        b"x-slack-request-timestamp": b"1531420618",
        b"x-slack-signature": PUBLISHED,
    }


def test_the_published_delivery_is_a_form_and_that_is_all_that_is_wrong_with_it() -> None:
    headers = slack.sign(BODY, KEY, Stamp(event="Ev1", type="x", at=SENT))

    with pytest.raises(BadDelivery) as no:
        slack.verify(headers, BODY, [KEY], SENT)

    assert no.value.reason is Flaw.MALFORMED_BODY


def test_the_kind_is_that_of_the_inner_event() -> None:
    body = b'{"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_mention"}}'

    found = SENDER.receive(SENDER.sign(body), body)

    assert found == Verified(event="Ev1", type="app_mention")


def test_a_handshake_is_no_event_and_has_its_challenge() -> None:
    """Slack asks once whether the address is ours, and signs that too."""
    body = b'{"type": "url_verification", "challenge": "3eZbrw1a"}'

    found = SENDER.receive(SENDER.sign(body), body)

    assert found.challenge == "3eZbrw1a"
    assert SENDER.refuse(SENDER.sign(body, key=SENDER.other), body) is Flaw.WRONG_SIGNATURE


@pytest.mark.parametrize("moment", [b"", b"soon", b"-1", b"1e9", b"\xff"])
def test_a_time_that_is_none_is_turned_away(moment: bytes) -> None:
    body = b'{"event_id": "Ev1"}'
    headers = [one for one in SENDER.sign(body, at=NOW) if one[0] != slack.TIME]

    assert SENDER.refuse([*headers, (slack.TIME, moment)], body) is Flaw.MALFORMED_SIGNATURE
