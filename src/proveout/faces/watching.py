"""Keeping watch over a project: what its settings ask for, and the loops that do it."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.alert import Objective, Policy, Rule, Tier
from proveout.domain.criterion import Worth
from proveout.errors import ProveoutError
from proveout.faces.links import token_of
from proveout.faces.project import channels
from proveout.faces.settings_watch import WatchSettings
from proveout.ports.notifier import NotAccepted
from proveout.watch.deliver import deliver
from proveout.watch.measure import NEVER_LATE, Gauges, Rules
from proveout.watch.tick import Watch, tick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.domain.alert import Notice
    from proveout.faces.project import Project
    from proveout.faces.settings import Settings
    from proveout.ports.notifier import Notifier

TICK_EVERY = 1.0
"""Seconds between two looks at everything that is watched."""

DELIVER_EVERY = 0.5
"""Seconds between two looks for notices that are due."""

LIVELY = 30.0
"""Seconds after the last look for which watch counts as kept."""


def rules_of(settings: Settings) -> Rules:
    """Return what production must hold."""
    production = settings.production
    worth = worth_asked(settings)
    if production is None:
        return Rules(workflow=settings.workflow.name, worth=worth)
    said, watch = production.objective, production.watch
    objectives: list[Objective] = []
    if said is not None:
        objectives.append(Objective(rule=Rule.RUNS, target=said.success))
        if said.reviews is not None:
            objectives.append(Objective(rule=Rule.REVIEWS, target=said.reviews))
    return Rules(
        workflow=settings.workflow.name,
        objectives=tuple(objectives),
        within=NEVER_LATE if said is None else said.within,
        cost=None if said is None else said.cost,
        arrivals=watch.arrivals,
        synthetic=watch.synthetic,
        worth=worth,
    )


def worth_asked(settings: Settings) -> Worth | None:
    """Return how the first experiment that asks for worth values a case; None where none does."""
    measures = (one.measure for each in settings.experiments for one in each.plan.criteria)
    return next((one for one in measures if isinstance(one, Worth)), None)


def policy_of(settings: Settings) -> Policy:
    """Return who is told, in which order."""
    tiers = settings.production.escalation if settings.production else ()
    watch = watch_settings(settings)
    return Policy(
        tiers=tuple(Tier(to=one.to, after=one.after) for one in tiers),
        repeat=watch.repeat,
        loops=watch.loops,
    )


def watch_settings(settings: Settings) -> WatchSettings:
    """Return how production is watched; as usual where nothing is said."""
    return WatchSettings() if settings.production is None else settings.production.watch


def watch_of(project: Project) -> Watch:
    """Return what watch over a project is kept with."""
    settings = project.settings
    return Watch(
        store=project.store,
        ids=project.bench.ids,
        gauges=Gauges(project.store, rules_of(settings)),
        workflow=settings.workflow.name,
        policy=policy_of(settings),
        manner=watch_settings(settings).manner,
        channels=frozenset(one.name for one in settings.channels),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom the escalation reaches.

    Attributes:
        reached: names in the escalation that a channel with an address reaches.
        without_channel: names in it that are no channel.
        without_address: channels whose variable is not set, with the variable.
    """

    reached: tuple[str, ...]
    without_channel: tuple[str, ...]
    without_address: tuple[tuple[str, str], ...]


def reach_of(settings: Settings, environ: Mapping[str, str]) -> Reach:
    """Return whom the escalation reaches, as far as settings and variables tell."""
    named = dict.fromkeys(one.to for one in policy_of(settings).tiers)
    variables = {one.name: one.url_env for one in settings.channels}
    used = [name for name in named if name in variables]
    return Reach(
        reached=tuple(name for name in used if environ.get(variables[name])),
        without_channel=tuple(name for name in named if name not in variables),
        without_address=tuple((n, variables[n]) for n in used if not environ.get(variables[n])),
    )


def notifier_of(project: Project, environ: Mapping[str, str]) -> Notifier:
    """Return the channels of a project that have an address.

    Raises:
        BadChannel: an address is none that is known.
    """
    settings = project.settings
    watch = watch_settings(settings)
    found = {one.name: environ.get(one.url_env, "") for one in settings.channels}
    beat = "" if watch.heartbeat is None else environ.get(watch.heartbeat.url_env, "")

    def link(notice: Notice) -> str:
        if not watch.console:
            return ""
        return f"{watch.console}/acknowledge/{token_of(project.office.signer, notice)}"

    return channels({name: url for name, url in found.items() if url}, link, beat)


async def keep_watch(project: Project, told: asyncio.Event) -> None:
    """Look, tell and be heard of, until told to stop."""
    lively = Lively()
    await asyncio.gather(_tick(project, lively, told), _tell(project, lively, told))


async def _tell(project: Project, lively: Lively, told: asyncio.Event) -> None:
    """Hand notices over and be heard of; what channels need takes its time to be imported."""
    try:
        notifier = await asyncio.to_thread(notifier_of, project, os.environ)
    except ProveoutError as error:  # watching goes on, and tells nobody
        project.log.warning("channels.not_usable", error=str(error))
        notifier = await asyncio.to_thread(channels, {}, lambda _: "", "")
    await asyncio.gather(_deliver(project, notifier, told), _beat(project, notifier, lively, told))


class Lively:
    """When watch was last kept.

    Attributes:
        at: by the monotonic clock; None for never.
    """

    def __init__(self) -> None:
        self.at: float | None = None


async def _tick(project: Project, lively: Lively, told: asyncio.Event) -> None:
    watch = watch_of(project)
    while not told.is_set():
        try:
            await tick(watch)
            lively.at = project.bench.clock.monotonic()
        except ProveoutError as error:
            project.log.warning("watch.not_kept", error=str(error))
        await _rest(told, TICK_EVERY)


async def _deliver(project: Project, notifier: Notifier, told: asyncio.Event) -> None:
    store, ids, name = project.store, project.bench.ids, project.name
    while not told.is_set():
        try:
            await deliver(store, ids, notifier, (await store.ticked(name)).now)
        except ProveoutError as error:
            project.log.warning("notices.not_delivered", error=str(error))
        await _rest(told, DELIVER_EVERY)


async def _beat(project: Project, notifier: Notifier, lively: Lively, told: asyncio.Event) -> None:
    """Let the outside hear of us, while we really keep watch."""
    heartbeat = watch_settings(project.settings).heartbeat
    clock = project.bench.clock
    while heartbeat is not None and not told.is_set():
        if lively.at is None or clock.monotonic() - lively.at > LIVELY:
            await _rest(told, TICK_EVERY)
            continue
        try:
            await notifier.beat()
        except NotAccepted as error:
            project.log.warning("heartbeat.not_heard", error=str(error))
        await _rest(told, heartbeat.every.total_seconds())


async def _rest(told: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(told.wait(), seconds)
