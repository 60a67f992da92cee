"""What takes decisions in a test: each store in turn, the manual clock, a key of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doubles.given import Given
from proveout.adapters.keyfile import KeyFile
from proveout.release.decide import Office

if TYPE_CHECKING:
    from pathlib import Path

    from doubles.clock import CountedIds, ManualClock
    from proveout.ports.store import Store


@pytest.fixture
def office(store: Store, clock: ManualClock, ids: CountedIds, tmp_path: Path) -> Office:
    """Return what decisions on an empty store are taken with."""
    signer = KeyFile(tmp_path / "key")
    return Office(store=store, clock=clock, ids=ids, signer=signer)


@pytest.fixture
def given(store: Store, clock: ManualClock, ids: CountedIds) -> Given:
    """Return what brings the store to where a test begins."""
    return Given(store, clock, ids)
