"""Incidents are explained from what was kept: first, touched, open, and what would catch it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from proveout.domain.alert import Alert, Rule, Severity
from proveout.domain.delivery import Delivery
from proveout.domain.evidence import ControlResult, DrillResult, Evidence
from proveout.domain.journal import Entry, EntryKind, Pending, Place, Raised, Returned
from proveout.domain.ledger import ROOT, LedgerEntry, Signature
from proveout.domain.model_call import Caller, ModelCall
from proveout.domain.review import Answer, OnExpiry, Review, ReviewId, ReviewState
from proveout.domain.run import Failure, Run, RunId, RunState
from proveout.ready.incident import explain_run, explain_since
from proveout.ready.lesson import MODEL_OUTAGE
from proveout.ready.moments import moments_of_alert
from proveout.ready.story import Span, Story, Weight

if TYPE_CHECKING:
    from proveout.domain.journal import Outcome

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
RELEASE = "f" * 64


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def run_of(state: RunState = RunState.FAILED, **changes: Any) -> Run:
    failure = Failure(type="KeyError", message="'amount'", step="read")
    run = Run(
        id=RunId("run-1"),
        workflow="triage",
        value=b"{}",
        created=NOON,
        due=None,
        state=state,
        fence=1,
        failure=failure if state in {RunState.FAILED, RunState.DEAD} else None,
        updated=after(5),
        release=RELEASE,
    )
    return replace(run, **changes)


def entry(name: str, kind: EntryKind, outcome: Outcome, at: float = 1) -> Entry:
    return Entry(
        place=Place("", name, 0), kind=kind, digest="d", arguments="[]", outcome=outcome,
        started=after(at), elapsed=6.0,
    )  # fmt: skip


def deed(act: str, at: float) -> LedgerEntry:
    return LedgerEntry(
        seq=1, at=after(at), actor="ana", act=act, subject="r2", facts=b"{}", previous=ROOT,
        hash="h", signature=Signature(key="k", value="v"),
    )  # fmt: skip


def review_of(state: ReviewState, answer: Answer | None = None) -> Review:
    return Review(
        id=ReviewId("review-1"), run=RunId("run-1"), place=Place("", "review", 0), queue="support",
        content=b"1", digest="d", opened=after(2), on_expiry=OnExpiry.REJECT, state=state,
        answer=answer, decided=None if state is ReviewState.OPEN else after(4),
    )  # fmt: skip


def drilled(claim: str, result: DrillResult = DrillResult.PASSED, **changes: Any) -> Evidence:
    shown = Evidence(
        claim=claim, bar=1, workflow="triage", release=RELEASE, code="c", environment="e",
        engine="0.1", seed=1, started=after(-90), ended=after(-60), result=result,
        control=ControlResult.FAILED, summary="",
    )  # fmt: skip
    return replace(shown, **changes)


def span(**changes: Any) -> Span:
    return replace(Span(workflow="triage", since=after(-60), now=after(60)), **changes)


def test_the_first_trouble_is_named_with_the_change_before_it() -> None:
    """What went wrong first, and what people had changed last before that."""
    story = Story(
        run=run_of(RunState.DEAD),
        release="r2",
        entries=[
            entry("write", EntryKind.STEP, Returned(b"1"), at=1),
            entry("send", EntryKind.STEP, Raised(Failure(type="OSError", message="gone")), at=3),
        ],
    )
    deeds = [deed("roll back", 20), deed("promote", -30), deed("create release", 0)]

    found = explain_run(story, span(deeds=deeds))

    assert found.first is not None
    assert found.first.what == "send failed: OSError: gone"
    assert found.before is not None
    assert found.before.what == "ana: promote r2"
    assert [one.at for one in found.moments] == sorted(one.at for one in found.moments)


def test_a_run_that_came_to_no_harm_has_no_trouble_to_tell() -> None:
    """Nothing is first, nothing is open, and no drill is called for."""
    story = Story(run=run_of(RunState.SUCCEEDED), release="r1")

    found = explain_run(story, span(deeds=[deed("promote", -30)]))

    assert (found.first, found.before, found.lessons) == (None, None, ())
    assert found.is_closed


def test_what_reached_the_outside_is_counted_apart_from_what_is_in_doubt() -> None:
    """Carried out, begun without an outcome, and failed; a captured effect touched nothing."""
    story = Story(
        run=run_of(RunState.PARKED),
        release="r2",
        entries=[
            entry("send", EntryKind.EFFECT, Returned(b"null")),
            entry("pay", EntryKind.EFFECT, Pending()),
            entry("tell", EntryKind.EFFECT, Raised(Failure(type="OSError", message=""))),
            entry("post", EntryKind.CAPTURED, Returned(b"null")),
        ],
    )

    found = explain_run(story, span())

    counted = {one.effect: (one.done, one.in_doubt, one.failed) for one in found.touched}
    assert counted == {"send": (1, 0, 0), "pay": (0, 1, 0), "tell": (0, 0, 1)}
    assert [one.weight for one in found.moments if "send" in one.what] == [Weight.TOUCH]


def test_who_asked_for_the_run_is_told() -> None:
    """A webhook by its source and event, any other caller by the key."""
    delivery = Delivery(
        source="crm", event="evt-1", type="paid", received=NOON, headers=(), body=b"{}"
    )
    by_webhook = Story(run=run_of(key="crm:evt-1"), release="r2", delivery=delivery)
    by_key = Story(run=run_of(key="mail-7"), release="r2")

    asked = [explain_run(one, span()).moments[0].what for one in (by_webhook, by_key)]

    assert asked == ["asked for by crm, event evt-1 (paid)", "asked for under the key mail-7"]


def test_a_run_that_waited_long_for_a_worker_tells_so() -> None:
    """A queue that stood still is trouble, too; a second of waiting is none."""
    slow = Story(
        run=run_of(RunState.SUCCEEDED),
        release="r2",
        entries=[entry("read", EntryKind.STEP, Returned(b"1"), at=30)],
    )
    quick = replace(slow, entries=[entry("read", EntryKind.STEP, Returned(b"1"), at=0.01)])

    assert (first := explain_run(slow, span()).first) is not None
    assert first.what == "it waited 30 min for a worker"
    assert explain_run(quick, span()).first is None


def test_a_replay_that_goes_on_closes_what_its_run_left_open() -> None:
    """Nobody is sent to repeat what is repeated; a replay that failed as well leaves it open."""
    run = run_of(RunState.DEAD)

    def closed_by(state: RunState | None) -> bool:
        again = None if state is None else run_of(state, id=RunId("run-2"))
        return explain_run(Story(run=run, release="r2", replay=again), span()).is_closed

    assert [closed_by(one) for one in (None, RunState.DEAD, RunState.CANCELLED)] == [False] * 3
    assert [closed_by(one) for one in (RunState.RUNNING, RunState.SUCCEEDED)] == [True] * 2


def test_an_open_review_is_open_work() -> None:
    """A person who is still asked is named with the command that shows the question."""
    story = Story(run=run_of(RunState.WAITING), release="r2", reviews=[review_of(ReviewState.OPEN)])

    found = explain_run(story, span())

    assert [one.command for one in found.still_open] == ["proveout review show review-1"]


@pytest.mark.parametrize(
    ("story", "claim"),
    [
        (Story(run=run_of(), release="r2"), "signal"),
        (Story(run=run_of(RunState.DEAD), release="r2"), "poison"),
        (Story(run=run_of(RunState.DEAD, crashes=3), release="r2"), "poison"),
        (Story(run=run_of(RunState.PARKED), release="r2"), "worker-loss"),
        (
            Story(
                run=run_of(RunState.PARKED),
                release="r2",
                entries=[entry("pay", EntryKind.EFFECT, Pending())],
            ),
            "worker-loss",
        ),
        (
            Story(run=run_of(failure=Failure(type="APITimeoutError", message="")), release="r2"),
            MODEL_OUTAGE,
        ),
        (
            Story(
                run=run_of(),
                release="r2",
                calls=[
                    ModelCall(
                        id="c", caller=Caller(run=RunId("run-1"), fence=1, place=None),
                        provider="openai", asked="small", answered="", status=429, tokens=None,
                        cost=None, started=after(1), elapsed=1.0,
                    )
                ],
            ),
            MODEL_OUTAGE,
        ),
        (
            Story(
                run=run_of(RunState.SUCCEEDED),
                release="r2",
                reviews=[review_of(ReviewState.EXPIRED)],
            ),
            "review",
        ),
    ],
    ids=["own error", "last try", "crash", "other code", "doubt", "client", "status", "late"],
)  # fmt: skip
def test_the_drill_that_would_have_caught_it_follows_from_how_it_ended(
    story: Story, claim: str
) -> None:
    """Each way to come to harm belongs to the claim that speaks of it."""
    found = explain_run(story, span())

    assert [one.claim for one in found.lessons] == [claim]


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ([], "never drilled"),
        ([drilled("access")], "never drilled"),
        ([drilled("poison", release="a" * 64)], "drilled, but not on r2"),
        ([drilled("poison")], "passed on 2026-11-29: the drill did not hold what happened here"),
        (
            [drilled("poison"), drilled("poison", DrillResult.FAILED, ended=after(-30))],
            "FAILED on 2026-11-29",
        ),
    ],
    ids=["none", "another claim", "another release", "passed", "failed since"],
)
def test_the_lesson_says_what_its_drill_had_shown(evidence: list[Evidence], said: str) -> None:
    """A drill that passed and did not catch it is as telling as one that never ran."""
    story = Story(run=run_of(RunState.DEAD), release="r2")

    [lesson] = explain_run(story, span(evidence=evidence)).lessons

    assert lesson.standing == said


def test_since_a_moment_each_kind_of_trouble_is_told_once() -> None:
    """Twenty runs that ended alike are two moments, one lesson, and one command for all."""
    stories = [
        Story(
            run=run_of(RunState.DEAD, id=RunId(f"run-{n}"), updated=after(n)),
            release="r2",
        )
        for n in range(20)
    ]

    found = explain_since(stories, span())

    assert [one.subject for one in found.moments] == ["run-0", "run-19"]
    assert found.moments[1].what == "the last of 20 runs on r2 that ended like run-0"
    assert [(one.claim, one.runs) for one in found.lessons] == [("poison", 20)]
    assert [one.command for one in found.still_open] == ["proveout runs replay --state DEAD"]


def test_an_alert_is_told_from_its_first_moment_to_its_last() -> None:
    """Seen, told to people, over; one that nobody was told of yet has its first moment alone."""
    alert = Alert(
        id="alert-1", workflow="triage", rule=Rule.RUNS, severity=Severity.PAGE, summary="slow",
        detail="", since=after(1), held=after(4),
    )  # fmt: skip
    over = replace(alert, opened=after(2), resolved=after(5))

    assert [one.at for one in moments_of_alert(alert)] == [after(1)]
    assert [(one.at, one.weight) for one in moments_of_alert(over)] == [
        (after(1), Weight.TROUBLE),
        (after(2), Weight.PLAIN),
        (after(5), Weight.PLAIN),
    ]


def test_other_moments_stand_in_their_place() -> None:
    """What alerts or others know is read in the same order of time."""
    story = Story(run=run_of(), release="r2")
    heard = explain_run(story, span()).moments[0]
    alert = replace(heard, at=after(-1), weight=Weight.TROUBLE, what="an alert opened")

    found = explain_run(story, span(other=[alert]))

    assert found.first == alert
