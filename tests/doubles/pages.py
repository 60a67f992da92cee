"""Pages of the console, with facts as a store gives them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from doubles.account import STORIES, account_of
from doubles.alert_pages import ALERT, ALERTS, LINK, LINK_TAKEN, NO_ALERTS, OVER, TAKEN
from doubles.models import called
from doubles.people_pages import (
    ACCESS,
    ACCOUNT,
    ELSEWHERE,
    FACTOR,
    FIRST_KEY,
    NO_KEYS,
    WITH_CODES,
    WRONG_CODE,
)
from proveout.domain.access import Actor, Role
from proveout.domain.guardrail import Finding
from proveout.domain.journal import Entry, EntryKind, Pending, Place, Raised, Returned
from proveout.domain.release import Canary, Halt, Pointer, ReleaseDigest, Share, Stage
from proveout.domain.review import Answer, Review, ReviewId, ReviewState, Terms
from proveout.domain.run import Failure, Run, RunId, RunState
from proveout.faces.web.doors import CodePage, LoginPage, TroublePage, WelcomePage
from proveout.faces.web.drafts import draft_of, retyped
from proveout.faces.web.frame import Flash, Frame, Tone
from proveout.faces.web.ledger import LedgerPage, LedgerRow
from proveout.faces.web.overview import (
    Concern,
    Count,
    InFlightRow,
    NextStep,
    Overview,
    PathStep,
    ServingCard,
)
from proveout.faces.web.readiness import ClaimRow, Gate, ReadinessPage
from proveout.faces.web.releases import PointerMove, ReleaseRow, ReleasesPage
from proveout.faces.web.reviews import Reader, ReviewsPage, Undoable, review_page, review_row
from proveout.faces.web.run_detail import run_page
from proveout.faces.web.runs import RunRow, RunsPage
from proveout.faces.web.traffic import Hour, Tile, begun, spark, traffic_of
from proveout.faces.web.verdict import NoVerdict, verdict_page
from proveout.ports.measure import Minute
from proveout.prove.foresee import foresee
from proveout.prove.layout import Layout
from proveout.run.stamp import Stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.faces.web.frame import Page

NOW = datetime(2026, 11, 22, 12, 42, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
CSRF = "csrf-4f1d0c"
ONCE = "w-77f0"

FRAME = Frame(
    workflow="support-triage",
    stage=Stage.PRODUCTION,
    experiment="reply-drafting",
    now=NOW,
    zone=BERLIN,
    csrf=CSRF,
    actor=Actor(name="ana", role=Role.OWNER),
    waiting=7,
    claims=(13, 18),
)
PROOF = replace(FRAME, stage=Stage.PROOF_OF_CONCEPT)
VIEWER = replace(FRAME, actor=Actor(name="bo", role=Role.VIEWER))
OUTSIDE = replace(FRAME, actor=None)
HALTED = replace(
    FRAME,
    halt=Halt(
        workflow="support-triage",
        scope="workflow",
        since=NOW - timedelta(minutes=4),
        by="ana",
        reason="refunds go out twice",
    ),
    flash=Flash(text="The workflow is halted. No effect begins until somebody resumes it."),
)


def digest(text: str) -> str:
    """Return a digest as they look."""
    return hashlib.sha256(text.encode()).hexdigest()


def ago(**time: float) -> datetime:
    """Return a moment before now."""
    return NOW - timedelta(**time)


RUN_ROWS = tuple(
    RunRow(
        id=f"01JD48{77 - index}",
        state=state,
        release=release,
        created=ago(minutes=2 + 7 * index, hours=index**2),
        elapsed=elapsed,
        start=start,
    )
    for index, (state, release, elapsed, start) in enumerate(
        [
            (RunState.RUNNING, "r14", None, "Password reset does not arrive"),
            (RunState.QUEUED, "", None, "Where is parcel 90113? It was due on Tuesday."),
            (RunState.SUCCEEDED, "r14", 8.94, "Refund for order 90112"),
            (RunState.WAITING, "r13", None, "Cancel my contract today"),
            (RunState.FAILED, "r13", 31.2, "Invoice missing VAT number"),
            (RunState.DEAD, "r13", 0.41, "Great, the third broken cup in a row. You people are"),
            (RunState.PARKED, "r12", 75.0, "Data deletion request"),
            (RunState.CANCELLED, "r12", 1.2, "Change of address"),
        ]
    )
)
SERVING = ServingCard(
    stable="r13",
    canary="r14",
    share=0.1,
    since=ago(minutes=24),
    back_to="r13",
    in_flight=InFlightRow(release="r14", runs=3, oldest=timedelta(minutes=4)),
)
PATH = (
    PathStep(
        name="Prove", status="DONE", note="GO after 294 cases", href="/verdict/reply-drafting"
    ),
    PathStep(name="Run", status="DONE", note="r13, effects live since 2 Sep", href="/runs"),
    PathStep(name="Release", status="NOW", note="r14 in canary at 10%", href="/releases"),
    PathStep(name="Watch", status="AHEAD", note="no objective declared"),
    PathStep(name="Ready", status="BLOCKED", note="13 of 18 claims pass", href="/readiness"),
)
OVERVIEW = Overview(
    summary="In production since 2 Sep 2026. Release r13 serves, r14 is in canary.",
    path=PATH,
    next=NextStep(
        command="proveout drill worker-loss", why="its evidence expired 3 days ago; about 40 s"
    ),
    serving=SERVING,
    counts=tuple(
        Count(state=state, number=number, is_least=number == 1000)
        for state, number in zip(RunState, (12, 3, 7, 1, 1000, 21, 4, 0), strict=True)
    ),
    queue_age=timedelta(seconds=3),
    concerns=(
        Concern(title="7 reviews wait", note="the nearest deadline in 8 min 42 s", href="/reviews"),
        Concern(
            title="4 dead letters nobody has run again",
            note="newest: TimeoutError, the model did not answer within 30 s",
            href="/dead",
            tone=Tone.NO,
        ),
        Concern(title="1 run is parked", note="its review expired", href="/runs?q=state:parked"),
    ),
    recent=RUN_ROWS[:5],
    tiles=(
        Tile(
            name="Runs per minute",
            figure="42.6",
            note="2,556 in the last hour",
            line=spark([38 + 9 * ((7 * n) % 11) / 10 for n in range(60)]),
            href="/runs",
        ),
        Tile(
            name="Failed",
            figure="0.82",
            unit="%",
            note="21 runs in the last hour",
            line=spark([(n % 7 == 0) + (n > 50) * (n % 3) for n in range(60)]),
        ),
        Tile(name="Oldest in the queue", figure="3 s", note="objective: done in 30 s"),
        Tile(name="Models, last 24 h", figure="$31.20", note="$0.0151 a run"),
        Tile(
            name="Waiting for review",
            figure="7",
            note="the next: 8 min 42 s left",
            tone=Tone.WAIT,
            href="/reviews",
        ),
        Tile(name="Alerts", figure="2", note="wait for somebody", tone=Tone.NO, href="/alerts"),
    ),
    traffic=traffic_of(
        Hour(
            NOW,
            tuple(
                Minute(
                    start=begun(ago(minutes=59 - n)), release=release, ended=ended, failed=failed
                )
                for n in range(60)
                for release, ended, failed in (
                    ("stable", 40 + (5 * n) % 9, int(n % 9 == 4)),
                    ("canary", (n >= 36) * (4 + n % 2), (n > 50) * (n % 3)),
                )
            ),
        ),
        Pointer(
            workflow="support-triage",
            version=4,
            stage=Stage.PRODUCTION,
            stable=ReleaseDigest("stable"),
            canary=Canary(
                release=ReleaseDigest("canary"),
                share=Share(points=1_000),
                salt="salt",
                since=ago(minutes=24),
            ),
        ),
        {"stable": "r13", "canary": "r14"},
        [(ago(minutes=24), "r14 canary, 10%")],
    ),
)
FIRST_DAY = Overview(
    summary="A proof of concept: named testers only, effects captured.",
    path=tuple(
        PathStep(name=name, status="NOW" if name == "Prove" else "AHEAD", note=note)
        for name, note in [
            ("Prove", "no trial yet; 10 days, 3,000 calls"),
            ("Run", "on the draft"),
            ("Release", "none yet"),
            ("Watch", "after the gate"),
            ("Ready", "0 of 16 claims pass"),
        ]
    ),
    next=NextStep(command="proveout prove", why="is the idea worth more work? About 110 calls."),
    serving=ServingCard(),
    counts=tuple(Count(state=state, number=0) for state in RunState),
    queue_age=None,
    concerns=(),
    recent=(),
)

MAIL = (
    "Hello, you charged me twice for order 88213 on Tuesday (2 × €149.00). My card ends in 4417."  # noqa: RUF001 - as people write
    " I wrote on Wednesday and nobody answered. Please refund one of the two today.\n\nBest, Ana"
)
REPLY = (
    "Dear Ana,\n\nI am sorry for the double charge on order 88213 and for the silence since"
    " Wednesday. I can see both payments of €149.00 on the card ending in 4417.\n\nOne of them is"
    " refunded now; your bank shows it in 3 to 5 days. You do not need to write to them."
    "\n\nKind regards, Support"
)


def entry(name: str, after: float, elapsed: float, outcome: Any, **changes: Any) -> Entry:
    """Return an entry of a journal that began `after` seconds into the run."""
    usual: dict[str, Any] = {
        "place": Place(changes.pop("path", ""), name, 0),
        "kind": EntryKind.STEP,
        "digest": digest(name)[:32],
        "arguments": json.dumps([{"subject": "Refund for a double charge", "language": "en"}]),
        "outcome": outcome,
        "started": ago(minutes=20) + timedelta(seconds=after),
        "elapsed": elapsed,
    }
    return Entry(**{**usual, **changes})


RUN = Run(
    id=RunId("01JD4812"),
    workflow="support-triage",
    value=json.dumps({"from": "ana@example.com", "text": MAIL}, ensure_ascii=False).encode(),
    created=ago(minutes=20, seconds=2),
    due=None,
    state=RunState.WAITING,
    fence=2,
    key="msg-88213",
    updated=ago(minutes=19),
)
LABEL = json.dumps({"label": "refund", "confidence": 0.58}).encode()
JOURNAL = (
    entry("read mail", 0.0, 0.24, Returned(b'{"words": 50, "language": "en"}')),
    entry("classify", 0.26, 1.9, Returned(LABEL)),
    entry("find order", 2.2, 0.41, Returned(b'{"order": 88213, "paid": 2}'), path="0.0"),
    entry("find customer", 2.2, 0.62, Returned(b'{"since": "2021-04-02"}'), path="0.1"),
    entry("draft reply", 2.9, 4.3, Returned(json.dumps(REPLY).encode()), tries=2),
    entry("wait for bank", 7.3, 300.0, Returned(b"null"), kind=EntryKind.SLEEP),
    entry("refund", 307.4, 0.9, Returned(b'{"refunded": 149.0}'), kind=EntryKind.CAPTURED),
    entry("approve reply", 308.4, 0.0, Pending(None), kind=EntryKind.REVIEW, tries=0),
)
CALLS = tuple(
    called(name, run=RUN.id, cost=cost, place=Place("", step, 0))
    for name, cost, step in (
        ("c1", "0.0004", "classify"),
        ("c2", "0", "draft reply"),
        ("c3", "0.0082", "draft reply"),
    )
)
FAILED_RUN = replace(
    RUN,
    id=RunId("01JD4875"),
    state=RunState.FAILED,
    key=None,
    elapsed=31.2,
    failure=Failure(
        type="TimeoutError",
        message="the model did not answer within 30 s",
        traceback='Traceback (most recent call last):\n  File "app.py", line 12, in draft\n'
        "TimeoutError",
        step="draft reply",
    ),
)
FAILED_JOURNAL = (
    JOURNAL[0],
    JOURNAL[1],
    entry("send receipt", 2.2, 0.3, Returned(b"true"), kind=EntryKind.EFFECT),
    entry(
        "draft reply",
        2.6,
        28.4,
        Raised(Failure(type="TimeoutError", message="the model did not answer within 30 s")),
        tries=3,
    ),
)

DRAFT = json.dumps(
    {"category": "refund", "priority": 2, "reply": REPLY}, ensure_ascii=False
).encode()


def review(name: str, content: bytes = DRAFT, **changes: Any) -> Review:
    """Return an open review."""
    usual: dict[str, Any] = {
        "id": ReviewId(name),
        "run": RUN.id,
        "place": Place("", "approve reply", 0),
        "queue": "support",
        "content": content,
        "digest": hashlib.sha256(content).hexdigest(),
        "opened": ago(minutes=21),
        "deadline": NOW + timedelta(minutes=8, seconds=42),
    }
    return Review(**{**usual, **changes})


def waiting(text: str, minutes: float, queue: str = "support") -> Review:
    """Return a review of a plain text with some time left."""
    return review(
        f"01JE0{int(minutes)}",
        json.dumps(text).encode(),
        queue=queue,
        deadline=NOW + timedelta(minutes=minutes),
    )


OPEN = review("01JE0008")
QUEUE = tuple(
    map(
        review_row,
        (
            OPEN,
            waiting(
                "Your contract ends on 30 November; the last invoice follows.", 13, "contracts"
            ),
            waiting("Invoice 2291 is corrected and attached.", 17, "billing"),
            waiting("The parcel left Leipzig this morning.", 22),
            replace(waiting("All data held about you is deleted.", 24, "privacy"), deadline=None),
            waiting("I am sorry for the third cup.", -6),
        ),
    )
)
SPAN = REPLY.index("double charge")
FOUND = replace(
    OPEN,
    terms=Terms(confidence=0.58, groups=("leads",), four_eyes=True, requester="shop"),
    findings=(
        Finding(
            title="Personal data",
            why="A number of an order is named.",
            field="reply",
            start=0,
            end=8,
        ),
        Finding(
            title="Promise not in policy",
            why="Refund policy §3 says otherwise.",
            field="reply",
            start=SPAN,
            end=SPAN + len("double charge"),
            blocking=True,
            fix="charge",
        ),
        Finding(title="Tone", why="Curt for a third mail."),
    ),
    claimed_by="bo",
    claimed_until=NOW + timedelta(minutes=9),
    state=ReviewState.CLAIMED,
)
READER = Reader(
    name="bo",
    now=NOW,
    reasons=("wrong facts", "tone", "against policy"),
    past=(("approved", 31), ("edited", 9), ("rejected", 2)),
    people=("ana", "bo"),
    groups=("leads",),
)
LATELY = Undoable(
    id="01JE0007",
    word="approved",
    start="The parcel left Leipzig this morning.",
    left=timedelta(seconds=7.4),
)
TYPED = ("refund", "12,5x", "Dear Ana, it is on its way.")
WRONG_EDIT = replace(
    review_page(
        OPEN,
        QUEUE,
        reader=READER,
        refused='The field "priority" is to be a number, such as 12.5.',
    ),
    draft=retyped(draft_of(DRAFT), "fields", "", TYPED),
    is_edited=True,
    wrong="field-2",
)
STAMPED = Stamp(by="bo", decisions=20, approved=20, median=timedelta(seconds=2.4))
APPROVED = replace(
    OPEN,
    state=ReviewState.DECIDED,
    answer=Answer(
        approved=True, content=DRAFT.replace(b"3 to 5", b"3 to 7"), by="bo", reason="policy 3"
    ),
    decided=ago(minutes=1),
)
REJECTED = replace(
    OPEN,
    state=ReviewState.DECIDED,
    answer=Answer(approved=False, content=DRAFT, by="bo", reason="We never promise days."),
    decided=ago(minutes=1),
)

CLAIMS = (
    ClaimRow(
        name="signal",
        says="the experiment says GO on what this release executes",
        status="PROVEN",
        observed="GO after 294 cases, worth included",
        evidence=digest("signal"),
        until=NOW + timedelta(days=22),
        owner="ana",
    ),
    ClaimRow(
        name="worker-loss",
        says="no run is lost or doubled when a worker is killed",
        status="EXPIRED",
        observed="recovery off: 14 lost; on: 0, 0 doubled; the evidence is 33 days old",
        evidence=digest("worker-loss"),
        until=ago(days=3),
        command="proveout drill worker-loss",
        owner="bo",
    ),
    ClaimRow(
        name="duplicates",
        says="the same webhook twice has one effect",
        status="PROVEN",
        observed="dedup off: 31 doubled; on: 0",
        evidence=digest("duplicates"),
        until=NOW + timedelta(days=23),
        owner="bo",
    ),
    ClaimRow(
        name="rollback",
        says="the old release serves within a second",
        status="MISSING",
        observed="",
        command="proveout drill rollback",
        owner="bo",
    ),
    ClaimRow(
        name="guardrails",
        says="what must not pass does not pass",
        status="FAILED",
        observed="guardrail off: 40 passed; on: 1 of 40 passed",
        evidence=digest("guardrails"),
        command="proveout drill guardrails",
        owner="ana",
    ),
    ClaimRow(
        name="ownership",
        says="owner, operator, reviewer and support are named and reachable",
        status="CLAIMED",
        observed="a note of 4 Nov, no test page was answered",
        command="proveout drill ownership",
    ),
    ClaimRow(
        name="restore",
        says="state comes back from a backup",
        status="WAIVED",
        observed="waived by ana and bo: the first backup runs on 1 Dec",
        until=NOW + timedelta(days=8),
        owner="ana",
    ),
    ClaimRow(
        name="escalation",
        says="an unanswered alert reaches a person",
        status="NOT NEEDED",
        observed="profile internal asks for no escalation",
    ),
)
FACTS = (
    "Does a drafted reply save three minutes a mail at 95% correct routing?",
    "GO at 95.7%, worth $0.31 a mail, 294 of 900 cases",
    "The release plan of 14 Nov: 5 claims open, 6 hours of work",
    "Overbuilding: 2 of 5 weeks went into a login page",
    "Rollback was never drilled; nobody is paged at night",
)
READINESS = ReadinessPage(
    facts=FACTS,
    bar="Production bar, version 1, profile internal",
    claims=CLAIMS,
    gate=Gate(
        release="r14",
        digest=digest("r14"),
        reason="4 claims of the bar do not pass.",
    ),
    checked=NOW,
    next="proveout drill worker-loss",
)
READY = replace(
    READINESS,
    claims=tuple(one for one in CLAIMS if one.passes),
    gate=Gate(
        release="r14",
        digest=digest("r14"),
        assumptions=("English only", "under 200 mails a day"),
    ),
)
PROMOTED = replace(
    READINESS,
    gate=Gate(
        release="r14",
        digest=digest("r14"),
        reason="already in production",
        passed="Promoted by ana on 2 Sep 2026, on the evidence of 16 claims.",
    ),
)

RELEASES = ReleasesPage(
    serving=SERVING,
    rows=(
        ReleaseRow(
            name="r15", digest=digest("r15"), created=ago(minutes=6), by="ana", state="CREATED"
        ),
        ReleaseRow(
            name="r14",
            digest=digest("r14"),
            created=ago(hours=5),
            by="ana",
            state="CANARY",
            share=0.1,
            in_flight=3,
            oldest=timedelta(minutes=4),
        ),
        ReleaseRow(
            name="r13",
            digest=digest("r13"),
            created=ago(days=4),
            by="bo",
            state="STABLE",
            share=0.9,
            in_flight=41,
            oldest=timedelta(minutes=2),
        ),
        ReleaseRow(
            name="r12",
            digest=digest("r12"),
            created=ago(days=30),
            by="ana",
            state="DRAINING",
            in_flight=1,
            oldest=timedelta(days=2, hours=4),
        ),
        ReleaseRow(
            name="r11", digest=digest("r11"), created=ago(days=400), by="ana", state="RETIRED"
        ),
    ),
    history=(
        PointerMove(
            at=ago(minutes=24), by="ana", act="canary 10%", before="r13", after="r13, r14 at 10%"
        ),
        PointerMove(
            at=ago(days=1),
            by="proveout",
            act="rollback",
            before="r13, r14 at 10%",
            after="r13",
            note="failures, evidence 214 against 100; 6 runs in flight finish",
        ),
        PointerMove(at=ago(days=4), by="bo", act="promote", before="", after="r13"),
    ),
)

ACTS = (
    ("canary", "r14 at 10%", "ana"),
    ("review approved", "01JE0008", "bo"),
    ("drill passed", "duplicates, control failed as it must", "ana"),
    ("rollback", "r14 to r13, 6 runs in flight finish", "proveout"),
    ("release created", "r14", "ana"),
    ("waive", "restore until 30 Nov, second person bo", "ana"),
    ("verdict", "reply-drafting: GO", "proveout"),
)
LEDGER = LedgerPage(
    rows=tuple(
        LedgerRow(
            seq=1482 - index,
            at=ago(minutes=24 + 90 * index, days=index),
            actor=actor,
            act=act,
            subject=subject,
            hash=digest(f"{index}{act}"),
        )
        for index, (act, subject, actor) in enumerate(ACTS)
    ),
    older="1475",
)

TROUBLE = TroublePage(
    status=404,
    code="no-such",
    message="there is no run 01JD9999",
    why="its id may belong to another store, or it was removed after its keeping time",
    fix=("proveout runs list", "proveout config show"),
)


def verdict_of(name: str, **changes: Any) -> Page:
    """Return the page of one of the stories of an experiment."""
    account = account_of(STORIES[name])
    page = verdict_page(account, foresee(account.plan, Layout(order=account.order)))
    return replace(page, **changes)


PAGES: Mapping[str, tuple[Page, Frame]] = {
    "overview": (OVERVIEW, FRAME),
    "overview, first day": (FIRST_DAY, replace(PROOF, waiting=0, claims=None)),
    "overview, halted": (OVERVIEW, HALTED),
    "overview, halted, for a viewer": (OVERVIEW, replace(HALTED, actor=VIEWER.actor)),
    "runs": (RunsPage(rows=RUN_ROWS, older="01JD4870"), FRAME),
    "runs, a bad query": (
        RunsPage(
            rows=(),
            query='stat:failed error:"took too long',
            problem='at character 1: nothing is asked for by "stat:"; perhaps "state:"; a query may'
            " hold state:, workflow:, release:, since:, error:, id:, key:.",
        ),
        FRAME,
    ),
    "runs, failed": (RunsPage(rows=RUN_ROWS[4:5], query="state:failed", before="x"), FRAME),
    "runs, none": (RunsPage(rows=()), PROOF),
    "run, waiting": (run_page(RUN, JOURNAL, "r14", NOW, BERLIN, calls=CALLS), FRAME),
    "run, cancelled": (
        run_page(
            replace(RUN, state=RunState.CANCELLED, updated=ago(minutes=5)),
            JOURNAL,
            "r14",
            NOW,
            BERLIN,
        ),
        FRAME,
    ),
    "run, failed": (run_page(FAILED_RUN, FAILED_JOURNAL, "r13", NOW, BERLIN), FRAME),
    "run, queued": (
        run_page(replace(RUN, state=RunState.QUEUED, fence=0), (), "", NOW, BERLIN),
        VIEWER,
    ),
    "verdict, go": (verdict_of("go on six criteria", others=("tone", "tone-2")), FRAME),
    "verdict, no-go": (verdict_of("no-go beside a rival"), FRAME),
    "verdict, undecided": (verdict_of("undecided, out of budget"), PROOF),
    "verdict, not a case": (verdict_of("not a case yet"), PROOF),
    "no verdict": (NoVerdict(experiment="reply-drafting"), PROOF),
    "reviews": (ReviewsPage(rows=QUEUE, queues=("billing", "contracts", "support")), FRAME),
    "reviews, of many": (
        ReviewsPage(
            rows=(replace(QUEUE[0], is_escalated=True), replace(QUEUE[1], holder="bo"), *QUEUE[2:]),
            queues=("billing", "support"),
            queue="support",
            following="01JE0009",
            is_first=False,
            stamps=(STAMPED,),
        ),
        FRAME,
    ),
    "review, blocked": (review_page(FOUND, QUEUE, reader=READER, release="r14"), FRAME),
    "review, of another": (
        review_page(FOUND, QUEUE, reader=replace(READER, name="cy")),
        FRAME,
    ),
    "review, escalated": (
        review_page(
            replace(
                FOUND,
                state=ReviewState.OPEN,
                claimed_by="",
                claimed_until=None,
                escalated=ago(minutes=3),
                escalated_by="bo",
                escalated_why="above my limit",
                approved_by="cy",
                assigned_to="leads",
                content=json.dumps({"category": "refund", "reply": "Dear Ana"}).encode(),
                original=DRAFT,
                edited_by="cy",
            ),
            QUEUE,
            reader=READER,
        ),
        FRAME,
    ),
    "review, undoable": (
        review_page(
            replace(
                APPROVED,
                answer=Answer(approved=True, content=DRAFT, by="bo"),
                takes_effect=NOW + timedelta(seconds=9),
            ),
            QUEUE[1:],
            reader=READER,
        ),
        FRAME,
    ),
    "review, wrong edit": (WRONG_EDIT, FRAME),
    "review, edited by another": (
        review_page(replace(OPEN, original=DRAFT, edited_by="nina"), reader=READER),
        FRAME,
    ),
    "review, wrong person": (
        replace(
            review_page(OPEN, QUEUE, reader=READER, refused="Nobody and no group is called cy."),
            wrong="to",
        ),
        FRAME,
    ),
    "review, after another": (
        review_page(OPEN, QUEUE, reader=replace(READER, lately=LATELY)),
        FRAME,
    ),
    "reviews, after one": (ReviewsPage(rows=QUEUE, queues=("support",), lately=LATELY), FRAME),
    "reviews, none": (ReviewsPage(rows=()), replace(FRAME, waiting=0)),
    "review": (review_page(OPEN, QUEUE, release="r14", value=RUN.value), FRAME),
    "review, for a viewer": (review_page(OPEN, QUEUE), VIEWER),
    "review, edited": (review_page(APPROVED, QUEUE[1:]), FRAME),
    "review, too late": (
        review_page(REJECTED, QUEUE[1:], refused="It was rejected by bo a minute ago."),
        FRAME,
    ),
    "alerts": (ALERTS, replace(FRAME, alerting=3)),
    "alerts, for a viewer": (ALERTS, VIEWER),
    "alerts, none": (NO_ALERTS, FRAME),
    "alert": (ALERT, FRAME),
    "alert, taken, for a viewer": (TAKEN, VIEWER),
    "alert, over": (OVER, FRAME),
    "link of a notice": (LINK, OUTSIDE),
    "link of a notice, taken": (LINK_TAKEN, OUTSIDE),
    "readiness": (READINESS, PROOF),
    "readiness, open": (READY, PROOF),
    "readiness, promoted": (PROMOTED, FRAME),
    "readiness, for a viewer": (READY, replace(PROOF, actor=VIEWER.actor)),
    "releases": (RELEASES, FRAME),
    "releases, none": (ReleasesPage(serving=ServingCard(), rows=(), history=()), PROOF),
    "ledger": (LEDGER, FRAME),
    "ledger, none": (LedgerPage(rows=()), PROOF),
    "access": (ACCESS, FRAME),
    "access, a new key": (FIRST_KEY, FRAME),
    "access, no keys": (NO_KEYS, PROOF),
    "account": (ACCOUNT, FRAME),
    "account, with codes": (WITH_CODES, FRAME),
    "second factor": (FACTOR, FRAME),
    "second factor, wrong code": (WRONG_CODE, VIEWER),
    "account, known elsewhere": (ELSEWHERE, VIEWER),
    "login": (LoginPage(), OUTSIDE),
    "login, wrong": (
        LoginPage(name="ana", problem="Name and password do not belong together.", back="/runs"),
        OUTSIDE,
    ),
    "code": (CodePage(), OUTSIDE),
    "code, wrong": (CodePage(problem="The code is not right.", back="/runs"), OUTSIDE),
    "welcome": (WelcomePage(token=ONCE), replace(OUTSIDE, stage=Stage.PROOF_OF_CONCEPT)),
    "trouble": (TROUBLE, FRAME),
    "trouble, for a viewer": (
        TroublePage(
            status=403,
            code="no-right",
            message="bo may not administer",
            why="a viewer may read",
            fix=("ask an owner",),
        ),
        VIEWER,
    ),
    "trouble, outside": (replace(TROUBLE, fix=()), OUTSIDE),
}
"""Every page in every state worth seeing, by name."""
