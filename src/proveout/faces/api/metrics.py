"""Figures for Prometheus, read from the store when they are asked for."""

from __future__ import annotations

import asyncio
import collections
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request  # noqa: TC002 - the framework reads the annotations
from starlette.responses import Response

from proveout.domain.access import Right
from proveout.domain.duration import say_duration
from proveout.domain.record import Kind
from proveout.domain.release import Stage
from proveout.domain.review import ReviewState
from proveout.domain.run import RunState
from proveout.faces.alert_views import outlook
from proveout.faces.api.call import doors_of, signed_in
from proveout.faces.api.doors import LOOPBACK
from proveout.ready.envelope import filed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from prometheus_client.registry import Collector

    from proveout.domain.release import Pointer
    from proveout.faces.api.doors import Doors
    from proveout.ports.clock import Clock
    from proveout.ports.store import Store
    from proveout.watch.measure import Gauges

PAUSE = 100
"""How many times as long as counting took the counts are kept."""

MOST_REVIEWS = 1000
"""Open reviews that are counted; more than that is an alarm whatever their number."""


class Deliveries:
    """Counts what came to the hooks since the server started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._count = Counter(
            "proveout_deliveries",
            "Webhooks since the server started, by source and what became of them.",
            ("source", "outcome"),
            registry=self.registry,
        )

    def count(self, source: str, outcome: str) -> None:
        """Count one delivery to a source that exists."""
        self._count.labels(source, outcome).inc()


class Snapshot:
    """Figures that were read before; handed to the exposition as they are."""

    def __init__(self, figures: Iterable[GaugeMetricFamily]) -> None:
        self._figures = tuple(figures)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the figures."""
        return self._figures


async def metrics(request: Request) -> Response:
    """Show the figures; a key is needed unless the server listens on this machine alone.

    A request that a proxy passed on comes from elsewhere and needs one, too; so does one for
    another name, with which a page in a browser here could have been led to us.
    """
    doors = doors_of(request)
    passed_on = {"forwarded", "x-forwarded-for"} & set(request.headers.keys())
    if not doors.is_loopback or passed_on or request.url.hostname not in LOOPBACK:
        (await signed_in(request, doors)).check(Right.READ)
    deliveries: Deliveries = request.app.state.deliveries
    registry = CollectorRegistry()
    gauges: Gauges = request.app.state.gauges
    counted: Counted = request.app.state.counted
    figures = [*await _figures(doors, await counted.get()), *await watched(doors, gauges)]
    registry.register(_collector(Snapshot(figures)))
    texts = [generate_latest(registry), generate_latest(deliveries.registry)]
    if doors.tallies is not None:
        doors.tallies.ask()
        texts.append(generate_latest(doors.tallies.registry))
    text = b"".join(texts)
    return Response(text, 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)


def _collector(snapshot: Snapshot) -> Collector:
    return snapshot  # pyright: ignore[reportReturnType] - the class lacks a protocol for it


async def _figures(doors: Doors, counts: Mapping[RunState, int]) -> list[GaugeMetricFamily]:
    name, store = doors.settings.workflow.name, doors.store
    now = doors.clock.now()
    oldest = await store.oldest_queued(name)
    reviews = await store.reviews(ReviewState.OPEN, None, MOST_REVIEWS)
    first = min((one.opened for one in reviews), default=now)
    pointer = await store.pointer(name)
    found = [
        _labelled("proveout_runs", "Runs that are no trials.", "state", _by_state(counts)),
        _single(
            "proveout_dead_letters", "Runs that ended for good without a result.", _dead(counts)
        ),
        _single("proveout_queue_depth", "Runs that wait for a worker.", _queued(counts)),
        _single(
            "proveout_queue_oldest_seconds", "Age of the run that waits longest.", _age(oldest, now)
        ),
        _single("proveout_reviews_open", f"Open reviews, up to {MOST_REVIEWS}.", len(reviews)),
        _single(
            "proveout_review_oldest_seconds",
            "Age of the review that waits longest.",
            _age(first, now),
        ),
        _labelled(
            "proveout_stage",
            "1 for the stage that the workflow is in.",
            "stage",
            {one.value: float(one is pointer.stage) for one in Stage},
        ),
        await _serving(doors, pointer),
        await _evidence(doors, now),
    ]
    if doors.claims is not None:
        claims = await doors.claims()
        found.append(_labelled("proveout_claims", "Claims of the bar.", "status", claims))
    return found


