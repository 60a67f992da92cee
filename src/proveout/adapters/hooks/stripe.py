"""Stripe's signatures: hexadecimal HMAC-SHA256 of the time, a full stop and the body.

Source:
    Stripe, "Receive Stripe events in your webhook endpoint", manual verification.
"""

from __future__ import annotations

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

HEADER = b"stripe-signature"
PREFIX = "whsec_"

API_KEYS = ("sk_", "rk_", "pk_")
"""How keys of Stripe's API begin, which sign nothing."""


def verify(headers: Headers, body: bytes, secrets: Sequence[bytes], now: datetime) -> Verified:
    """Return what the delivery says of itself: it is Stripe's, fresh and unchanged.

    Raises:
        BadDelivery: it is not.
    """
    moment, signatures = _read(one(headers, HEADER))
    check_signature(signatures, secrets, partial(_write, moment=moment, body=body))
    check_moment(moment, now)
    event = parse(body)
    about = inner(inner(event, "data"), "object") or inner(event, "related_object")
    return Verified(
        event=event_id(event.get("id")),
        type=name_in(event.get("type")) or "",
        is_test=event.get("livemode") is False,
        object=name_in(about.get("id")),
    )


def sign(body: bytes, secret: bytes, stamp: Stamp) -> Headers:
    """Return the headers that Stripe would send with `body`, which itself names the event."""
    moment = b"%d" % int(stamp.at.timestamp())
    return ((HEADER, b"t=%b,v1=%b" % (moment, _write(secret, moment=moment, body=body))),)


def key_of(text: str) -> bytes:
    """Return the key that an endpoint's secret stands for: all of its characters.

    Raises:
        BadSecret: it is not an endpoint's secret.
    """
    check_bare(text)
    if not text.startswith(PREFIX) or not text.isascii() or text == PREFIX:
        raise BadSecret(
            f"the secret of a Stripe endpoint begins with {PREFIX}",
            why="a key of the API, such as sk_…, signs nothing",
            fix=("copy the signing secret of this very endpoint",),
        )
    return text.encode()


def _read(header: bytes | None) -> tuple[bytes, list[bytes]]:
    """Return the time and the signatures of version 1; a header may also hold others."""
    if header is None:
        raise BadDelivery(Flaw.MISSING_SIGNATURE)
    parts = [part.partition(b"=") for part in header.split(b",")]
    moments = [value for key, _, value in parts if key == b"t"]
    signatures = [value for key, _, value in parts if key == b"v1"]
    if len(moments) != 1 or not MOMENT.fullmatch(moments[0]) or not signatures:
        raise BadDelivery(Flaw.MALFORMED_SIGNATURE)
    return moments[0], signatures


def _write(secret: bytes, *, moment: bytes, body: bytes) -> bytes:
    return mac(secret, b"%b.%b" % (moment, body)).hex().encode()
