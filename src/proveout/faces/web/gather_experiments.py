"""From the store to the pages: every look of every experiment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proveout.domain.run import RunState
from proveout.faces.web.experiments import Ahead, ExperimentsPage, LookRow
from proveout.faces.web.gather import MOST

if TYPE_CHECKING:
    from proveout.faces.project import Project
    from proveout.ports.store import LockedExperiment


async def experiments_page(project: Project) -> ExperimentsPage:
    """Return every look that was locked, the newest first, and what is still to begin."""
    locked = await project.store.experiments(project.name)
    newest = {one.name: one.id for one in locked}
    looked = sorted(locked, key=lambda one: one.locked, reverse=True)[:MOST]
    return ExperimentsPage(
        question=project.settings.workflow.question,
        rows=tuple([await _row(project, one, newest[one.name] == one.id) for one in looked]),
        ahead=tuple(
            Ahead(
                name=one.name,
                asks=one.plan.question,
                criteria=len(one.plan.criteria),
                candidates=len(one.plan.candidates),
            )
            for one in project.settings.experiments
            if one.name not in newest
        ),
    )


async def _row(project: Project, one: LockedExperiment, is_newest: bool) -> LookRow:
    used = await project.store.used(one.id)
    said: dict[str, Any] = {} if one.verdict is None else json.loads(one.verdict)
    in_flight = 0
    if not said:
        in_flight = (await project.store.count(one.id)).get(RunState.RUNNING, 0)
    return LookRow(
        experiment=one.name,
        look=one.look,
        status=str(said.get("verdict") or ("RUNNING" if in_flight else "OPEN")),
        cases=int(said.get("cases") or used.trials),
        calls=used.calls,
        in_flight=in_flight,
        spent=str(used.usage.cost) if used.usage.calls else "",
        dataset=one.dataset,
        locked=one.locked,
        is_newest=is_newest,
    )