async def watched(doors: Doors, gauges: Gauges) -> list[GaugeMetricFamily]:
    """Return what is watched: how fast budgets are used, and the alerts that are not over."""
    burns = GaugeMetricFamily(
        "proveout_slo_burn",
        "How many times too fast an objective's 30-day budget is used, by window.",
        labels=["objective", "window"],
    )
    for rule, windows in (await gauges.burns(doors.clock.now())).items():
        for window, speed in windows.items():
            burns.add_metric([rule.value, say_duration(window)], speed)
    live = await gauges.worth(doors.clock.now())
    earned: list[GaugeMetricFamily] = []
    if live is not None and live.net is not None:
        what = "What a live run gains against today's way, by what people said of drafts."
        earned.append(_single("proveout_worth_dollars", what, live.net))
    firing = GaugeMetricFamily(
        "proveout_alerts",
        "Alerts that are not over, by rule, severity and state.",
        labels=["rule", "severity", "state"],
    )
    found = (await outlook(doors.store, doors.settings.workflow.name)).going
    counts = collections.Counter((one.rule, one.severity.value, one.state.value) for one in found)
    for labels, count in sorted(counts.items()):
        firing.add_metric(list(labels), count)
    return [burns, *earned, firing]


async def _serving(doors: Doors, pointer: Pointer) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "proveout_release_info", "1 for each release that serves.", labels=["release", "arm"]
    )
    arms = {"stable": pointer.stable, "canary": pointer.canary and pointer.canary.release}
    for arm, digest in arms.items():
        release = None if digest is None else await doors.store.release(digest)
        if release is not None:
            family.add_metric([release.name, arm], 1.0)
    return family


async def _evidence(doors: Doors, now: datetime) -> GaugeMetricFamily:
    ended: dict[str, datetime] = {}
    found, _ = filed(await doors.store.records(Kind.EVIDENCE), doors.access.office.signer)
    for one in (each.evidence for each in found):
        ended[one.claim] = max(one.ended, ended.get(one.claim, one.ended))
    ages = {claim: _age(at, now) for claim, at in sorted(ended.items())}
    meaning = "Age of the newest evidence that is believed, whatever it shows."
    return _labelled("proveout_evidence_age_seconds", meaning, "claim", ages)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _queued(counts: Mapping[RunState, int]) -> int:
    return counts.get(RunState.QUEUED, 0)


class Counted:
    """How many runs are in each state; counting them takes at most a hundredth of the time.

    A store with a million runs looks at each of them: what was counted is kept for a hundred
    times as long as counting took.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kept: dict[RunState, int] = {}
        self._until = 0.0
        self._counting = asyncio.Lock()

    async def get(self) -> Mapping[RunState, int]:
        """Return the counts, as fresh as that allows."""
        async with self._counting:
            began = self._clock.monotonic()
            if began >= self._until:
                self._kept = await self._store.count()
                now = self._clock.monotonic()
                self._until = now + PAUSE * (now - began)
        return self._kept


def _by_state(counts: Mapping[RunState, int]) -> dict[str, float]:
    return {state.value: counts.get(state, 0) for state in RunState}


def _dead(counts: Mapping[RunState, int]) -> int:
    return counts.get(RunState.DEAD, 0)


def _single(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)


def _labelled(
    name: str, meaning: str, label: str, values: Mapping[str, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
