"""Slack's signatures: hexadecimal HMAC-SHA256 of a version, the time and the body.

Source:
    Slack, "Verifying requests from Slack".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from proveout.adapters.hooks.envelope import (
    MOMENT,
    check_moment,
    check_signature,
    event_id,
    inner,
    mac,
    name_in,
    one,
    parse,
    text_key,
)
from proveout.domain.delivery import BadDelivery, Flaw, Headers, Stamp, Verified

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

HEADER = b"x-slack-signature"
TIME = b"x-slack-request-timestamp"
PREFIX = b"v0="

HANDSHAKE = "url_verification"
"""What Slack calls the delivery by which it asks whether an address is ours."""


def verify(headers: Headers, body: bytes, secrets: Sequence[bytes], now: datetime) -> Verified:
    """Return what the delivery says of itself: it is Slack's, fresh and unchanged.

    Raises:
        BadDelivery: it is not.
    """
    signature, moment = one(headers, HEADER), one(headers, TIME)
    if signature is None:
        raise BadDelivery(Flaw.MISSING_SIGNATURE)
    if moment is None or not MOMENT.fullmatch(moment) or not signature.startswith(PREFIX):
        raise BadDelivery(Flaw.MALFORMED_SIGNATURE)
    check_signature([signature], secrets, partial(_write, moment=moment, body=body))
    check_moment(moment, now)
    content = parse(body)
    challenge = content.get("challenge")
    if content.get("type") == HANDSHAKE and isinstance(challenge, str):
        return Verified(event=HANDSHAKE, type=HANDSHAKE, challenge=challenge)
    kind = inner(content, "event").get("type") or content.get("type")
    return Verified(event=event_id(content.get("event_id")), type=name_in(kind) or "")


def sign(body: bytes, secret: bytes, stamp: Stamp) -> Headers:
    """Return the headers that Slack would send with `body`, which itself names the event."""
    moment = b"%d" % int(stamp.at.timestamp())
    return ((TIME, moment), (HEADER, _write(secret, moment=moment, body=body)))


def key_of(text: str) -> bytes:
    """Return the key that an app's signing secret stands for: any text, as UTF-8.

    Raises:
        BadSecret: it is empty, has blanks around it, or holds half a character.
    """
    return text_key(text, "Slack")


def _write(secret: bytes, *, moment: bytes, body: bytes) -> bytes:
    return PREFIX + mac(secret, b"v0:%b:%b" % (moment, body)).hex().encode()
