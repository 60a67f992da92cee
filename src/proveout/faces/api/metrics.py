"""Figures for Prometheus, read from the store when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request  # noqa: TC002 - the framework reads the annotations
from starlette.responses import Response

from proveout.domain.access import Right
from proveout.domain.release import Stage
from proveout.domain.review import ReviewState
from proveout.domain.run import RunState
from proveout.faces.api.call import doors_of, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client.registry import Collector

    from proveout.faces.api.doors import Doors

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

    A request that a proxy passed on comes from elsewhere and needs one, too.
    """
    doors = doors_of(request)
    passed_on = {"forwarded", "x-forwarded-for"} & set(request.headers.keys())
    if not doors.is_loopback or passed_on:
        (await signed_in(request, doors)).check(Right.READ)
    deliveries: Deliveries = request.app.state.deliveries
    registry = CollectorRegistry()
    registry.register(_collector(Snapshot(await _figures(doors))))
    text = generate_latest(registry) + generate_latest(deliveries.registry)
    return Response(text, 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)


def _collector(snapshot: Snapshot) -> Collector:
    return snapshot  # pyright: ignore[reportReturnType] - the class lacks a protocol for it


async def _figures(doors: Doors) -> list[GaugeMetricFamily]:
    name, store = doors.settings.workflow.name, doors.store
    counts = await store.count()
    oldest = await store.oldest_queued(name)
    age = 0.0 if oldest is None else max(0.0, (doors.clock.now() - oldest).total_seconds())
    open_reviews = len(await store.reviews(ReviewState.OPEN, None, MOST_REVIEWS))
    stage = (await store.pointer(name)).stage
    found = [
        _labelled("proveout_runs", "Runs that are no trials.", "state", _by_state(counts)),
        _single("proveout_dead_runs", "Runs that ended for good without a result.", _dead(counts)),
        _single("proveout_queue_age_seconds", "Age of the run that waits longest.", age),
        _single("proveout_open_reviews", f"Open reviews, up to {MOST_REVIEWS}.", open_reviews),
        _labelled(
            "proveout_stage",
            "1 for the stage that the workflow is in.",
            "stage",
            {one.value: float(one is stage) for one in Stage},
        ),
    ]
    if doors.claims is not None:
        claims = await doors.claims()
        found.append(_labelled("proveout_claims", "Claims of the bar.", "status", claims))
    return found


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
