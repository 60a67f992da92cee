"""Surroundings: what trials are called under, beside what the lock of an experiment covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.errors import Refusal
from proveout.faces.released import environment_here
from proveout.prove.lock import canonical, digest, words
from proveout.prove.reuse import UNKNOWN

if TYPE_CHECKING:
    from proveout.domain.money import Usd
    from proveout.faces.settings import Settings


def surroundings_here(settings: Settings, cap: Usd | None) -> str:
    """Return the digest of the packages, the Python and how calls of models are metered here.

    `UNKNOWN` where the packages do not tell what they are.

    Args:
        settings: the project's.
        cap: the most that one call may spend on models; a metered call is held to it.
    """
    try:
        environment = environment_here(settings).digest
    except (Refusal, OSError):
        return UNKNOWN
    models = [words(settings.models), words(cap)] if settings.models.is_on else None
    return digest(canonical({"environment": environment, "models": models}))
