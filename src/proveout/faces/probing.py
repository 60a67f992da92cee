"""What is asked for when a foreign receiver is to be probed."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proveout.ready.probes.rig import Bounds

if TYPE_CHECKING:
    from proveout.domain.delivery import Scheme

LEAST_SECRET = 6
"""Characters; what is shorter stands in answers by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A receiver, how its provider signs, and what tells what deliveries led to.

    Attributes:
        secret: as a person copies it from the provider.
        payload: a sample of what the provider sends.
        event_type: of the sample, where a header holds it; None for the likeliest.
        effects_url: answers `{"count": n}` for the event whose id stands in the place of `{id}`.
        effects_command: prints the same.
        state_url: answers `{"status": …}` for an object.
        allowed: hosts beside this machine.
    """

    url: str
    scheme: Scheme
    secret: str = field(repr=False)
    payload: bytes = field(repr=False)
    event_type: str | None = None
    effects_url: str | None = None
    effects_command: str | None = None
    state_url: str | None = None
    allowed: tuple[str, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)


def writings(secret: str, key: bytes) -> tuple[str, ...]:
    """Return how a secret and its key may be written in an answer, the longest first."""
    found = {
        secret,
        secret.removeprefix("whsec_"),
        key.decode("latin-1"),
        key.hex(),
        base64.b64encode(key).decode(),
    }
    return tuple(sorted((one for one in found if len(one) >= LEAST_SECRET), key=len, reverse=True))
