"""Which scheme is verified, signed and given its secrets by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from proveout.adapters.hooks import github, standard, stripe
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
    }
)
"""How each scheme's deliveries are verified."""

SIGNERS: Mapping[Scheme, Signer] = MappingProxyType(
    {
        Scheme.STRIPE: stripe.sign,
        Scheme.GITHUB: github.sign,
        Scheme.STANDARD: standard.sign,
    }
)
"""How each scheme's deliveries are signed, for drills that send them to ourselves."""

_KEYS: Mapping[Scheme, Callable[[str], bytes]] = MappingProxyType(
    {
        Scheme.STRIPE: stripe.key_of,
        Scheme.GITHUB: github.key_of,
        Scheme.STANDARD: standard.key_of,
    }
)


def parse_secret(scheme: Scheme, text: str) -> bytes:
    """Return the key that `text` stands for, ready for the scheme's verifier and signer.

    Raises:
        BadSecret: it is not written as the scheme says; the text is not shown.
    """
    return _KEYS[scheme](text)
