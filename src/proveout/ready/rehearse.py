"""Conducting a drill: with its protection, then without; only both together are evidence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.evidence import ControlResult, DrillResult, Evidence
from proveout.ready.drills.drill import NotSteady

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from proveout.domain.release import Release
    from proveout.ports.clock import Clock
    from proveout.ready.drills.drill import Drill, Performance
    from proveout.ready.sandbox import Protection, Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """How a drill went.

    Attributes:
        control: how it went without its protection; None where it was not performed.
        faults: what the oracle objected to, or why nothing could be drilled.
        log: what happened, a line each.
    """

    drill: str
    result: DrillResult
    control: ControlResult | None
    started: datetime
    ended: datetime
    summary: str
    faults: tuple[str, ...]
    figures: dict[str, int | float | str]
    log: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether it passed and could have failed."""
        return self.result is DrillResult.PASSED and self.control is ControlResult.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a drill is performed.

    Attributes:
        open: opens a fresh sandbox, gone when the block ends, without the protection that
            it is given.
        told: gets every line of the log as it comes.
    """

    open: Callable[[Protection | None], AbstractAsyncContextManager[Sandbox]]
    clock: Clock
    log: list[str]
    told: Callable[[str], None]


async def rehearse(drill: Drill, stage: Stage) -> Rehearsed:
    """Perform `drill` with its protection, and again without; return how both went.

    Where the first performance cannot begin, or the oracle objects, there is nothing for
    the control to show.
    """
    started = stage.clock.now()
    try:
        async with stage.open(None) as sandbox:
            on = await drill.perform(sandbox)
    except NotSteady as error:
        return _aborted(drill, stage, started, f"{error}")
    if not on.passed:
        return _rehearsed(drill, stage, started, on, None)
    stage.told(f"control: {drill.without} off")
    try:
        async with stage.open(drill.without) as sandbox:
            off = await drill.perform(sandbox)
    except NotSteady as error:
        return _aborted(drill, stage, started, f"the control could not begin: {error}")
    return _rehearsed(drill, stage, started, on, off)


def _aborted(drill: Drill, stage: Stage, started: datetime, why: str) -> Rehearsed:
    return Rehearsed(
        drill=drill.name,
        result=DrillResult.ABORTED,
        control=None,
        started=started,
        ended=stage.clock.now(),
        summary=why,
        faults=(why,),
        figures={},
        log=tuple(stage.log),
    )


def _rehearsed(
    drill: Drill, stage: Stage, started: datetime, on: Performance, off: Performance | None
) -> Rehearsed:
    control = None
    figures = dict(on.figures)
    summary = on.faults[0] if on.faults else ""
    if off is not None:
        control = ControlResult.DID_NOT_FAIL if off.passed else ControlResult.FAILED
        figures |= {f"control_{name}": figure for name, figure in off.figures.items()}
        summary = drill.summary(on, off)
    return Rehearsed(
        drill=drill.name,
        result=DrillResult.PASSED if on.passed else DrillResult.FAILED,
        control=control,
        started=started,
        ended=stage.clock.now(),
        summary=summary,
        faults=on.faults,
        figures=figures,
        log=tuple(stage.log),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What evidence says about where it comes from.

    Attributes:
        depends: digest of each thing beside code and environment that it depends on.
    """

    release: Release
    bar: int
    engine: str
    seed: int
    by: str
    depends: dict[str, str]


def evidence_of(rehearsed: Rehearsed, around: Circumstances) -> Evidence:
    """Return what a drill showed as evidence for its claim; an aborted one shows nothing.

    A drill whose control was not performed counts as one that could not have failed.
    """
    return Evidence(
        claim=rehearsed.drill,
        bar=around.bar,
        workflow=around.release.workflow,
        release=around.release.digest,
        code=around.release.code,
        environment=around.release.environment,
        engine=around.engine,
        seed=around.seed,
        started=rehearsed.started,
        ended=rehearsed.ended,
        result=rehearsed.result,
        control=rehearsed.control or ControlResult.DID_NOT_FAIL,
        summary=rehearsed.summary,
        figures=dict(rehearsed.figures),
        depends=around.depends,
        log=hashlib.sha256("\n".join(rehearsed.log).encode()).hexdigest(),
        by=around.by,
    )
