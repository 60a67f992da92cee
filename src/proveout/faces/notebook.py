"""An experiment in a notebook or a test: no project, no file, nothing kept."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.case import Case, Dataset
from proveout.domain.experiment import OWN, Budget, Candidate, Claim, Plan
from proveout.domain.workflow import name_of
from proveout.errors import Mistake
from proveout.faces import entry
from proveout.faces.dataset_file import digest_of
from proveout.faces.log import logger
from proveout.faces.project import lease, system_bench, throwaway_store
from proveout.prove.begin import begin
from proveout.prove.conduct import Conductor, Setup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proveout.domain.criterion import Criterion
    from proveout.prove.account import Account

TIME_BOX = timedelta(days=1)


async def prove(
    workflow: object,
    cases: Iterable[Case | Mapping[str, Any]],
    criteria: Iterable[Criterion],
    *,
    claim: str = "these cases",
    calls: int | None = None,
    concurrency: int = 8,
) -> Account:
    """Conduct an experiment here and now, with effects captured; return what it found.

    Args:
        workflow: a workflow; or any function, compiled graph of LangGraph, or agent of pydantic-ai
            or the OpenAI Agents SDK, which then runs as one step.
        cases: each with `input` and `expected`, as in a dataset file.
        criteria: made with `score("exact", floor=…, target=…)`.
        claim: "these cases" or "future traffic".
        calls: the most calls it may make; None for as many as there are cases.
        concurrency: most trials in flight at once.

    Returns:
        The account; its `own.verdict` is GO, NO-GO or UNDECIDED.

    Raises:
        Mistake: a criterion, a case or the workflow is not what it must be.
    """
    found = tuple(_case(case, number) for number, case in enumerate(cases, 1))
    dataset = Dataset(name="cases", digest=digest_of(found), cases=found)
    wanted = _named_apart(criteria)
    name = name_of(workflow).replace("_", "-")
    plan = Plan(
        name=name,
        workflow=name,
        question="",
        claim=Claim(claim),
        criteria=wanted,
        candidates=(Candidate(name=OWN, entry=name),),
        budget=Budget(calls=calls),
        time_box=TIME_BOX,
        concurrency=concurrency,
    )
    async with throwaway_store() as store:
        bench = system_bench(store, logger())
        locked, layout = await begin(bench, plan, dataset, again=False)
        setup = Setup(
            experiment=locked,
            plan=plan,
            dataset=dataset,
            layout=layout,
            workflows={OWN: entry.as_workflow(workflow, name)},
            scorers=entry.scorers(wanted),
            lease=lease(),
        )
        conductor = Conductor(bench, setup)
        account = await conductor.conduct()
        return await conductor.account(account.stopped_by, whole=True)


def _named_apart(criteria: Iterable[Criterion]) -> tuple[Criterion, ...]:
    """Return criteria of which no two share a name."""
    found = tuple(criteria)
    for name, count in Counter(one.name for one in found).items():
        if count > 1:
            raise Mistake(
                f"{count} criteria are called {name}",
                why="a verdict names each of them",
                fix=('score("exact", name="right team", field="team", …)',),
            )
    return found


def _case(given: Case | Mapping[str, Any], number: int) -> Case:
    """Return a case, whether it was given as one or as a line of a dataset would hold it."""
    if isinstance(given, Case):
        return given
    return Case(
        id=str(given.get("id", number)),
        value=given["input"],
        expected=given.get("expected"),
        cluster=given.get("cluster", ""),
        tags=tuple(given.get("tags", ())),
    )
