"""More pages of the console, with facts as a store gives them: what stands beside `pages`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from doubles.pages import FRAME, NOW, OVERVIEW, PAGES, PROOF, VIEWER, ago, digest
from proveout.domain.run import RunState
from proveout.faces.report.untrusted import excerpt
from proveout.faces.web.compare import Compared, ComparePage, PairRow
from proveout.faces.web.datasets import CaseRow, DatasetCard, DatasetsPage
from proveout.faces.web.dead import DeadPage, DeadRow, ReplayPage, Told
from proveout.faces.web.deliveries import DeliveriesPage, DeliveryPage, DeliveryRow
from proveout.faces.web.drills import DrillRow, DrillsPage, Going
from proveout.faces.web.experiments import Ahead, ExperimentsPage, LookRow
from proveout.faces.web.gather_canary import ladder
from proveout.faces.web.plan import PlanPage, PlanRow
from proveout.faces.web.release_detail import ReleasePage
from proveout.faces.web.releases import CanaryCard, ReleasesPage
from proveout.faces.web.settings_page import SettingsPage, setting, tables
from proveout.faces.word_changes import word_changes
from proveout.release.difference import Act, Changed, Difference, FileChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.faces.web.frame import Frame, Page

LOOKS = tuple(
    LookRow(
        experiment=name,
        look=look,
        status=status,
        cases=cases,
        calls=cases + 12,
        in_flight=in_flight,
        spent=spent,
        dataset=digest(name),
        locked=ago(days=days),
        is_newest=is_newest,
    )
    for name, look, status, cases, in_flight, spent, days, is_newest in (
        ("reply-drafting", 3, "RUNNING", 212, 8, "$3.1840", 0.2, True),
        ("routing", 1, "GO", 294, 0, "$6.2200", 4, True),
        ("reply-drafting", 2, "NO-GO", 164, 0, "$2.4600", 9, False),
        ("reply-drafting", 1, "UNDECIDED", 900, 0, "", 41, False),
    )
)
CARD = DatasetCard(
    file="cases.jsonl",
    digest=digest("cases"),
    cases=900,
    expected=882,
    sources=41,
    tags=(("refund", 214), ("parcel", 190), ("invoice", 77), ("exceptional", 12)),
    first=tuple(
        CaseRow(
            id=f"mail-{number}",
            value=excerpt(text),
            expected=None if right is None else excerpt(right),
            tags=(),
        )
        for number, (text, right) in enumerate(
            (
                ("Where is parcel 90113? It was due on Tuesday.", "parcel"),
                ("I was charged twice for order 88213. " * 90, "refund"),
                ("مرحبا، أين طلبي؟", None),
            ),
            1,
        )
    ),
    used_by=("reply-drafting", "routing"),
    looked_at=3,
)
DEAD = tuple(
    DeadRow(
        id=f"01JD48{number}",
        error=error,
        step=step,
        start=start,
        release="r13",
        attempts=attempts,
        ended=ago(minutes=7 * number),
        is_pruned=number == 3,
        replay="01JD4901" if number == 2 else "",
        replayed=RunState.WAITING if number == 2 else None,
    )
    for number, (error, step, start, attempts) in enumerate(
        (
            ("TimeoutError: the model did not answer within 30 s", "draft", "Refund for 90112", 8),
            ("WorkerCrashed: it took its worker down 3 times", "", "A" * 90 + "…", 3),
            ("ValueError: no such order", "look_up", "pruned on 2026-10-02", 8),
        ),
        1,
    )
)
REPLAY = ReplayPage(
    id="01JD4861",
    state=RunState.DEAD,
    error="TimeoutError: the model did not answer within 30 s",
    value='{\n  "from": "ana",\n  "text": "Refund for 90112"\n}',
    typed='{\n  "from": "ana",\n  "text": "Refund for 90112"\n}',
    releases=("r13", "r14", "draft"),
)
DELIVERIES = tuple(
    DeliveryRow(
        source=source,
        event=event,
        type=type_,
        received=ago(minutes=minutes),
        is_test=is_test,
        size=size,
        is_pruned=not size,
    )
    for source, event, type_, minutes, is_test, size in (
        ("shop", "evt_3QxJ7f2eZvKYlo2C", "charge.refunded", 2, False, 1_893),
        ("shop", "evt_3QxJ7f2eZvKYlo2D", "", 9, True, 404),
        ("crm", "msg_2k5", "ticket.created", 90, False, 0),
    )
)
GOING = Going(
    claim="worker-loss",
    title="no run is lost when a worker dies",
    release="r14",
    by="ana",
    started=ago(minutes=1),
    told=ago(seconds=4),
    lines=(
        "13:41:02  200 runs queued on sandbox tools",
        "13:41:09  killed 3 workers, 61 runs in flight",
    ),
    takes=timedelta(minutes=3),
)
DRILLS = (
    DrillRow(
        claim="worker-loss",
        does="kills workers between and inside steps",
        takes=timedelta(minutes=3),
        command="proveout drill worker-loss",
        result="PASSED",
        control="failed",
        summary="recovery off: 61 lost; on: 0",
        release="r13",
        at=ago(days=3),
        by="ana",
    ),
    DrillRow(
        claim="duplicates",
        does="sends the same webhook twice, at once and after its end",
        takes=timedelta(seconds=50),
        command="proveout drill duplicates",
        result="PASSED",
        control="did not fail",
        summary="dedup off: 0 twice; on: 0",
        release="r14",
        at=ago(hours=2),
        by="ben",
    ),
    DrillRow(
        claim="review",
        does="answers late, twice and forged",
        takes=timedelta(minutes=1),
        command="proveout drill review",
        result="ABORTED",
        summary="its process broke off",
        at=ago(hours=1),
        by="ben",
    ),
    DrillRow(
        claim="model-outage",
        does="time-outs, 429, 500, malformed and empty answers",
        takes=timedelta(minutes=5),
        command="proveout drill model-outage",
        is_made=False,
    ),
)
CANARY = CanaryCard(
    release="r14",
    share=0.1,
    since=ago(minutes=24),
    ladder=ladder([(0.01, ago(hours=2)), (0.1, ago(minutes=24))], 0.1),
    requests=1_012,
    of_canary=101,
    failures=9,
    canary_failures=2,
    evidence=0.31,
    is_worse=False,
    to_find=265,
    hours=6.2,
    hold=NOW + timedelta(days=2),
)
WINDOW_ENDS = NOW + timedelta(weeks=12)
PLAN = PlanPage(
    release="r14",
    rows=tuple(
        PlanRow(
            claim=claim,
            title=title,
            status=status,
            now=why,
            owner=owner,
            command=f"proveout drill {claim}",
            drill="3 min",
            needs=needs,
            by=NOW + timedelta(days=days),
            fits=days < 84,
            left=left,
            width=width,
        )
        for claim, title, status, why, owner, needs, days, left, width in (
            (
                "rollback",
                "the way back works",
                "FAILED",
                "2 runs began on it",
                "ana",
                "2 days",
                2,
                0,
                0.02,
            ),
            (
                "store-restart",
                "what was acknowledged outlives a restart of the store",
                "MISSING",
                "never drilled",
                "ben",
                "5 days",
                7,
                0.02,
                0.06,
            ),
            (
                "load",
                "it holds the peak",
                "EXPIRED",
                "older than 30 days",
                "not known yet",
                "20 min",
                96,
                0.7,
                0.3,
            ),
        )
    ),
    kept=12,
    made=NOW,
    ends=WINDOW_ENDS,
    done=NOW + timedelta(days=96),
    window=0.875,
)
FILE = {
    "workflow": {"name": "support-triage", "entry": "app:answer", "assumptions": ["English only"]},
    "prove": {
        "dataset": "cases.jsonl",
        "budget": {"calls": 900, "money": "20 USD"},
        "criteria": [{"name": "right", "score": "exact", "floor": 0.85}],
        "candidates": {"vendor": {"url": "https://me:hidden@vendor.example/v1", "api_key": "k-1"}},
    },
    "sources": {"shop": {"scheme": "stripe", "secret_env": "SHOP_SECRET"}},
}
SETTINGS = SettingsPage(
    file="/srv/support/proveout.toml",
    tables=tables(FILE),
    environment=(setting("PROVEOUT_STORE", "postgresql://me:pw@db.internal/proveout"),),
    engine="0.1.0",
    store="postgresql://••••••@db.internal/proveout",
)


def pair(case: str, a: str, b: str, better: str) -> PairRow:
    """Return what both sides made of a case."""
    return PairRow(
        case=case,
        value=excerpt("I was charged twice for order 88213."),
        expected=excerpt("refund"),
        a=excerpt(a),
        b=excerpt(b),
        a_score="0" if better == "b" else "1",
        b_score="1" if better == "b" else "0",
        a_run="01JD4801",
        b_run="01JD4802",
        changes=word_changes(a, b),
    )


COMPARED = Compared(
    a="vendor",
    b="workflow",
    by="right",
    lead="workflow is ahead of vendor by 4.1 points, 1.2 to 7.0; of these cases",
    cases=294,
    even=271,
    alone=12,
    reused=0,
    regressions=(pair("mail-17", "We refund it today.", "We look into it today.", "a"),),
    improvements=(pair("mail-4", "parcel", "refund, in 3 to 5 bank days", "b"),),
    worse=9,
    better=14,
)
COMPARE = ComparePage(
    experiments=("reply-drafting", "routing"),
    experiment="reply-drafting",
    candidates=("workflow", "vendor"),
    criteria=("right", "tone"),
    a="vendor",
    b="workflow",
    found=COMPARED,
)
releases, _ = PAGES["releases"]
assert isinstance(releases, ReleasesPage)

PROMPT = """\
@@ -1,4 +1,5 @@
 You answer mails of customers.
