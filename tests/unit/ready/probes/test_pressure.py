"""When a late answer is the receiver's fault, and when the machine's."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from proveout.ports.receiver import Answer
from proveout.ready.probes.pressure import P02, P18, Pace, Try
from unit.ready.probes.scripted import Script, is_signed, rig

if TYPE_CHECKING:
    from proveout.ports.receiver import Letter


def timed(signed: float, unsigned: float) -> Script:
    """Return a receiver that takes so many seconds for what it accepts and what it refuses."""

    def answer(letter: Letter) -> Answer:
        if is_signed(letter):
            return Answer(status=200, seconds=signed)
        return Answer(status=400, seconds=unsigned)

    return Script(answer=answer)


@pytest.mark.parametrize(
    ("signed", "unsigned", "strain", "outcome"),
    [
        (0.9, 0.01, 1.0, "passed"),
        (1.5, 0.01, 1.0, "failed"),  # slow work before the answer
        (1.5, 0.01, 20.0, "failed"),  # the same on a busy machine: its refusals are quick
        (1.5, 1.4, 1.0, "failed"),  # slow whatever it is sent, on a free machine
        (2.0, 1.9, 8.0, "failed"),  # the same on a machine that is not busy enough for that
        (1.5, 1.2, 20.0, "untested"),  # everything is slow, our own work too
    ],
)
async def test_late_answers_count_unless_the_machine_was_as_slow(
    signed: float, unsigned: float, strain: float, outcome: str
) -> None:
    shown = await P02.perform(rig(timed(signed, unsigned), strain=strain))

    found = "failed" if shown.fault else "untested" if shown.unsure else "passed"
    assert found == outcome


async def test_what_came_late_is_tried_again_and_the_best_counts() -> None:
    """One quick answer shows that it can."""
    seconds = cycle([3.0, 0.4, 2.0])
    script = Script(answer=lambda _: Answer(status=200, seconds=next(seconds)))

    shown = await P02.perform(rig(script))

    assert not shown.fault
    assert not shown.unsure
    assert shown.sent == "one valid event, 2 times"


async def test_a_burst_is_judged_by_its_slowest_and_by_a_burst_of_refusals() -> None:
    good, bad = timed(4.9, 0.1), timed(5.1, 0.1)

    assert not (await P18.perform(rig(good))).fault
    assert "took 5.1 s, not 5 s" in (await P18.perform(rig(bad))).fault
    assert len(good.letters) == 50
    assert len(bad.letters) == 50 * 3 + 50 * 2


async def test_connections_that_break_under_a_burst_are_a_fault_whatever_the_machine() -> None:
    script = Script(answer=lambda _: Answer(trouble="reset", seconds=0.1))

    shown = await P18.perform(rig(script, strain=50.0))

    assert "a broken connection" in shown.fault


async def test_a_refusal_is_a_fault_at_once() -> None:
    """Lateness may be the machine's; a 429 is not."""
    script = Script(answer=lambda _: Answer(status=429, seconds=0.1))

    shown = await P18.perform(rig(script))

    assert "429" in shown.fault
    assert len(script.letters) == 50


def test_the_first_try_excuses_nothing() -> None:
    """Nothing was measured beside it."""
    pace = Pace(limit=1.0, work=0.15, tries=5)

    assert not pace.excuses(Try(seconds=1.2, control=0.0, strain=1.0))
    assert pace.excuses(Try(seconds=1.2, control=0.5, strain=9.0))
