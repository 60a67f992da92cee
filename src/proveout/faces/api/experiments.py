"""Experiments over HTTP: what was asked, locked, and answered; to read only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query

from proveout.faces.api.call import Let  # noqa: TC001 - the framework reads it
from proveout.faces.api.pages import MOST, page
from proveout.faces.project import NoSuch

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.ports.store import LockedExperiment, TrialCount


async def listed(
    call: Let,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """List experiments as they were locked, the newest first."""
    found = (await call.doors.store.experiments(call.workflow))[::-1]
    part, next_ = page(found, lambda one: one.id, cursor, limit)
    words = [_words(one) for one in part]
    return call.answer({"schema": "experiments.v1", "experiments": words, "next": next_})


async def shown(experiment: str, call: Let) -> Response:
    """Show an experiment with what it locked and what its trials have used so far."""
    known = await call.doors.store.experiments(call.workflow)
    one = next((one for one in known if one.id == experiment), None)
    if one is None:
        raise NoSuch("there is no such experiment", fix=("GET /api/v1/experiments",))
    used = await call.doors.store.used(one.id)
    return call.answer_tagged(
        {
            "schema": "experiment.v1",
            **_words(one),
            "plan": json.loads(one.plan),
            "used": _used_words(used),
        }
    )


def _words(one: LockedExperiment) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "workflow": one.workflow,
        "lock": one.lock,
        "look": one.look,
        "order_seed": one.order_seed,
        "dataset": one.dataset,
        "locked_at": one.locked.isoformat(),
        "verdict": None if one.verdict is None else json.loads(one.verdict),
    }


def _used_words(used: TrialCount) -> dict[str, Any]:
    """Return what trials have used; money is left out where a part of it is not known."""
    return {
        "trials": used.trials,
        "calls": used.calls,
        "calls_repeated": used.repeated,
        "reused": used.reused,
        "model_calls": used.usage.calls,
        "tokens_read": used.usage.read,
        "tokens_written": used.usage.written,
        "cost_usd": None if used.unpriced else float(used.usage.cost.amount),
    }
