"""Limits that all workers of a store share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proveout.domain.limit import Draw, Grant


class Limits(Protocol):
    """What is left of what all workers share."""

    async def take(self, draw: Draw) -> Grant:
        """Give from a bucket, in one step, by the store's own clock.

        However many take at once, in any time no more is given than the bucket held and
        what filled it meanwhile.

        Raises:
            Outage: the store cannot be reached.
        """
        ...
