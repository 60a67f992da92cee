"""What claims depend on, as a project has it now; each thing under its digest."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from proveout.domain.access import RIGHTS
from proveout.domain.bar import Profile, Thing, Trait, pair
from proveout.domain.experiment import OWN
from proveout.domain.verdict import Verdict
from proveout.errors import ProveoutError
from proveout.faces import dataset_file, entry
from proveout.faces.recorded import code_of, is_unchecked, recordings
from proveout.faces.released import environment_here
from proveout.prove.begin import SOURCE, sources_differ, unsourced
from proveout.prove.lock import canonical, digest, words
from proveout.ready.gate import VerdictOnRecord
from proveout.ready.people import Paged, People, Support

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from proveout.domain.release import Pointer, Release
    from proveout.faces.project import Project
    from proveout.faces.settings import ExperimentSettings, Settings
    from proveout.ports.store import LockedExperiment, Store


def engine() -> str:
    """Return the version of Proveout that runs here."""
    return version("proveout")


# The working tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What the project's folder would execute now.

    Attributes:
        code: digest of its code; "" where it cannot be read.
        environment: digest of the packages here; "" where they cannot be read.
        trouble: why one of them cannot.
    """

    code: str = ""
    environment: str = ""
    trouble: str = ""

    def differs_from(self, release: Release) -> str:
        """Return how it differs from a release, in words; "" where it is the same."""
        if self.trouble:
            return self.trouble
        parts = {
            "its code": self.code != release.code,
            "its packages": self.environment != release.environment,
        }
        return " and ".join(part for part, differs in parts.items() if differs)


async def tree_of(settings: Settings) -> Tree:
    """Return what the project's folder would execute now; it may be gone."""
    return await asyncio.to_thread(_tree_of, settings)


def _tree_of(settings: Settings) -> Tree:
    workflow = settings.workflow
    try:
        code = entry.code_digest(workflow.entry, settings.folder, (), workflow.files)
        return Tree(code=code, environment=environment_here(settings).digest)
    except (ProveoutError, OSError) as error:
        return Tree(trouble=f"it cannot be read: {error}")


