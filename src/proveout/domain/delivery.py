"""Deliveries: webhooks that came in, and what is known of one whose signature is good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from proveout.errors import Mistake, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Headers = Sequence[tuple[bytes, bytes]]
"""The headers of a request as ASGI gives them: lower-case names, in order, repeated or not."""

LONGEST_NAME = 255
"""Most characters that the id or the type of an event may have."""


class Scheme(StrEnum):
    """How a source signs its deliveries."""

    STRIPE = "stripe"
    GITHUB = "github"
    STANDARD = "standard"
    SLACK = "slack"
    SHOPIFY = "shopify"


class Flaw(StrEnum):
    """What is wrong with a delivery that was turned away."""

    MALFORMED_HEADER = "malformed-header"
    MISSING_SIGNATURE = "missing-signature"
    MALFORMED_SIGNATURE = "malformed-signature"
    WRONG_SIGNATURE = "wrong-signature"
    TOO_OLD = "too-old"
    FROM_THE_FUTURE = "from-the-future"
    MALFORMED_BODY = "malformed-body"
    NO_EVENT_ID = "no-event-id"


class BadDelivery(Refusal):
    """A delivery was turned away; nothing of it is shown, nor of what was expected.

    Attributes:
        reason: what is wrong with it.
    """

    code = "bad-delivery"

    def __init__(self, reason: Flaw) -> None:
        account = ACCOUNTS[reason]
        super().__init__(account.message, why=account.why, fix=account.fix)
        self.reason = reason


class Account(NamedTuple):
    """What a flaw is called, what follows from it, and what usually mends it."""

    message: str
    why: str
    fix: tuple[str, ...]


ACCOUNTS: Mapping[Flaw, Account] = MappingProxyType(
    {
        Flaw.MALFORMED_HEADER: Account(
            "a header that must be there once is there twice, or is far too long",
            "with two values, nobody can say which one was signed",
            ("look for a proxy that adds headers",),
        ),
        Flaw.MISSING_SIGNATURE: Account(
            "the delivery carries no signature",
            "anyone could have sent it",
            ("give the endpoint a secret where the provider is set up",),
        ),
        Flaw.MALFORMED_SIGNATURE: Account(
            "the signature is not written as its scheme says",
            "it cannot be compared",
            ("check the scheme of this source in proveout.toml",),
        ),
        Flaw.WRONG_SIGNATURE: Account(
            "no secret of this source made the signature",
            "the secret is another endpoint's, or the body was changed on its way",
            (
                "compare the secret with the one of this very endpoint at the provider",
                "let proxies and gateways pass the body on byte for byte",
            ),
        ),
        Flaw.TOO_OLD: Account(
            "the delivery was signed too long ago",
            "someone may be sending a recorded one again",
            ("set this machine's clock", "ask the provider to send it again"),
        ),
        Flaw.FROM_THE_FUTURE: Account(
            "the delivery was signed at a time that is still to come",
            "one of the two clocks is wrong",
            ("set this machine's clock",),
        ),
        Flaw.MALFORMED_BODY: Account(
            "the body is not one JSON object",
            "a workflow could not read it",
            ("have the provider send application/json",),
        ),
        Flaw.NO_EVENT_ID: Account(
            "the delivery names no event",
            "without a usable id the same event could count twice",
            (f"have the sender give each event an id of 1 to {LONGEST_NAME} characters of ASCII",),
        ),
    }
)
"""Every flaw in words; fixed ones, so that no delivery can put its own into an answer."""


def is_name(text: str) -> bool:
    """Whether `text` can name an event: short, printable, without blanks around it."""
    fits = 1 <= len(text) <= LONGEST_NAME
    return fits and text.isascii() and text.isprintable() and text == text.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a delivery with a good signature says of itself.

    Attributes:
        event: the sender's id of the event, the same each time it is sent.
        type: what the sender calls this kind of event, or "" where it has no usable name.
        is_test: it comes from the sender's test mode.
        object: id of what the event is about, or None where the scheme does not tell.
        challenge: what must be sent back, where the sender asks only whether the address is
            ours; such a delivery is no event.
    """

    event: str
    type: str
    is_test: bool = False
    object: str | None = None
    challenge: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A webhook as it was received, its signature checked.

    Attributes:
        source: name of the source in the settings.
        event: the sender's id of the event; with `source` it tells one event from another.
        type: what the sender calls this kind of event, or "".
        headers: names in lower case and values, in the order of the request.
        body: the very bytes that were signed.
        is_test: it comes from the sender's test mode and must cause no effect in production.
    """

    source: str
    event: str
    type: str
    received: datetime
    # What a customer wrote does not belong into a log or a traceback.
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    is_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a sender writes on a delivery beside its body.

    Attributes:
        event: id of the event; Stripe's and Slack's are a part of the body instead.
        type: kind of the event; only GitHub and Shopify write it beside the body.
        at: when it is signed.

    Raises:
        Mistake: a header cannot hold the id or the type.
    """

    event: str
    type: str
    at: datetime

    def __post_init__(self) -> None:
        for what, name in (("id", self.event), ("type", self.type)):
            if not is_name(name):
                raise Mistake(
                    f"{name[:LONGEST_NAME]!r} cannot be the {what} of an event",
                    why=f"it travels in a header: 1 to {LONGEST_NAME} printable ASCII characters",
                )
