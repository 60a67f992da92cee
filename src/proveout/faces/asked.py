"""What drills ask of a project's settings and experiments."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proveout.domain.verdict import Verdict
from proveout.faces.recorded import code_of, is_unchecked
from proveout.prove.shuffle import asked_again
from proveout.ready.drills.drill import NotSteady
from proveout.ready.people import is_known
from proveout.ready.sandbox import Ownership, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.domain.release import Release
    from proveout.faces.project import Project
    from proveout.faces.settings import ExperimentSettings, Settings
    from proveout.ports.store import LockedExperiment

SEED = 20_260_101
"""Draws whose right answer each trial is judged by in the control of a verdict."""

BLOCK = re.compile(r"^```(?:console|sh|shell|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def ownership_of(settings: Settings) -> Ownership:
    """Return who and what the settings name, and the commands of the runbook."""
    workflow, production = settings.workflow, settings.production
    objective = production and production.objective
    support = production and production.support
    tiers = production.escalation if production else ()
    runbook = production and production.runbook
    named = {
        "owner": workflow.owner,
        "operator": workflow.operator,
        "reviewer": workflow.reviewer,
        "downstream": workflow.downstream,
        "escalation": _all_known(tier.to for tier in tiers),
        "objective": f"{objective.success:.1%} within {objective.within}" if objective else "",
        "support hours": support.hours if support else "",
        "time to first answer": str(support.first_answer or "") if support else "",
        "runbook": runbook.name if runbook else "",
    }
    text = runbook.read_text("utf-8") if runbook else ""
    return Ownership(named=named, runbook=commands_in(text))


def _all_known(names: Iterable[str]) -> str:
    """Return the names in one line; "" where one of them is not known yet."""
    listed = tuple(names)
    return ", ".join(listed) if all(map(is_known, listed)) else ""


def commands_in(runbook: str) -> tuple[tuple[str, ...], ...]:
    """Return the `proveout` commands in the blocks of a runbook, each as its words."""
    lines = [line for block in BLOCK.findall(runbook) for line in block.splitlines()]
    words = [_words(line.removeprefix("$ ")) for line in lines]
    return tuple(tuple(one) for one in words if one and one[0] == "proveout")


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


async def signal_of(project: Project, release: Release, *, shuffled: bool) -> Signal | None:
    """Return the best verdict on exactly what `release` executes; None where there is none.

    Shuffled, its trials are judged again, each against another case's right answer.

    Raises:
        NotSteady: people alone decide on its answers, so that nothing can be judged again.
    """
    found: list[Signal] = []
    alone: list[str] = []
    for settings in project.settings.experiments:
        locked = await _locked(project, settings, release)
        if locked is None:
            continue
        if shuffled and asked_again(settings.plan):
            found.append(await _shuffled(project, settings))
        elif shuffled:
            alone.append(settings.name)
        elif locked.verdict is not None:
            said: dict[str, Any] = json.loads(locked.verdict)
            one = _signal(settings, Verdict(said["verdict"]), said["cases"])
            found.append(replace(one, is_unchecked=is_unchecked(locked)))
    if alone and not found:
        raise NotSteady(
            f"nothing asks of the answers of {alone[0]} again: people decide on them, or it only"
            " leads; add a criterion with a score"
        )
    best = sorted(found, key=lambda one: (one.verdict is not Verdict.GO, one.is_unchecked))
    return next(iter(best), None)


async def _locked(
    project: Project, settings: ExperimentSettings, release: Release
) -> LockedExperiment | None:
    """Return the newest experiment of that name on the release's own code."""
    known = await project.store.experiments(project.name)
    same = [one for one in known if one.name == settings.name and code_of(one) == release.code]
    return same[-1] if same else None


async def _shuffled(project: Project, settings: ExperimentSettings) -> Signal:
    conductor = await project.recorded(settings)
    if conductor is None:
        return _signal(settings, Verdict.UNDECIDED, 0)
    await conductor.recall()
    control = await conductor.control(SEED)
    return _signal(settings, control.verdict, control.cases)


def _signal(settings: ExperimentSettings, verdict: Verdict, cases: int) -> Signal:
    return Signal(
        experiment=settings.name, verdict=verdict, cases=cases, worth_asked=settings.worth_asked
    )
