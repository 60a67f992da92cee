"""Someone who signs deliveries by one scheme, and the receiver who knows the secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from proveout.adapters.hooks.table import SCHEMES, SIGNERS, parse_secret
from proveout.domain.delivery import BadDelivery, Flaw, Headers, Scheme, Stamp, Verified

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

TEXTS = {
    Scheme.STRIPE: ("whsec_5f2aN0tAr3alOne", "whsec_0therN0tAr3alOne"),
    Scheme.GITHUB: ("five dogs and a cat", "one cat fewer"),
    Scheme.STANDARD: (
        "whsec_ZWFjaCB3b3JkIG9mIHRoaXMgaXMgbWFkZSB1cA==",
        "whsec_bm9uZSBvZiB0aGVzZSB3b3JkcyBpcyBhIHNlY3JldA==",
    ),
    Scheme.SLACK: ("8f742231b10e8888abcd99yyyzzz85a5", "not that of this app at all"),
    Scheme.SHOPIFY: ("hush, says the shop", "hush, says another"),
}
"""Two secrets of each scheme, as a person copies them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Someone who signs by one scheme, and the receiver who knows the secret."""

    scheme: Scheme

    @property
    def key(self) -> bytes:
        return parse_secret(self.scheme, TEXTS[self.scheme][0])

    @property
    def other(self) -> bytes:
        return parse_secret(self.scheme, TEXTS[self.scheme][1])

    def sign(
        self,
        body: bytes,
        *,
        key: bytes | None = None,
        at: datetime = NOW,
        event: str = "evt_1",
        kind: str = "parcel.late",
    ) -> Headers:
        secret = self.key if key is None else key
        return SIGNERS[self.scheme](body, secret, Stamp(event=event, type=kind, at=at))

    def receive(
        self,
        headers: Headers,
        body: bytes,
        *,
        secrets: Sequence[bytes] | None = None,
        now: datetime = NOW,
    ) -> Verified:
        known = [self.key] if secrets is None else secrets
        return SCHEMES[self.scheme](headers, body, known, now)

    def refuse(
        self,
        headers: Headers,
        body: bytes,
        *,
        secrets: Sequence[bytes] | None = None,
        now: datetime = NOW,
    ) -> Flaw:
        with pytest.raises(BadDelivery) as no:
            self.receive(headers, body, secrets=secrets, now=now)
        return no.value.reason