# The verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRecord:
    """The verdict that speaks for a release, or of what it once was.

    Attributes:
        worth_asked: whether the experiment that reached it asked.
    """

    verdict: VerdictOnRecord
    worth_asked: bool
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an experiment asks now, as its lock would name it."""

    dataset: str
    criteria: list[Any]


async def asked_now(settings: Settings) -> dict[str, Asked]:
    """Return what each experiment of the settings asks, by its name."""
    return {
        one.name: Asked(
            dataset=await asyncio.to_thread(_dataset_digest, one),
            criteria=await asyncio.to_thread(_criteria_words, settings, one),
        )
        for one in settings.experiments
    }


def _criteria_words(settings: Settings, experiment: ExperimentSettings) -> list[Any]:
    """Return the criteria as a lock names them; without source where that cannot be read."""
    plan = experiment.plan
    with suppress(ProveoutError, OSError):
        plan = entry.with_sources(plan, settings.folder, (), settings.workflow.files)
    return [words(criterion) for criterion in plan.criteria]


def _dataset_digest(experiment: ExperimentSettings) -> str:
    try:
        return dataset_file.load(experiment.dataset).digest
    except (ProveoutError, OSError):
        return ""


def _said(experiment: LockedExperiment) -> str:
    return json.loads(experiment.verdict or b"{}")["verdict"]


def _asks_worth(experiment: LockedExperiment) -> bool:
    criteria = json.loads(experiment.plan)["locked"]["criteria"]
    return any(one["measure"]["type"] == "Worth" for one in criteria)


async def on_record(
    store: Store, workflow: str, code: str, asked: Mapping[str, Asked]
) -> OnRecord | None:
    """Return the verdict on exactly this code; else the newest, with what changed since.

    Of several looks of one experiment the newest that fits best counts; of several
    experiments, the one that speaks most against the release.
    """
    concluded = [
        one
        for one in await store.experiments(workflow)
        if one.verdict is not None and one.name in asked
    ]
    if not concluded:
        return None
    fits = [(one, _changes(one, code, asked[one.name])) for one in reversed(concluded)]
    best = [
        min((fit for fit in fits if fit[0].name == name), key=lambda fit: len(fit[1]))
        for name in dict.fromkeys(one.name for one in concluded)
    ]
    experiment, changed = max(best, key=_against)
    said: dict[str, Any] = json.loads(experiment.verdict or b"{}")
    return OnRecord(
        verdict=VerdictOnRecord(
            experiment=experiment.name,
            verdict=Verdict(said["verdict"]),
            reached=await _reached(store, experiment, said["cases"]),
            changed=changed,
            is_unchecked=is_unchecked(experiment),
        ),
        worth_asked=any(map(_asks_worth, (fit[0] for fit in best))),
        cases=said["cases"],
    )


def _against(fit: tuple[LockedExperiment, tuple[str, ...]]) -> tuple[bool, bool, int]:
    """Return how much a verdict, with what changed since, speaks against a release."""
    experiment, changed = fit
    return _said(experiment) != Verdict.GO, is_unchecked(experiment), len(changed)


def _changes(experiment: LockedExperiment, code: str, now: Asked) -> tuple[str, ...]:
    locked: dict[str, Any] = json.loads(experiment.plan)["locked"]
    differs = {
        "the code": code_of(experiment) != code,
        "the dataset": experiment.dataset != now.dataset,
        "the criteria": unsourced(locked["criteria"]) != unsourced(now.criteria),
        SOURCE: sources_differ(locked["criteria"], now.criteria),
    }
    return tuple(thing for thing, is_other in differs.items() if is_other)


async def _reached(store: Store, experiment: LockedExperiment, cases: int) -> datetime:
    """Return when the last trial ended that the verdict read."""
    trials = await store.trials(experiment.id, OWN, 0, max(1, cases))
    return max((run.updated or run.created for run in trials), default=experiment.locked)


# What evidence depends on


async def depends_of(
    project: Project, release: str, before: str | None, asked: Mapping[str, Asked]
) -> dict[str, str]:
    """Return the digest of each further thing that evidence about a release depends on.

    Args:
        project: whose settings say what those things are now.
        release: digest of the release.
        before: digest of the release that serves before it, or None.
        asked: what its experiments ask.
    """
    settings = project.settings
    found = {
        Thing.SOURCES: digest(canonical([words(one) for one in settings.sources])),
        Thing.PEOPLE: digest(canonical(await asyncio.to_thread(_people_words, settings))),
        Thing.ROLES: digest(canonical({role: sorted(rights) for role, rights in RIGHTS.items()})),
        Thing.PAIR: pair(release, before),
    }
    if asked and all(one.dataset for one in asked.values()):
        found[Thing.DATASET] = digest(canonical({n: one.dataset for n, one in asked.items()}))
        found[Thing.CRITERIA] = digest(canonical({n: one.criteria for n, one in asked.items()}))
    return {str(thing): value for thing, value in found.items()}


def _people_words(settings: Settings) -> list[Any]:
    """Return everybody who is named, and how they are reached, as plain data."""
    production = settings.production
    if production is None:
        return [words(people_of(settings))]
    runbook = production.runbook
    text = runbook.read_bytes() if runbook is not None and runbook.is_file() else b""
    return [
        words(people_of(settings)),
        words(production.escalation),
        words(production.support),
        words(production.objective),
        digest(text),
        *([words(settings.channels)] if settings.channels else []),
    ]


def before_of(release: str, pointer: Pointer, stable_before: Iterable[str]) -> str | None:
    """Return the release that a rollback from this one leads back to, or None.

    `stable_before` are the releases that were stable, the newest first.
    """
    candidates = (one for one in (pointer.stable, *stable_before) if one)
    return next((one for one in candidates if one != release), None)


async def traits_of(project: Project, code: str) -> frozenset[Trait]:
    """Return what the workflow has, as its settings and its trials show it."""
    found: set[Trait] = set()
    if project.settings.sources:
        found.add(Trait.SOURCES)
    recorded = await recordings(project.store, project.name, code)
    # Where no trial tells, it may ask people: nothing is waved through by silence.
    if not recorded.loads or any(load.asks for load in recorded.loads):
        found.add(Trait.REVIEWS)
    return frozenset(found)


# People


def people_of(settings: Settings) -> People:
    """Return who answers for the workflow."""
    workflow = settings.workflow
    return People(
        owner=workflow.owner,
        operator=workflow.operator,
        reviewer=workflow.reviewer,
        downstream=workflow.downstream,
    )


def support_of(settings: Settings) -> Support:
    """Return what the users of the workflow may expect."""
    production = settings.production
    if production is None:
        return Support()
    tiers = tuple(Paged(who=one.to, after=one.after) for one in production.escalation)
    said = production.support
    if said is None:
        return Support(paged=tiers)
    return Support(
        hours=said.hours,
        first_answer=said.first_answer,
        paged=tiers,
        not_supported=said.not_supported,
    )


def profile_of(settings: Settings) -> Profile:
    """Return who is harmed when production fails; customers where nobody said."""
    named = settings.production.profile if settings.production else ""
    return Profile(named) if named else Profile.CUSTOMER
