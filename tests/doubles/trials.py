"""A trial on demand: a run made for an experiment, with its effects captured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proveout.domain.experiment import ExperimentId
from proveout.domain.run import Trial
from proveout.run.enqueue import Request, enqueue

if TYPE_CHECKING:
    from doubles.shop import Shop
    from proveout.domain.run import Run
    from proveout.domain.workflow import Workflow


async def trial_of(shop: Shop, workflow: Workflow[..., Any], value: object) -> Run:
    """Return a trial of `workflow` on `value` as it stands when nothing is left to do."""
    experiment = ExperimentId("experiment-1")
    trial = Trial(experiment=experiment, candidate="workflow", position=0, case="c")
    request = Request(workflow=workflow.name, value=json.dumps(value).encode(), trial=trial)
    run = (await enqueue(shop.store, shop.clock, shop.ids, request)).run.id
    return await shop.again(workflow, run, experiment=experiment, captures=True)
