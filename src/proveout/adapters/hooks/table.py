"""Which scheme is verified, signed and given its secrets by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from proveout.adapters.hooks import github, shopify, slack, standard, stripe
from proveout.adapters.hooks.envelope import text_key
from proveout.domain.delivery import Headers, Scheme, Stamp, Verified

if TYPE_CHECKING:
    from collections.abc import Mapping

Verifier = Callable[[Headers, bytes, Sequence[bytes], datetime], Verified]
"""Headers, raw body, secrets and the time, to what the delivery says; or `BadDelivery`."""

Signer = Callable[[bytes, bytes, Stamp], Headers]
"""Raw body, secret and stamp, to the headers that prove where the body comes from."""

SCHEMES: Mapping[Scheme, Verifier] = MappingProxyType(
    {
        Scheme.STRIPE: stripe.verify,
        Scheme.GITHUB: github.verify,
        Scheme.STANDARD: standard.verify,
        Scheme.SLACK: slack.verify,
        Scheme.SHOPIFY: shopify.verify,
    }
)
"""How each scheme's deliveries are verified."""

SIGNERS: Mapping[Scheme, Signer] = MappingProxyType(
    {
        Scheme.STRIPE: stripe.sign,
        Scheme.GITHUB: github.sign,
        Scheme.STANDARD: standard.sign,
        Scheme.SLACK: slack.sign,
        Scheme.SHOPIFY: shopify.sign,
    }
)
"""How each scheme's deliveries are signed, for drills that send them to ourselves."""

_KEYS: Mapping[Scheme, Callable[[str], bytes]] = MappingProxyType(
    {
        Scheme.STRIPE: stripe.key_of,
        Scheme.GITHUB: github.key_of,
        Scheme.STANDARD: standard.key_of,
        Scheme.SLACK: slack.key_of,
        Scheme.SHOPIFY: shopify.key_of,
    }
)


def parse_secret(scheme: Scheme, text: str) -> bytes:
    """Return the key that `text` stands for, ready for the scheme's verifier and signer.

    Raises:
        BadSecret: it is not written as the scheme says; the text is not shown.
    """
    return _KEYS[scheme](text)


def parse_their_secret(scheme: Scheme, text: str) -> bytes:
    """Return the key that a secret of somebody else's receiver stands for.

    Their secrets need not be as long as ours, nor begin as the provider's do, for their
    receiver may be given any; a key of Stripe's API is refused all the same.

    Raises:
        BadSecret: nothing can be signed with it; the text is not shown.
    """
    match scheme:
        case Scheme.STANDARD:
            return standard.any_key_of(text)
        case Scheme.STRIPE if text.startswith(stripe.API_KEYS):
            return stripe.key_of(text)
        case _:
            return text_key(text, scheme.value.capitalize())
