"""What the tests of the console start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles.desk import open_desk

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store


@pytest.fixture
def desk(tmp_path: Path, store: Store, clock: WatchedClock, ids: CountedIds) -> Generator[Desk]:
    """Return the console of a project in its proof of concept, on each store in turn."""
    desk = open_desk(tmp_path, store, clock, ids)
    yield desk
    desk.house.access.close()
