"""Shopify's signatures: HMAC-SHA256 of the body alone, in base64.

Neither a time nor the headers are signed. So a recorded delivery stays good for ever,
and whoever recorded it can give it another id: what it causes must bear repetition.

Source:
    Shopify, "Deliver webhooks through HTTPS", verification.
"""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING

from proveout.adapters.hooks.envelope import (
    check_signature,
    event_id,
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

HEADER = b"x-shopify-hmac-sha256"
EVENT = b"x-shopify-webhook-id"
TYPE = b"x-shopify-topic"


def verify(
    headers: Headers,
    body: bytes,
    secrets: Sequence[bytes],
    now: datetime,  # noqa: ARG001 - the other schemes sign a time
) -> Verified:
    """Return what the delivery says of itself: its body is Shopify's and unchanged.

    Raises:
        BadDelivery: it is not.
    """
    signature = one(headers, HEADER)
    if signature is None:
        raise BadDelivery(Flaw.MISSING_SIGNATURE)
    check_signature([signature], secrets, partial(_write, body=body))
    content = parse(body)
    about = content.get("id")
    return Verified(
        event=event_id(one(headers, EVENT)),
        type=name_in(one(headers, TYPE)) or "",
        object=name_in(str(about) if isinstance(about, int) else about),
    )


def sign(body: bytes, secret: bytes, stamp: Stamp) -> Headers:
    """Return the headers that Shopify would send with `body`."""
    return (
        (EVENT, stamp.event.encode()),
        (TYPE, stamp.type.encode()),
        (HEADER, _write(secret, body=body)),
    )


def key_of(text: str) -> bytes:
    """Return the key that an app's client secret stands for: any text, as UTF-8.

    Raises:
        BadSecret: it is empty, has blanks around it, or holds half a character.
    """
    return text_key(text, "Shopify")


def _write(secret: bytes, *, body: bytes) -> bytes:
    return base64.b64encode(mac(secret, body))
