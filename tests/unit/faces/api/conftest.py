"""What the tests of the doors start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles.doors import House, open_house

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store


@pytest.fixture
def house(tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds) -> Generator[House]:
    """Return a project in its proof of concept, on each store in turn."""
    house = open_house(tmp_path, store, clock, ids)
    yield house
    house.access.close()
