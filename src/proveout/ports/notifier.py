"""Notifiers: tell a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proveout.errors import Outage

if TYPE_CHECKING:
    from proveout.domain.alert import Notice


class NotAccepted(Outage):
    """A channel did not take a notice; it is handed over again."""

    code = "not-accepted"


class Notifier(Protocol):
    """The channels that reach people, by name."""

    def reaches(self, to: str) -> bool:
        """Whether a channel of that name is there."""
        ...

    async def tell(self, notice: Notice) -> None:
        """Hand a notice to its channel; it is accepted then, which is not yet read.

        Raises:
            NotAccepted: the channel does not answer, or refuses it.
        """
        ...

    async def beat(self) -> None:
        """Tell the outside that somebody keeps watch; nothing where nobody listens.

        Raises:
            NotAccepted: nobody answered.
        """
        ...
