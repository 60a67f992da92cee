"""What Python callers rely on: a project opened in their own program."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from proveout import Mistake, Outage, Project, Refusal, prove, score

if TYPE_CHECKING:
    from pathlib import Path

    from journeys.conftest import Place

pytestmark = pytest.mark.journey


@pytest.fixture
def place(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a project that this process itself may import."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delitem(sys.modules, "app", raising=False)
    return place


def settings(place: Place) -> Path:
    """Return the project's settings."""
    return place.folder / "proveout.toml"


async def test_a_program_enqueues_and_waits_for_the_result(place: Place) -> None:
    """The run is durable at once; whoever works, `wait` gives its result."""
    async with Project.open(settings(place)) as project:
        run = await project.enqueue("toy", 21, key="msg-1")
        again = await project.enqueue("toy", 21, key="msg-1")
        worker = project.worker(concurrency=2, captures=True)
        working = asyncio.create_task(worker.work())

        result = await project.wait(run.id, timeout=30)

        worker.stop()
        await working
    assert again.id == run.id
    assert result == 42


async def test_waiting_ends_in_time_and_says_where_the_run_stands(place: Place) -> None:
    """Nobody works, so the run stays queued: worth another try."""
    async with Project.open(settings(place)) as project:
        run = await project.enqueue("toy", 21)

        with pytest.raises(Outage, match="QUEUED"):
            await project.wait(run.id, timeout=0.05)


async def test_a_key_with_another_input_and_a_wrong_input_are_refused(place: Place) -> None:
    """Nothing enters that no run could take."""
    async with Project.open(settings(place)) as project:
        await project.enqueue("toy", 1, key="k")

        with pytest.raises(Refusal, match="another input"):
            await project.enqueue("toy", 2, key="k")
        with pytest.raises(Mistake, match="wrong shape"):
            await project.enqueue("toy", "one")
        with pytest.raises(Mistake, match="no workflow"):
            await project.enqueue("other", 1)
        with pytest.raises(Mistake, match="no run"):
            await project.run("nothing")


def double(n: int) -> int:
    """Stand for a workflow that is right except on multiples of fifteen."""
    return n * 2 if n % 15 else 0


async def test_a_judge_in_a_notebook_may_wait_and_is_unchecked(place: Place) -> None:
    """Nobody labels there, so its verdict says whose it is; Proveout's own scores are no judges."""
    place.write("jury.py", "async def right(result, case):\n    return result == case.expected\n")
    sys.path.insert(0, str(place.folder))
    cases = [{"input": n, "expected": 2 * n} for n in range(60)]
    judge = score("jury:right", floor=0.7, target=0.9, judge=True)

    account = await prove(double, cases, [judge])

    assert account.own.verdict == "GO"
    assert account.unchecked == ("jury:right",)
    with pytest.raises(Mistake, match='"exact" is no judge'):
        score("exact", floor=0.7, target=0.9, judge=True)


async def test_an_experiment_in_a_notebook_needs_no_project() -> None:
    """`await prove(…)` judges a function on cases; the name is the function's own."""
    cases = [{"input": n, "expected": n * 2} for n in range(1, 301)]

    account = await prove(double, cases, [score("exact", floor=0.85, target=0.90)])

    assert account.own.verdict == "GO"
    assert account.own.cases < 300
