"""Shapes of answers, for the description of the API; tests hold the answers to them."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

StageName = Literal["proof-of-concept", "production"]


class ErrorShape(TypedDict):
    """Why a run ended without a result."""

    type: str
    message: str
    step: str | None


class RunShape(TypedDict):
    """A run; `created` and `replays` where it was just asked for, `stage` where it stands alone."""

    schema: Literal["run.v1"]
    id: str
    workflow: str
    state: str
    key: str | None
    created_at: str
    updated_at: str | None
    attempts: int
    result: Any
    error: ErrorShape | None
    note: str | None
    pruned_at: str | None
    created: NotRequired[bool]
    replays: NotRequired[str]
    stage: NotRequired[StageName]


class SignalShape(TypedDict):
    """A signal that is durable."""

    schema: Literal["signal.v1"]
    run: str
    name: str
    stage: StageName


class RunsShape(TypedDict):
    """A page of runs; `next` is the cursor of the page that follows."""

    schema: Literal["runs.v1"]
    runs: list[RunShape]
    next: str | None
    stage: StageName


class JournalShape(TypedDict):
    """What a run has finished."""

    schema: Literal["journal.v1"]
    run: str
    entries: list[dict[str, Any]]
    stage: StageName


class FindingShape(TypedDict):
    """Something that speaks against a draft."""

    title: str
    why: str
    field: str
    start: int | None
    end: int | None
    blocking: bool
    fix: str
    open: bool


class ReviewShape(TypedDict):
    """A question to a person."""

    schema: Literal["review.v1"]
    id: str
    run: str
    queue: str
    state: str
    content: Any
    digest: str
    opened_at: str
    deadline: str | None
    approved: bool | None
    by: str | None
    reason: str | None
    code: str | None
    takes_effect_at: str | None
    claimed_by: str | None
    claimed_until: str | None
    snoozed_until: str | None
    assigned_to: str | None
    escalated_at: str | None
    escalated_by: str | None
    escalated_why: str | None
    draft: Any
    edited_by: str | None
    groups: list[str]
    four_eyes: bool
    approved_by: str | None
    requester: str | None
    confidence: float | None
    findings: list[FindingShape]
    stage: NotRequired[StageName]


class ReviewsShape(TypedDict):
    """A page of reviews."""

    schema: Literal["reviews.v1"]
    reviews: list[ReviewShape]
    next: str | None
    stage: StageName


class ToldShape(TypedDict):
    """Somebody was to be told."""

    to: str
    tier: int
    round: int
    at: str


class TakenShape(TypedDict):
    """Who has taken it."""

    by: str
    until: str


class NoticeShape(TypedDict):
    """What a channel was handed; accepted is not yet read."""

    id: str
    to: str
    kind: str
    accepted_at: str | None
    tries: int
    trouble: str | None


class AlertShape(TypedDict):
    """An objective or a rule that does not hold, or a review that nobody answers."""

    schema: Literal["alert.v1"]
    id: str
    rule: str
    severity: str
    state: str
    summary: str
    detail: str
    since: str
    resolved_at: str | None
    told: list[ToldShape]
    next_at: str | None
    acknowledged: TakenShape | None
    silenced: str | None
    follows_from: str | None
    notices: list[NoticeShape]


class SilenceShape(TypedDict):
    """Nobody is told of a rule, or of any, until it ends."""

    schema: Literal["silence.v1"]
    id: str
    rule: str | None
    by: str
    reason: str
    begins: str
    ends: str
    stage: NotRequired[StageName]


class AlertsShape(TypedDict):
    """Alerts, and the silences that hold."""

    schema: Literal["alerts.v1"]
    alerts: list[AlertShape]
    silences: list[SilenceShape]
    stage: StageName


class AcknowledgementShape(TypedDict):
    """Somebody has taken an alert, or a review."""

    schema: Literal["acknowledgement.v1"]
    subject: str
    by: str
    until: str
    stage: StageName


class CanaryShape(TypedDict):
    """A release that is limited to a share."""

    release: str
    share: float
    since: str


class PointerShape(TypedDict):
    """What serves."""

    version: int
    stable: str | None
    canary: CanaryShape | None
    changed_at: str | None


class WorkflowShape(TypedDict):
    """A workflow."""

    schema: Literal["workflow.v1"]
    name: str
    pointer: PointerShape
    stage: StageName


class ReleaseShape(TypedDict):
    """A release."""

    name: str
    digest: str
    workflow: str
    code: str
    environment: str
    created_at: str
    by: str
    manifest: Any


class ReleasesShape(TypedDict):
    """Every release of the workflow."""

    schema: Literal["releases.v1"]
    releases: list[ReleaseShape]
    next: str | None
    stage: StageName


class OneReleaseShape(ReleaseShape):
    """A release by itself."""

    schema: Literal["release.v1"]
    stage: StageName


class SignatureShape(TypedDict):
    """What a key says about an entry."""

    key: str
    value: str


class EntryShape(TypedDict):
    """A link of the chain."""

    seq: int
    at: str
    actor: str
    act: str
    subject: str
    facts: Any
    previous: str
    hash: str
    signature: SignatureShape


class OneEntryShape(EntryShape):
    """A link of the chain by itself."""

    schema: Literal["entry.v1"]
    stage: StageName


class LedgerShape(TypedDict):
    """A page of the ledger; `next` is the cursor of the page that follows."""

    schema: Literal["ledger.v1"]
    entries: list[EntryShape]
    next: int | None
    stage: StageName


class EvidenceShape(TypedDict):
    """What drills have shown."""

    schema: Literal["evidence.v1"]
    evidence: list[dict[str, Any]]
    next: str | None
    stage: StageName


class ProofShape(TypedDict):
    """What one drill has shown, with its digest; the rest is as the drill wrote it."""

    schema: Literal["proof.v1"]
    digest: str
    stage: StageName


class OneExperimentShape(TypedDict):
    """An experiment as it was locked."""

    id: str
    name: str
    workflow: str
    lock: str
    look: int
    order_seed: int
    dataset: str
    locked_at: str
    verdict: dict[str, Any] | None


class ExperimentsShape(TypedDict):
    """A page of experiments."""

    schema: Literal["experiments.v1"]
    experiments: list[OneExperimentShape]
    next: str | None
    stage: StageName


class UsedShape(TypedDict):
    """What the trials of an experiment have used."""

    trials: int
    calls: int
    calls_repeated: int
    reused: int
    model_calls: int
    tokens_read: int
    tokens_written: int
    cost_usd: float | None


class ExperimentShape(OneExperimentShape):
    """An experiment by itself, with what it locked."""

    schema: Literal["experiment.v1"]
    plan: Any
    used: UsedShape
    stage: StageName


class DeliveryShape(TypedDict):
    """A delivery that is durable; `run` is the run that it asked for."""

    schema: Literal["delivery.v1"]
    source: str
    event: str
    run: str | None
    created: bool
    kept_without_run: str | None


class HealthShape(TypedDict):
    """How the server is."""

    status: Literal["lives", "ready"]


class ProblemShape(TypedDict):
    """What broke, why, and the next move; problem details by RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    why: str
    fix: list[str]
    stage: NotRequired[StageName]
