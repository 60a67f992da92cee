"""Gathering what a decision between building and buying rests on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proveout.domain.criterion import Scored, Worth
from proveout.domain.experiment import OWN, Endpoint
from proveout.domain.journal import EntryKind
from proveout.errors import Mistake, Outage
from proveout.faces.project import NoSuch, respondent
from proveout.faces.readiness import readiness
from proveout.faces.report.figures import scale_of
from proveout.faces.report.meaning import ahead
from proveout.prove.compare import NothingInCommon, Subject, compare, is_asked_again
from proveout.prove.compare import Side as Compared
from proveout.prove.elsewhere import put_to
from proveout.prove.prefix import completed
from proveout.ready.decision import (
    Ahead,
    Decision,
    Exceptions,
    Met,
    Month,
    Need,
    Side,
    beyond,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.experiment import Candidate
    from proveout.domain.run import Run
    from proveout.domain.verdict import Judgement
    from proveout.faces.project import Project
    from proveout.prove.account import Account
    from proveout.prove.conduct import Conductor

LOOKED_AT = 50
"""Trials whose journals are read for the effects that they asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A decision with all that it rests on.

    Attributes:
        next: the command with which the path of the workflow goes on.
    """

    account: Account
    sides: tuple[Side, ...]
    leads: tuple[Ahead, ...]
    decision: Decision
    next: str


async def choose(project: Project, name: str | None, *, probe: bool) -> Chosen:
    """Return whether to build or to buy, from what an experiment has recorded.

    Args:
        project: whose workflow is the one that is built.
        name: of the experiment; None for the only one.
        probe: ask each address once without its credentials.

    Raises:
        Mistake: nothing stands against the workflow.
        NoSuch: nothing is recorded of the experiment as it stands here.
    """
    experiment = project.experiment(name)
    if len(experiment.plan.candidates) == 1:
        raise Mistake(
            f"{experiment.name} has no candidate beside the workflow",
            why="building is weighed against something that can be bought, on the same cases",
            fix=(
                '[prove.candidates.vendor]    url = "https://vendor.example/answer"',
                f"proveout prove {experiment.name}",
            ),
        )
    conductor = await project.recorded(experiment)
    if conductor is None:
        raise NoSuch(await project.changed(experiment), fix=(f"proveout prove {experiment.name}",))
    await conductor.recall()
    account = await conductor.account(None, whole=True)
    found = await readiness(project)
    sides = [
        await _side(project, conductor, account, one, probe=probe)
        for one in conductor.plan.candidates
    ]
    claims = tuple(one.claim.name for one in found.standings if one.is_open)
    sides = [replace(one, open_claims=claims) if one.is_own else one for one in sides]
    leads = await _leads(project, conductor)
    return Chosen(
        account=account,
        sides=tuple(sides),
        leads=leads,
        decision=decide(sides, leads),
        next=found.next,
    )


async def _side(
    project: Project, conductor: Conductor, account: Account, candidate: Candidate, *, probe: bool
) -> Side:
    settings, is_own = project.settings.choice, candidate.name == OWN
    offer = settings.offer(candidate.name)
    judgement = next(one for one in account.judgements if one.candidate == candidate.name)
    experiment = conductor.setup.experiment.id
    trials = (await completed(project.store, experiment, candidate.name))[: judgement.cases]
    needs = {one.need: one for one in (*(_needs_here(project) if is_own else ()), *offer.needs)}
    asked, granted = offer.permissions, settings.permissions
    return Side(
        name=candidate.name,
        is_own=is_own,
        verdict=judgement.verdict,
        cases=judgement.cases,
        note=account.note(candidate.name),
        refused=_refused(trials),
        exceptions=_exceptions(judgement, settings.exceptional),
        permissions=asked,
        beyond=beyond(asked or (), granted or ()) if granted is not None else (),
        open_to_all=await _is_open(project, candidate, conductor) if probe else None,
        acts=await _acts(project, trials) if is_own else (),
        needs=tuple(needs.get(one, Met(need=one, is_met=None)) for one in Need),
        worth=_month(judgement),
    )


def _refused(trials: Sequence[Run]) -> tuple[tuple[str, int], ...]:
    kinds = Counter(run.failure.type for run in trials if run.failure is not None)
    return tuple(kinds.most_common())


def _exceptions(judgement: Judgement, tag: str) -> Exceptions | None:
    found = next((one for one in judgement.slices if one.tag == tag), None)
    return None if found is None else Exceptions(count=found.count, passes=found.passes)


async def _acts(project: Project, trials: Sequence[Run]) -> tuple[str, ...]:
    """Return the effects that the workflow asked for in its first trials."""
    journals = [await project.store.journal(run.keyed_as) for run in trials[:LOOKED_AT]]
    entries = (entry for journal in journals for entry in journal)
    return tuple(sorted({e.place.name for e in entries if e.kind is EntryKind.CAPTURED}))


def _month(judgement: Judgement) -> Month | None:
    for standing in judgement.standings:
        worth = standing.criterion.measure
        if (
            isinstance(worth, Worth)
            and worth.volume_per_month
            and standing.now.estimate is not None
        ):
            fixed = float(worth.fixed_cost_per_month or 0)
            estimate, low, high = (
                value * worth.volume_per_month - fixed
                for value in (standing.now.estimate, *standing.now.interval)
            )
            return Month(estimate=estimate, low=low, high=high)
    return None


async def _is_open(project: Project, candidate: Candidate, conductor: Conductor) -> bool | None:
    """Whether an address answers a case without any credentials; None for what has no address."""
    if not isinstance(candidate.entry, Endpoint):
        return None
    if not candidate.entry.headers_env:
        return True
    setup, folder = conductor.setup, project.settings.folder
    stranger = respondent(replace(candidate.entry, headers_env=()), folder, setup.dataset)
    try:
        await stranger.ready()
        await stranger.answer(put_to(candidate, setup.dataset.cases[0]))
    except Outage:
        return False
    finally:
        await stranger.close()
    return True


# What the engine that runs the workflow offers by itself


def _needs_here(project: Project) -> tuple[Met, ...]:
    production, sources = project.settings.production, project.settings.sources
    found = [
        Met(need=Need.AUDIT_LOG, is_met=True, evidence="the ledger: proveout ledger verify"),
        Met(need=Need.EXPORT, is_met=True, evidence="proveout runs list --json, evidence export"),
        Met(need=Need.DELETION, is_met=True, evidence="proveout runs erase"),
    ]
    if sources:
        evidence = f"signed sources: {', '.join(one.name for one in sources)}"
        found.append(Met(need=Need.WEBHOOKS, is_met=True, evidence=evidence))
    if production is not None and production.objective is not None:
        found.append(Met(need=Need.OBJECTIVES, is_met=True, evidence="[production] objective"))
    return tuple(found)


# Case by case


async def _leads(project: Project, conductor: Conductor) -> tuple[Ahead, ...]:
    """Return by how much each rival leads the workflow, as far as they are comparable."""
    setup = conductor.setup
    scored = (one for one in setup.plan.criteria if isinstance(one.measure, Scored))
    criterion = next(filter(is_asked_again, scored), None)
    if criterion is None:
        return ()
    subject = Subject(
        plan=setup.plan, dataset=setup.dataset, criterion=criterion, scorers=setup.scorers
    )
    found: list[Ahead] = []
    for candidate in setup.plan.candidates:
        if candidate.name == OWN:
            continue
        own, rival = (
            Compared(candidate=one, experiment=setup.experiment, layout=setup.layout)
            for one in (OWN, candidate.name)
        )
        try:
            pairs = await compare(project.store, subject, own, rival)
        except NothingInCommon:
            continue
        if pairs.estimate is not None:
            measured = pairs.estimate, pairs.interval, pairs.alpha
            said = ahead(*measured, over=OWN, scale=scale_of(pairs.lead))
            low, high = pairs.interval
            found.append(
                Ahead(rival=candidate.name, said=f"{candidate.name} is {said}", low=low, high=high)
            )
    return tuple(found)
