"""Beginning an experiment, or finding the one that was begun."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.experiment import Claim, Estimand, ExperimentId
from proveout.errors import Refusal
from proveout.ports.store import LockedExperiment
from proveout.prove.layout import Layout, grouped, laid_out
from proveout.prove.lock import canonical, case_digest, digest, locked_words

if TYPE_CHECKING:
    from proveout.domain.case import Dataset
    from proveout.domain.experiment import Plan
    from proveout.ports.store import Store
    from proveout.run.work import Bench


class NoFreshCases(Refusal):
    """Every case of the dataset was run before; nothing can be said of future traffic."""

    code = "no-fresh-cases"


async def begin(
    bench: Bench, plan: Plan, dataset: Dataset, *, again: bool
) -> tuple[LockedExperiment, Layout]:
    """Return the experiment to conduct, locked, and the layout of its trials.

    The same lock goes on where it was; another lock, or `again`, is a new look under a
    fresh order, and `again` asks for every answer anew. For future traffic only cases never
    run before are drawn.

    Raises:
        NoFreshCases: the claim is about future traffic and no case is fresh.
    """
    known = None if again else await recorded(bench.store, plan, dataset)
    if known is not None:
        return known, layout_of(known)
    order = await _draw(bench, plan, dataset)
    earlier = await bench.store.experiments(plan.workflow)
    looks = [one for one in earlier if dataset.digest == one.dataset or plan.name == one.name]
    kept = await bench.store.lock(
        LockedExperiment(
            id=ExperimentId(bench.ids.new()),
            name=plan.name,
            workflow=plan.workflow,
            lock=lock_of(plan, dataset),
            look=len(looks) + 1,
            order_seed=order["seed"],
            dataset=dataset.digest,
            plan=canonical(
                {
                    "locked": locked_words(plan, dataset),
                    "order": order,
                    **({"anew": True} if again else {}),
                }
            ),
            locked=bench.clock.now(),
        )
    )
    return kept, layout_of(kept)


def lock_of(plan: Plan, dataset: Dataset) -> str:
    """Return the hexadecimal SHA-256 of what a lock covers."""
    return digest(canonical(locked_words(plan, dataset)))


async def recorded(store: Store, plan: Plan, dataset: Dataset) -> LockedExperiment | None:
    """Return the latest experiment under exactly this lock, or None."""
    lock = lock_of(plan, dataset)
    earlier = await store.experiments(plan.workflow)
    same = [one for one in earlier if one.lock == lock and one.name == plan.name]
    return same[-1] if same else None


def is_anew(experiment: LockedExperiment) -> bool:
    """Whether a look was to ask for every answer anew."""
    return json.loads(experiment.plan).get("anew", False)


CHANGED = {
    "criteria": "the criteria",
    "dataset": "the dataset",
    "candidates": "the candidates or their code",
    "claim": "the claim",
    "errors": "the error rates",
    "question": "the question",
    "pick_best": "how the best is picked",
    "repeats": "the trials of each case",
    "estimand": "what is averaged",
}
"""What a lock covers, in words, and the source of scores beside it."""


async def changed_since(store: Store, experiment: LockedExperiment) -> tuple[str, ...] | None:
    """Return what changed since the look before, or None where this is the first."""
    before = await look_before(store, experiment)
    if before is None:
        return None
    old, new = (json.loads(one.plan)["locked"] for one in (before, experiment))
    return _differences(old, new)


async def changed_now(store: Store, plan: Plan, dataset: Dataset) -> tuple[str, ...] | None:
    """Return what changed since the newest look of a plan's name, or None where there is none."""
    known = [one for one in await store.experiments(plan.workflow) if one.name == plan.name]
    if not known:
        return None
    return _differences(json.loads(known[-1].plan)["locked"], locked_words(plan, dataset))


def _differences(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Return how what two locks cover differs, in words."""
    one, other = ({**words, "criteria": unsourced(words["criteria"])} for words in (old, new))
    found = [word for key, word in CHANGED.items() if one.get(key) != other.get(key)]
    if sources_differ(old["criteria"], new["criteria"]):
        found.append(SOURCE)
    return tuple(found)


SOURCE = "the source of a score"
"""What is said where a score, or a judge, is another function under the same name."""


def unsourced(words: Any) -> Any:
    """Return criteria as a lock names them, without the digests of their scores' source."""
    if isinstance(words, dict):
        named = cast("dict[str, Any]", words)
        return {name: unsourced(inner) for name, inner in named.items() if name != "source"}
    if isinstance(words, list):
        return [unsourced(inner) for inner in cast("list[Any]", words)]
    return words


def sources_differ(old: list[Any], new: list[Any]) -> bool:
    """Whether a score that criteria of both locks read has another source."""
    before, now = _sources(old), _sources(new)
    return any(source != before[score] for score, source in now.items() if score in before)


def _sources(criteria: list[Any]) -> dict[str, str]:
    """Return the source of each score by its name, "" where none is locked."""
    measures = (one["measure"].get("scored", one["measure"]) for one in criteria)
    return {one["score"]: one.get("source", "") for one in measures if "score" in one}


async def look_before(store: Store, experiment: LockedExperiment) -> LockedExperiment | None:
    """Return the experiment of the same name that was locked before, or None."""
    known = await store.experiments(experiment.workflow)
    looks = [one for one in known if one.name == experiment.name]
    before = [one for one in looks if (one.locked, one.id) < (experiment.locked, experiment.id)]
    return before[-1] if before else None


def layout_of(experiment: LockedExperiment) -> Layout:
    """Return the recorded layout of an experiment's trials."""
    kept: dict[str, Any] = json.loads(experiment.plan)
    order, locked = kept["order"], kept["locked"]
    groups = order["groups"] if "groups" in order else [[case] for case in order["cases"]]
    return laid_out(
        order["seed"],
        groups,
        repeats=locked.get("repeats", 1),
        estimand=Estimand(locked.get("estimand", Estimand.PER_REQUEST)),
    )


async def _draw(bench: Bench, plan: Plan, dataset: Dataset) -> dict[str, Any]:
    """Return a fresh seed and the groups of cases it is to order."""
    cases = list(range(len(dataset.cases)))
    if plan.claim is Claim.FUTURE_TRAFFIC:
        cases = await fresh_cases(bench.store, plan, dataset)
    return {"seed": bench.dice.seed(), "groups": grouped(dataset.cases, cases, plan)}


async def fresh_cases(store: Store, plan: Plan, dataset: Dataset) -> list[int]:
    """Return the indices of cases that no experiment of the workflow has run.

    Raises:
        NoFreshCases: there is none.
    """
    seen = await store.seen(plan.workflow)
    fresh = [i for i, case in enumerate(dataset.cases) if case_digest(case) not in seen]
    if not fresh:
        raise NoFreshCases(
            f"all {len(dataset.cases)} cases of {dataset.name} were run before",
            why="cases whose results were shown support only a claim about these cases",
            fix=(
                f"add new cases to the dataset {dataset.name}",
                'or write claim = "these cases" under [prove]',
            ),
        )
    return fresh
