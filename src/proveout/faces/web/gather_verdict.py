"""From the store to the pages: an experiment as it stands."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from proveout.domain.run import RunState
from proveout.faces.project import NoSuch
from proveout.faces.web.verdict import NoVerdict, verdict_page
from proveout.prove.foresee import foresee

if TYPE_CHECKING:
    from proveout.faces.project import Project
    from proveout.faces.settings import ExperimentSettings
    from proveout.faces.web.verdict import VerdictPage
    from proveout.faces.web.visit import Console
    from proveout.ports.store import LockedExperiment
    from proveout.prove.conduct import Conductor


async def verdict(console: Console, name: str) -> VerdictPage | NoVerdict:
    """Return the page of an experiment.

    Drawing it up reads every trial, so it is done once for each state of the experiment, and
    while trials come in only for a part of the time.

    Raises:
        NoSuch: there is no such experiment, or what it locked has changed since.
    """
    project = console.project
    if not project.settings.experiments:
        return NoVerdict(experiment=project.name, commands=("add a [prove] table",))
    chosen = project.experiment(name)
    begun = [one for one in await project.store.experiments(project.name) if one.name == name]
    if not begun:
        return NoVerdict(experiment=name, commands=(f"proveout prove {name}",))
    conductor = await project.recorded(chosen)
    if conductor is None:
        raise _changed(await project.changed(chosen), chosen.name, begun[-1])
    newest = begun[-1]
    state = (newest.id, newest.verdict, await project.store.used(newest.id))
    page = await console.known.verdict(name, state, partial(_drawn_up, project, chosen, conductor))
    if newest.verdict is not None:
        return page
    counted = await project.store.count(newest.id)
    return replace(page, in_flight=counted.get(RunState.RUNNING, 0))


async def _drawn_up(
    project: Project, chosen: ExperimentSettings, conductor: Conductor
) -> VerdictPage:
    await conductor.recall()
    account = await conductor.account(conductor.why_it_stood(), whole=True)
    others = reversed([one.name for one in project.settings.experiments if one != chosen])
    return verdict_page(account, foresee(conductor.plan, conductor.layout), tuple(others))


def _changed(how: str, name: str, newest: LockedExperiment) -> NoSuch:
    said = "none" if newest.verdict is None else json.loads(newest.verdict)["verdict"]
    return NoSuch(
        how,
        why=f"the newest verdict on record is {said}, of {newest.locked:%Y-%m-%d}; it speaks of"
        " what was locked then",
        fix=(f"proveout prove {name}", "proveout audit"),
    )