-Write at most eighty words.
+Write at most one hundred and twenty words, and say what happens next.
+\tNever promise a date.
 Be kind.
""".splitlines()
RELEASE = ReleasePage(
    row=releases.rows[1],
    code=digest("code"),
    packages=digest("packages"),
    is_kept=True,
    entry="support_triage.workflow:answer",
    python="3.11",
    files=tuple((name, digest(name)) for name in ("prompts/reply.txt", "support_triage.py")),
    others=("r15", "r13", "r12"),
    against="r13",
    found=Difference(
        declared=(Changed(name="scores", before="", after='["app:kind"]'),),
        packages=(
            Changed(name="openai", before="3.57.0 (9f31ab20)", after="3.58.0 (0c11d2e9)"),
            Changed(name="tiktoken", before="", after="0.13.0 (77ab01fe)"),
        ),
        files=(
            FileChange(name="prompts/reply.txt", act=Act.CHANGED, lines=tuple(PROMPT)),
            FileChange(name="prompts/logo.png", act=Act.REMOVED, note="no text"),
        ),
    ),
)

CONSOLE_PAGES: Mapping[str, tuple[Page, Frame]] = {
    "experiments": (
        ExperimentsPage(
            question="Does a drafted reply save three minutes a mail?",
            rows=LOOKS,
            ahead=(Ahead(name="tone", asks="Is it kind?", criteria=2, candidates=1),),
        ),
        FRAME,
    ),
    "experiments, none": (ExperimentsPage(question="", rows=(), ahead=()), PROOF),
    "datasets": (
        DatasetsPage(
            cards=(CARD, DatasetCard(file="gone.jsonl", problem="gone.jsonl: cannot be read"))
        ),
        FRAME,
    ),
    "datasets, none": (DatasetsPage(cards=()), PROOF),
    "compare": (COMPARE, FRAME),
    "release": (RELEASE, FRAME),
    "release, the first": (replace(RELEASE, others=(), against="", found=None), VIEWER),
    "release, the same": (
        replace(RELEASE, found=Difference(declared=(), packages=(), files=())),
        FRAME,
    ),
    "release, broken": (
        replace(RELEASE, found=None, problem="the snapshot of this release is broken: cut short"),
        FRAME,
    ),
    "release, other packages": (
        replace(RELEASE, found=Difference(declared=(), packages=None, files=()), is_kept=False),
        FRAME,
    ),
    "compare, nothing": (
        replace(
            COMPARE,
            found=None,
            problem="Reply-drafting has no candidate beside the workflow.",
            commands=("proveout compare reply-drafting --before",),
        ),
        FRAME,
    ),
    "compare, none": (ComparePage(), PROOF),
    "dead": (DeadPage(rows=DEAD, older="01JD4801"), FRAME),
    "dead, told": (
        DeadPage(
            rows=DEAD,
            told=(
                Told(run="01JD4861", said="is replayed, with new keys", new="01JD4999"),
                Told(run="01JD4862", said="run 01JD4862 was replayed", is_refused=True),
            ),
        ),
        FRAME,
    ),
    "dead, for a viewer": (DeadPage(rows=DEAD), VIEWER),
    "dead, all run again": (DeadPage(rows=DEAD[1:2]), FRAME),
    "dead, none": (DeadPage(rows=()), VIEWER),
    "replay": (REPLAY, FRAME),
    "replay, told": (
        replace(REPLAY, told=Told(run="01JD4861", said="would be replayed, with new keys")),
        FRAME,
    ),
    "replay, for a viewer": (replace(REPLAY, problem="the input is not JSON."), VIEWER),
    "deliveries": (
        DeliveriesPage(rows=DELIVERIES, sources=("shop", "crm"), older=("crm", "msg_2k5")),
        FRAME,
    ),
    "deliveries, no source": (DeliveriesPage(rows=()), PROOF),
    "deliveries, none": (DeliveriesPage(rows=(), sources=("shop",)), PROOF),
    "delivery": (
        DeliveryPage(
            row=DELIVERIES[0],
            headers=(("content-type", "application/json"), ("stripe-signature", "…")),
            body='{"id": "evt_3QxJ7f2eZvKYlo2C", "amount": 1200}',
            run="01JD4861",
            state=RunState.SUCCEEDED,
        ),
        FRAME,
    ),
    "drills": (
        DrillsPage(going=(GOING, replace(GOING, claim="load", is_silent=True)), rows=DRILLS),
        FRAME,
    ),
    "drills, none": (DrillsPage(going=(), rows=DRILLS[3:]), PROOF),
    "releases, canary": (replace(releases, canary=CANARY), FRAME),
    "releases, canary, for a viewer": (replace(releases, canary=CANARY), VIEWER),
    "releases, to begin": (replace(releases, candidates=("r15", "r14")), FRAME),
    "overview, long ids": (
        replace(
            OVERVIEW,
            recent=tuple(
                replace(one, id=f"01a22fde5788007b4978{number:06}")
                for number, one in enumerate(OVERVIEW.recent)
            ),
        ),
        FRAME,
    ),
    "plan": (PLAN, FRAME),
    "plan, done": (replace(PLAN, rows=()), FRAME),
    "settings": (SETTINGS, FRAME),
    "settings, changed": (replace(SETTINGS, changed=True, tables=(), environment=()), PROOF),
}
