"""What one process at a time may do."""

from __future__ import annotations

from typing import Protocol


class Hold(Protocol):
    """Something that one process at a time may do; it ends with the process."""

    async def release(self) -> None:
        """Let others have it."""
        ...
