"""What answers a case without being a function of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proveout.errors import Mistake, Outage, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.domain.case import Json

LARGEST_ANSWER = 1 << 20
"""Bytes that one answer may have, as any payload."""


class NotAskable(Mistake):
    """A candidate cannot be asked: its variable, its program or its file is not what it must be."""

    code = "not-askable"


class PrivateAddress(Refusal):
    """A candidate's host stands at an address that is not public, and nobody allowed it."""

    code = "private-address"


class NoAnswer(Outage):
    """A candidate gave no answer that can be read; its trial has failed."""

    code = "no-answer"


class TurnedAway(NoAnswer):
    """A candidate asked to be called again later.

    Attributes:
        headers: of what it said; `Retry-After` tells how much later.
    """

    code = "turned-away"

    def __init__(self, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.headers = headers


class Respondent(Protocol):
    """Answers cases from elsewhere."""

    async def ready(self) -> None:
        """Leave quietly when it can be asked; it is not asked here.

        Raises:
            NotAskable: it cannot be, until somebody mends it.
            PrivateAddress: it stands where nobody allowed it to.
            NoAnswer: it cannot be found now.
        """
        ...

    async def answer(self, value: Json) -> Json:
        """Return its answer to an input.

        Raises:
            NoAnswer: it gave none that can be read.
            TurnedAway: it is worth asking again, later.
        """
        ...

    async def close(self) -> None:
        """Leave nothing behind: no connection, no process."""
        ...
