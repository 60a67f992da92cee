"""signal: a GO verdict on exactly what the release executes; shuffled answers must not reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.verdict import Verdict
from proveout.ready.drills.drill import Drill, NotSteady, Performance
from proveout.ready.sandbox import Protection

if TYPE_CHECKING:
    from proveout.ready.sandbox import Sandbox


async def perform(sandbox: Sandbox) -> Performance:
    """Read the verdict of the experiment; without its right answers, judge it again."""
    signal = await sandbox.signal(shuffled=sandbox.off is Protection.RIGHT_ANSWERS)
    if signal is None:
        raise NotSteady("nothing was proven on exactly what this release executes: proveout prove")
    faults: list[str] = []
    if signal.verdict is not Verdict.GO:
        faults.append(f"the verdict is {signal.verdict} after {signal.cases} cases")
    if not signal.worth_asked:
        faults.append("nobody asked whether it is worth it")
    if signal.is_unchecked:
        faults.append("the verdict is according to an unchecked judge: people label none")
    sandbox.note(f"{signal.experiment}: {signal.verdict} after {signal.cases} cases")
    return Performance(
        figures={
            "experiment": signal.experiment,
            "verdict": signal.verdict,
            "cases": signal.cases,
            "worth": "asked" if signal.worth_asked else "not asked",
        },
        faults=tuple(faults),
    )


DRILL = Drill(
    name="signal", without=Protection.RIGHT_ANSWERS, perform=perform, shown=("verdict", "")
)
