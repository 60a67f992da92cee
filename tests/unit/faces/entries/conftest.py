"""A shop for each test of an entry, on each store in turn."""

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


@pytest.fixture(autouse=True)
def no_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the packages from telling anybody about the tests."""
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
