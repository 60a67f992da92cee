"""Runs that ended are counted and traced, once each, whoever goes away meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from prometheus_client import generate_latest

from doubles.given import Given, entry, want
from doubles.otlp import Collector, collecting
from proveout.adapters.telemetry import Traces
from proveout.domain.journal import EntryKind, Pending, Place, Raised, Returned
from proveout.domain.run import Failure, RunState
from proveout.domain.trace import spans_of, trace_id
from proveout.faces.following import TRIES, Follower, Tracing
from proveout.faces.settings_telemetry import TelemetrySettings
from proveout.faces.tallies import Tallies

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.clock import CountedIds
    from doubles.postgres import WatchedClock
    from proveout.domain.run import Run
    from proveout.ports.store import Claimed, Store

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What is done with runs that ended is the same on every store."""

SECOND = timedelta(seconds=1)
UNSET, ERROR = 0, 2
INTERNAL, CLIENT = 1, 3


@pytest.fixture
def given(store: Store, clock: WatchedClock, ids: CountedIds) -> Given:
    """Return what brings the store to where a test begins."""
    return Given(store, clock, ids)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Generator[Collector]:
    """Return a receiver that the environment names."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


def traces(**environ: str) -> Traces:
    """Return what sends to the receiver."""
    return Traces("triage", "0.1.0", environ)


def tracing(given: Given, sender: Any, *, bodies: bool = False) -> Tracing:
    """Return what traces the runs of a store."""
    log: Any = structlog.wrap_logger(structlog.ReturnLogger())
    return Tracing(given.store, given.ids, log, sender, bodies=bodies)


async def worked(given: Given, state: RunState = RunState.SUCCEEDED, **settled: Any) -> Run:
    """Return a run that asked a model and a person, and then ended."""
    claimed = await given.claimed()
    place = Place("", "ask", 0)
    asked = replace(entry("ask", Returned(b'{"approved": true}')), kind=EntryKind.REVIEW)
    waited = replace(asked, place=place, started=given.clock.now(), elapsed=3600.0, tries=0)
    called = replace(entry("read", Returned(b'"private"')), started=given.clock.now(), elapsed=0.75)
    await given.store.write(given.record(claimed, called, waited))
    call = given.model_call(claimed.run.id)
    await given.store.write(given.charge(call))
    given.clock.advance(SECOND)
    await given.store.write(given.settle(claimed, state, **settled))
    run = await given.store.run(claimed.run.id)
    assert run is not None
    return run


async def test_runs_are_handed_over_once_in_the_order_in_which_they_ended(
    given: Given, store: Store, clock: WatchedClock
) -> None:
    """Also those that show late; not those that go on, are trials or never began."""
    before = await worked(given)
    clock.advance(SECOND)
    follower = Follower(store, "triage", clock.now())
    await given.claimed()
    never = await given.queued()
    await store.write(given.cancel(never.id))
    claimed: list[Claimed] = [await given.claimed() for _ in range(3)]
    for one in reversed(claimed):
        await store.write(given.settle(one, RunState.SUCCEEDED, result=b"1"))
        clock.advance(SECOND)

    first = await follower.next()
    same = await follower.next()
    follower.confirm(first[:1])
    rest = await follower.next()
    follower.confirm(rest)
    late = await worked(given)
    last = await follower.next()

    ended = [one.run.id for one in reversed(claimed)]
    assert [run.id for run in first] == [run.id for run in same] == ended
    assert [run.id for run in rest] == ended[1:]
    assert [run.id for run in last] == [late.id]
    assert before.id not in {run.id for run in [*first, *last]}


async def test_more_than_a_round_ends_at_the_same_moment(given: Given, store: Store) -> None:
    """None is left out and none comes twice."""
    follower = Follower(store, "triage", given.clock.now())
    for _ in range(450):
        await given.queued()
    claimed = await store.claim(replace(want(), limit=450))
    for one in claimed:
        await store.write(given.settle(one, RunState.SUCCEEDED, result=b"1"))

    found: list[Run] = []
    for _ in range(8):
        runs = await follower.next()
        follower.confirm(runs)
        found += runs

    assert len(found) == len({run.id for run in found}) == 450


@ONE_STORE
async def test_a_run_is_one_trace_with_a_span_for_each_step(
    given: Given, collector: Collector
) -> None:
    """Its id is made of the run's; a model's call is a part of its step; a wait is no error."""
    begun = given.clock.now()
    run = await worked(given, result=b'"private"')
    sender = traces()
    one = tracing(given, sender)
    follower = await one.begin("triage", begun)

    more, done = await one.round(follower), await one.round(follower)

    sender.close()
    spans = {span.name: span for span in collector.spans}
    root, step, call = spans["invoke_workflow triage"], spans["step read"], spans["chat gpt-5"]
    assert (more, done) == (True, False)
    assert {span.trace for span in spans.values()} == {trace_id(run.id)}
    assert (root.parent, step.parent, call.parent) == ("", root.id, step.id)
    assert (root.kind, call.kind) == (INTERNAL, CLIENT)
    assert {span.status for span in spans.values()} == {UNSET}
    assert root.attributes["proveout.run.id"] == run.id
    assert call.attributes | {"proveout.run.id": "", "proveout.run.attempt": 1} == {
        "proveout.run.id": "",
        "proveout.run.attempt": 1,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2026-08-07",
        "http.response.status_code": 200,
        "gen_ai.usage.input_tokens": 1200,
        "gen_ai.usage.output_tokens": 34,
        "gen_ai.usage.cache_read.input_tokens": 200,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "proveout.cost_usd": 0.00159,
    }
    assert (step.seconds, spans["review ask"].seconds) == (0.75, 3600.0)
    assert collector.resources[0]["service.name"] == "triage"
    assert "development" in collector.resources[0]["proveout.convention"]


@ONE_STORE
async def test_no_body_is_told_unless_somebody_asks(given: Given, collector: Collector) -> None:
    """Neither input nor result, argument or words of an error; asked for, all of them."""
    failure = Failure(type="ValueError", message="private words", traceback="private", step="read")
    begun = given.clock.now()
    await worked(given, RunState.FAILED, failure=failure)
    sender = traces()

    for bodies in (False, True):
        one = tracing(given, sender, bodies=bodies)
        await one.round(Follower(given.store, "triage", begun))

    sender.close()
    silent, told = collector.bodies
    [root] = [span for span in collector.spans if not span.parent][:1]
    assert b"private" not in silent
    assert b"late parcel" not in silent
    assert all(word in told for word in (b"private words", b"late parcel", b'"private"'))
    assert (root.status, root.attributes["error.type"]) == (ERROR, "ValueError")


@ONE_STORE
async def test_whoever_waits_for_people_is_no_error(given: Given) -> None:
    """Neither a rejected review, a signal that never came, nor a run that was cancelled."""
    failure = Raised(Failure(type="Rejected", message="no"))
    kinds = (EntryKind.REVIEW, EntryKind.SIGNAL, EntryKind.SLEEP, EntryKind.STEP)
    entries = [replace(entry(kind.value, failure), kind=kind) for kind in kinds]
    entries.append(replace(entry("open", Pending()), kind=EntryKind.REVIEW))
    run = replace(given.run(), state=RunState.CANCELLED)

    spans = spans_of(run, entries, ())

    assert [span.name for span in spans if span.error] == ["step step"]


@ONE_STORE
async def test_a_receiver_that_is_away_gets_the_traces_later(
    given: Given, collector: Collector
) -> None:
    """Once; also from a server that starts meanwhile, which goes on where the other one was."""
    begun = given.clock.now()
    first = await worked(given)
    sender = traces()
    one = tracing(given, sender)
    follower = await one.begin("triage", begun)
    await one.round(follower)
    collector.status = 400
    second = await worked(given)
    refused = await one.round(follower)
    collector.status = 200
    other = tracing(given, sender)
    await other.round(await other.begin("triage", given.clock.now()))

    sender.close()
    sent = [span.attributes["proveout.run.id"] for span in collector.spans if not span.parent]
    assert not refused
    # The one before it is within the overlap, and is the same span again.
    assert sent in ([first.id, second.id], [first.id, first.id, second.id])


@ONE_STORE
async def test_traces_that_nobody_ever_takes_hold_up_no_others(
    given: Given, collector: Collector
) -> None:
    """After some rounds they are given up, with an event; the next ones are sent."""
    begun = given.clock.now()
    await worked(given)
    sender = traces()
    one = tracing(given, sender)
    follower = await one.begin("triage", begun)
    collector.status = 400

    rounds = [await one.round(follower) for _ in range(TRIES)]
    collector.status = 200
    later = await worked(given)
    await one.round(follower)

    sender.close()
    assert rounds == [False] * (TRIES - 1) + [True]
    roots = [span for span in collector.spans if not span.parent]
    assert [span.attributes["proveout.run.id"] for span in roots] == [later.id]


@pytest.mark.parametrize(
    ("environ", "share"),
    [
        ({}, 1.0),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, 0.0),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"},
            0.5,
        ),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "many"}, 1.0),
    ],
)
def test_the_usual_variables_say_how_many_traces_are_sent(
    environ: dict[str, str], share: float, collector: Collector
) -> None:
    """The same answer for the same run, in every process."""
    del collector
    sender = traces(**environ)

    taken = sum(sender.takes(trace_id(f"run-{number}")) for number in range(400))

    sender.close()
    assert abs(taken / 400 - share) < 0.1


async def test_figures_count_what_ended_since_they_were_asked_for(
    given: Given, clock: WatchedClock
) -> None:
    """By release, arm and outcome; nothing is read while nobody asks."""
    tallies = Tallies(given.store, clock, "triage")
    await worked(given)
    clock.advance(SECOND)
    idle = await tallies.round()
    tallies.ask()
    await tallies.round()
    clock.advance(SECOND)
    await worked(given, result=b"1")
    failure = Failure(type="ValueError", message="no")
    await worked(given, RunState.FAILED, failure=failure)
    counted = await tallies.round()

    text = generate_latest(tallies.registry).decode()
    labels = 'arm="other",outcome="{}",release="draft",workflow="triage"'
    assert (idle, counted) == (False, True)
    for line in (
        f"proveout_runs_total{{{labels.format('SUCCEEDED')}}} 1.0",
        f"proveout_runs_total{{{labels.format('FAILED')}}} 1.0",
        'proveout_run_seconds_count{outcome="FAILED",workflow="triage"} 1.0',
        'proveout_step_attempts_total{outcome="done",step="read"} 2.0',
        'proveout_review_decisions_total{verdict="approved"} 2.0',
        'proveout_cost_usd_total{model="gpt-5-2026-08-07"} 0.00318',
    ):
        assert line in text, text
    clock.advance(timedelta(minutes=11))
    await worked(given)
    assert not await tallies.round()


def test_a_link_leads_to_the_trace_of_a_run() -> None:
    """With the ids in its blanks; without a link there is none."""
    link = TelemetrySettings(trace_link="https://traces.example.org/{trace}?run={run}")

    assert link.link("r1") == f"https://traces.example.org/{trace_id('r1')}?run=r1"
    assert TelemetrySettings().link("r1") == ""
    assert len(trace_id("r1")) == 32
    assert trace_id("r1") != trace_id("r2")
