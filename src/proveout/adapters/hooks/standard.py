"""Standard Webhooks: HMAC-SHA256 in base64 of the id, the time and the body.

Signatures by a public key (version 1a) are passed over.

Source:
    Standard Webhooks specification, version 1.0.0, "Webhook signature".
"""

from __future__ import annotations

import base64
import binascii
from functools import partial
from typing import TYPE_CHECKING

from proveout.adapters.hooks.envelope import (
    MOMENT,
    BadSecret,
    check_bare,
    check_moment,
    check_signature,
    event_id,
    inner,
    mac,
    name_in,
    one,
    parse,
)
from proveout.domain.delivery import BadDelivery, Flaw, Headers, Stamp, Verified

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

NAMES = (b"webhook-", b"svix-")
"""How the names of the three headers begin: the standard's way, then Svix's."""

VERSION = b"v1,"
PREFIX = "whsec_"

SHORTEST_KEY = 24
"""Fewest bytes of a key that the specification allows."""


def verify(headers: Headers, body: bytes, secrets: Sequence[bytes], now: datetime) -> Verified:
    """Return what the delivery says of itself: it is the sender's, fresh and unchanged.

    Raises:
        BadDelivery: it is not.
    """
    event, moment, signatures = _read(headers)
    write = partial(_write, event=event, moment=moment, body=body)
    check_signature(signatures, secrets, write)
    check_moment(moment, now)
    content = parse(body)
    return Verified(
        event=event_id(event),
        type=name_in(content.get("type")) or "",
        object=name_in(inner(content, "data").get("id")),
    )


def sign(body: bytes, secret: bytes, stamp: Stamp) -> Headers:
    """Return the headers that a sender of the standard would send with `body`."""
    event, moment = stamp.event.encode(), b"%d" % int(stamp.at.timestamp())
    signature = _write(secret, event=event, moment=moment, body=body)
    return (
        (b"webhook-id", event),
        (b"webhook-timestamp", moment),
        (b"webhook-signature", signature),
    )


def key_of(text: str) -> bytes:
    """Return the key that a secret stands for: the bytes that its base64 holds.

    Raises:
        BadSecret: it is not `whsec_` and base64, or its key is too short.
    """
    check_bare(text)
    key = _decoded(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None
    if key is None or len(key) < SHORTEST_KEY:
        raise BadSecret(
            f"the secret of a sender of Standard Webhooks is {PREFIX} and at least"
            f" {SHORTEST_KEY} bytes in base64",
            why="it was cut off, or belongs to another scheme",
            fix=("copy the endpoint's secret once more, from whsec_ to its end",),
        )
    return key


def any_key_of(text: str) -> bytes:
    """Return the key that a secret stands for, with `whsec_` or without, of any length.

    Raises:
        BadSecret: it is not base64, or empty.
    """
    check_bare(text)
    key = _decoded(text.removeprefix(PREFIX))
    if not key:
        raise BadSecret(
            f"the secret is not base64, with {PREFIX} before it or without",
            why="a sender of Standard Webhooks signs with the bytes that the secret encodes",
            fix=("copy the endpoint's secret once more, from its beginning to its end",),
        )
    return key


def _decoded(text: str) -> bytes | None:
    """Return the bytes that `text` holds, padded or not; None where it is not base64."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _read(headers: Headers) -> tuple[bytes, bytes, list[bytes]]:
    """Return id, time and signatures of version 1, all three under the same kind of name."""
    start = next((name for name in NAMES if one(headers, name + b"signature")), NAMES[0])
    event, moment, signature = (
        one(headers, start + part) for part in (b"id", b"timestamp", b"signature")
    )
    if signature is None:
        raise BadDelivery(Flaw.MISSING_SIGNATURE)
    if event is None:
        raise BadDelivery(Flaw.NO_EVENT_ID)
    signatures = [part for part in signature.split(b" ") if part.startswith(VERSION)]
    if moment is None or not MOMENT.fullmatch(moment) or not signatures:
        raise BadDelivery(Flaw.MALFORMED_SIGNATURE)
    return event, moment, signatures


def _write(secret: bytes, *, event: bytes, moment: bytes, body: bytes) -> bytes:
    return VERSION + base64.b64encode(mac(secret, b"%b.%b.%b" % (event, moment, body)))
