"""What the conformance tests start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles.given import Given

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store


@pytest.fixture
def given(store: Store, clock: WatchedClock, ids: CountedIds) -> Given:
    """Return what brings the store to where a test begins."""
    return Given(store, clock, ids)
