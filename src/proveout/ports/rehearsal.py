"""Rehearsals: what stands in for the world while a workflow is drilled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proveout.domain.run import Run


class Rehearsal(Protocol):
    """Recorded answers in the place of steps, a counter in the place of effects."""

    async def answer(self, run: Run, step: str, digest: str) -> bytes | None:
        """Return what a step once returned for arguments of that digest; None to call it.

        Raises:
            Exception: whatever the drill wants the step to raise.
        """
        ...

    async def carry(self, run: Run, effect: str, key: str, arguments: bytes) -> None:
        """Take an effect to whoever counts it outside of this process."""
        ...
