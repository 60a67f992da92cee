"""A new run on the input of one that ended without a result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doubles.given import Given
from proveout.domain.run import RunState
from proveout.run.replay import NotReplayable, replay

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.ports.store import Store


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.DEAD, RunState.CANCELLED])
async def test_what_ended_without_a_result_is_run_again(
    store: Store, clock: WatchedClock, ids: CountedIds, state: RunState
) -> None:
    """As a run of its own, without the key and the journal of the old one, which stays."""
    given = Given(store, clock, ids)
    old = await given.known((await given.in_state(state)).run.id)

    new = await replay(store, clock, ids, old)

    assert new.id != old.id
    assert (new.state, new.value, new.workflow, new.key) == (
        RunState.QUEUED,
        old.value,
        old.workflow,
        None,
    )
    assert await store.journal(new.id) == []
    assert await given.known(old.id) == old


@pytest.mark.parametrize(
    "state", [RunState.RUNNING, RunState.WAITING, RunState.PARKED, RunState.SUCCEEDED]
)
async def test_what_goes_on_or_has_succeeded_is_not(
    store: Store, clock: WatchedClock, ids: CountedIds, state: RunState
) -> None:
    """It would do everything twice; nothing is enqueued."""
    given = Given(store, clock, ids)
    old = await given.known((await given.in_state(state)).run.id)

    with pytest.raises(NotReplayable, match=state):
        await replay(store, clock, ids, old)

    assert sum((await store.count()).values()) == 1


async def test_a_trial_belongs_to_its_experiment(
    store: Store, clock: WatchedClock, ids: CountedIds
) -> None:
    """The experiment alone says what it runs, and counts it."""
    given = Given(store, clock, ids)

    with pytest.raises(NotReplayable, match="is a trial"):
        await replay(store, clock, ids, replace(given.trial(0), state=RunState.FAILED))
