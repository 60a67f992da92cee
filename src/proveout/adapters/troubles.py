"""What can go wrong with a store, in the words that every store uses."""

from __future__ import annotations

from proveout.errors import Mistake, Outage


class StoreFull(Outage):
    """The volume of the store has no room."""

    code = "store-full"


class StoreUnavailable(Outage):
    """The store cannot be reached, read or written now."""

    code = "store-unavailable"


class Unstorable(Mistake):
    """No store can keep this value."""

    code = "unstorable"


def store_full() -> StoreFull:
    """Return what a full volume means to a caller."""
    return StoreFull(
        "the store's volume is full",
        why="nothing was written; what was acknowledged before is safe",
        fix=("free space on the volume and try again",),
    )
