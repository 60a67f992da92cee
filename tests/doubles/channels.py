"""Channels that note what they are told, for a test to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ports.notifier import NotAccepted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.domain.alert import Notice


class Notebook:
    """Takes every notice, unless it is told to refuse."""

    def __init__(self, names: Iterable[str] = ("ana", "ben", "cleo")) -> None:
        self.names = set(names)
        self.notices: list[Notice] = []
        self.beats = 0
        self.refuses = False

    def reaches(self, to: str) -> bool:
        return to in self.names

    async def tell(self, notice: Notice) -> None:
        if self.refuses:
            raise NotAccepted("the channel is down")
        self.notices.append(notice)

    async def beat(self) -> None:
        if self.refuses:
            raise NotAccepted("nobody answers")
        self.beats += 1

    @property
    def told(self) -> list[tuple[str, str]]:
        """Who was told what kind of thing, in order."""
        return [(one.to, one.kind.value) for one in self.notices]
