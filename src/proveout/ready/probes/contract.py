"""How each provider writes its deliveries: where the signature, the id and the time stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from proveout.domain.delivery import Headers, Scheme
from proveout.ready.probes.probe import Notion

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOMENT = re.compile(rb"(?<=t=)[^,]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One provider's way.

    Attributes:
        name: of the provider, as it writes it.
        signature: the header that holds it.
        prefix: what stands before the bare signature.
        between: what stands between two signatures of one header; None where there is one.
        moment: the header that holds the signed time, or None.
        id_key: the key of the body under which the event's id stands, or None for a header.
        type_path: keys of the body to the event's type, or none where a header holds it.
        time_key: the key of the body under which it says when it happened, or None.
        has: what the scheme has of what not every scheme has.
        again: headers that tell of a repetition.
    """

    scheme: Scheme
    name: str
    signature: bytes
    prefix: bytes
    between: bytes | None = None
    moment: bytes | None = None
    id_key: str | None = None
    type_path: tuple[str, ...] = ()
    time_key: str | None = None
    has: frozenset[Notion] = frozenset()
    again: Headers = ()

    def bare(self, headers: Headers) -> bytes:
        """Return the signature without what stands before it."""
        return (
            self._value(headers).rpartition(self.prefix)[2]
            if self.prefix
            else (self._value(headers))
        )

    def unsigned(self, headers: Headers) -> Headers:
        """Return the headers without the signature."""
        return tuple(one for one in headers if one[0] != self.signature)

    def signed_as(self, headers: Headers, bare: bytes) -> Headers:
        """Return the headers with another signature in the place of theirs."""
        value = self._value(headers)
        head = value[: len(value) - len(self.bare(headers))]
        return self._with(headers, self.signature, head + bare)

    def written_as(self, headers: Headers, value: bytes) -> Headers:
        """Return the headers with `value` as the whole header of the signature."""
        return self._with(headers, self.signature, value)

    def signed_twice(self, headers: Headers, other: bytes) -> Headers:
        """Return the headers with another signature before theirs."""
        assert self.between is not None  # noqa: S101 - asked of schemes that have several
        good = self.bare(headers)
        return self.signed_as(headers, other + self.between + self.prefix + good)

    def at(self, headers: Headers, moment: bytes) -> Headers:
        """Return the headers with another time, their signature as it was."""
        if self.moment is None:
            return headers
        if self.moment == self.signature:
            return self._with(headers, self.signature, _MOMENT.sub(moment, self._value(headers)))
        return self._with(headers, self.moment, moment)

    def _value(self, headers: Headers) -> bytes:
        return next(value for name, value in headers if name == self.signature)

    def _with(self, headers: Headers, name: bytes, value: bytes) -> Headers:
        return tuple((one, value if one == name else old) for one, old in headers)


_FRESH = frozenset({Notion.TIME, Notion.FRESH})

CONTRACTS: Mapping[Scheme, Contract] = MappingProxyType(
    {
        one.scheme: one
        for one in (
            Contract(
                scheme=Scheme.STRIPE,
                name="Stripe",
                signature=b"stripe-signature",
                prefix=b"v1=",
                between=b",",
                moment=b"stripe-signature",
                id_key="id",
                type_path=("type",),
                time_key="created",
                has=_FRESH | {Notion.SEVERAL, Notion.TEST_MODE},
            ),
            Contract(
                scheme=Scheme.GITHUB,
                name="GitHub",
                signature=b"x-hub-signature-256",
                prefix=b"sha256=",
            ),
            Contract(
                scheme=Scheme.STANDARD,
                name="Standard Webhooks",
                signature=b"webhook-signature",
                prefix=b"v1,",
                between=b" ",
                moment=b"webhook-timestamp",
                type_path=("type",),
                time_key="timestamp",
                has=_FRESH | {Notion.SEVERAL},
            ),
            Contract(
                scheme=Scheme.SLACK,
                name="Slack",
                signature=b"x-slack-signature",
                prefix=b"v0=",
                moment=b"x-slack-request-timestamp",
                id_key="event_id",
                type_path=("event", "type"),
                time_key="event_time",
                has=_FRESH,
                again=((b"x-slack-retry-num", b"1"), (b"x-slack-retry-reason", b"http_timeout")),
            ),
            Contract(
                scheme=Scheme.SHOPIFY,
                name="Shopify",
                signature=b"x-shopify-hmac-sha256",
                prefix=b"",
                time_key="updated_at",
            ),
        )
    }
)
"""Every scheme's contract."""
