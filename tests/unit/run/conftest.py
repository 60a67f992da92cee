"""A shop for each test of the engine, on each store in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles.shop import Shop

if TYPE_CHECKING:
    from doubles.clock import CountedIds, ManualClock
    from proveout.ports.store import Store


@pytest.fixture
def shop(store: Store, clock: ManualClock, ids: CountedIds) -> Shop:
    """Return a shop on an empty store, by the manual clock."""
    return Shop(store, clock, ids)
