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
    stage: NotRequired[StageName]


class ReviewsShape(TypedDict):
    """A page of reviews."""

    schema: Literal["reviews.v1"]
    reviews: list[ReviewShape]
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
