"""Stages at the door: who may ask for a run, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.access import Right
from proveout.domain.release import Stage
from proveout.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from proveout.domain.access import Actor
    from proveout.faces.settings import Settings
    from proveout.ports.store import LockedExperiment, Store


class NotTester(Refusal):
    """In the proof of concept only named testers may ask for runs."""

    code = "not-a-tester"


class TimeBoxOver(Refusal):
    """The time of the proof of concept is over, and a person must decide."""

    code = "time-box-over"


class NotInProduction(Refusal):
    """In the proof of concept nothing comes in from outside."""

    code = "not-in-production"


async def check_enqueue(
    actor: Actor, stage: Stage, settings: Settings, store: Store, now: datetime
) -> None:
    """Leave quietly when the actor may ask for a run in this stage.

    In production that is a right like any other. In the proof of concept the named
    testers may as well, whatever their role, and nobody may once its time is over.

    Raises:
        NoRight: in production, the role does not include it.
        NotTester: in the proof of concept, neither role nor name does.
        TimeBoxOver: the proof of concept has ended without a decision.
    """
    if stage is Stage.PRODUCTION:
        actor.check(Right.ENQUEUE)
        return
    testers = {name.casefold() for name in settings.workflow.testers}
    if not actor.may(Right.ENQUEUE) and actor.name.casefold() not in testers:
        raise NotTester(
            f"{actor.name} is no tester of {settings.workflow.name}",
            why="it is a proof of concept: only named testers may use it",
            fix=('testers = ["NAME"] under [workflow] in proveout.toml',),
        )
    end = box_end(settings, await store.experiments(settings.workflow.name))
    if end is not None and end <= now:
        raise TimeBoxOver(
            f"the proof of concept of {settings.workflow.name} ended {end:%Y-%m-%d %H:%M} UTC",
            why="past its time box it takes no requests until a person decides",
            fix=("proveout audit", "proveout prove --again    a new look, with a new time box"),
        )


def box_end(settings: Settings, experiments: Iterable[LockedExperiment]) -> datetime | None:
    """Return when the last time box ends; None where no experiment has begun.

    Args:
        settings: they say how long each experiment may take.
        experiments: those that were locked; one that the settings no longer declare has
            no time left to give.
    """
    boxes = {one.name: one.plan.time_box for one in settings.experiments}
    ends = [one.locked + boxes[one.name] for one in experiments if one.name in boxes]
    return max(ends, default=None)


def check_hooks(stage: Stage, workflow: str) -> None:
    """Leave quietly when webhooks may come in.

    Raises:
        NotInProduction: the workflow is a proof of concept.
    """
    if stage is Stage.PROOF_OF_CONCEPT:
        raise NotInProduction(
            f"{workflow} is a proof of concept and takes no webhooks",
            why="the gate stands before the first real request",
            fix=("proveout promote", "proveout enqueue    asks for a run by hand"),
        )
