"""Traces: a run as spans, read from its journal once it has ended.

The names of the GenAI attributes are our own constants: the convention is in development, and
moved out of the packages that held it. What it has no name for is called `proveout.*`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from proveout.domain.journal import ANSWERED_BY_OTHERS, EntryKind, Raised, Returned
from proveout.domain.run import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from proveout.domain.journal import Entry
    from proveout.domain.model_call import ModelCall
    from proveout.domain.run import Run

Attribute: TypeAlias = str | int | float | bool

CONVENTION = "semantic-conventions-genai, development, 2026-11"
"""The version of the convention that the names below are of; told on the resource."""

OPERATION = "gen_ai.operation.name"
WORKFLOW = "gen_ai.workflow.name"
PROVIDER = "gen_ai.provider.name"
ASKED = "gen_ai.request.model"
ANSWERED = "gen_ai.response.model"
READ = "gen_ai.usage.input_tokens"
WRITTEN = "gen_ai.usage.output_tokens"
CACHED = "gen_ai.usage.cache_read.input_tokens"
STORED = "gen_ai.usage.cache_creation.input_tokens"
TOOL = "gen_ai.tool.name"
ERROR = "error.type"

FAILED = frozenset({RunState.FAILED, RunState.DEAD})
"""How a run ends that did not do what it was asked; who cancels one gets what they asked."""

LEAST_ERROR = 400
MOST_BODY = 8_000
"""Characters of a body that are told, where they are told at all."""

WAITS = ANSWERED_BY_OTHERS | {EntryKind.SLEEP, EntryKind.RACE}
"""What only waits: for a person, for others or for the clock. It is no error however it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stretch of a run.

    Attributes:
        id: 16 hexadecimal digits; the same for the same stretch, whoever reads it.
        parent: the span that it is a part of; "" for the run itself.
        calls_out: whether it waits for somebody outside, such as a model.
        error: the kind of error that it ended with; "" for none.
    """

    trace: str
    id: str
    parent: str
    name: str
    start: datetime
    end: datetime
    calls_out: bool = False
    error: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])


def trace_id(run: str) -> str:
    """Return the 32 hexadecimal digits of a run's trace: made of its id, so anybody finds it."""
    return _digest(f"trace of {run}", 32)


def spans_of(
    run: Run, entries: Sequence[Entry], calls: Sequence[ModelCall], *, bodies: bool = False
) -> list[Span]:
    """Return the trace of a run that has ended: itself, its steps, and their calls of models.

    Args:
        run: it.
        entries: its journal.
        calls: its calls of models, those of lost attempts too.
        bodies: whether inputs, results and words of errors are told; nothing that people or
            models wrote is, otherwise.
    """
    trace, root = trace_id(run.id), _digest(run.id, 16)
    steps = {str(entry.place): entry for entry in entries if entry.kind is not EntryKind.CHANGED}
    return [
        _of_run(run, trace, root, bodies=bodies),
        *(_of_entry(run, trace, entry, root, bodies=bodies) for entry in steps.values()),
        *(_of_call(run, trace, call, root, steps) for call in calls),
    ]


def _of_run(run: Run, trace: str, root: str, *, bodies: bool) -> Span:
    attributes: dict[str, Attribute] = {
        OPERATION: "invoke_workflow",
        WORKFLOW: run.workflow,
        "proveout.run.id": run.id,
        "proveout.run.state": run.state.value,
        "proveout.run.attempts": run.fence,
        "proveout.release": run.release or "",
    }
    error = ""
    if run.state in FAILED:
        error = run.failure.type if run.failure is not None else "crashed"
        attributes["proveout.step.failed"] = run.failure.step if run.failure is not None else ""
    if bodies:
        attributes |= _bodies(run)
    return Span(
        trace=trace,
        id=root,
        parent="",
        name=f"invoke_workflow {run.workflow}",
        start=run.created,
        end=run.updated or run.created,
        error=error,
        attributes=attributes,
    )


def _bodies(run: Run) -> dict[str, Attribute]:
    told = {"proveout.run.input": run.value, "proveout.run.result": run.result}
    found: dict[str, Attribute] = {
        name: _text(value) for name, value in told.items() if value is not None
    }
    if run.failure is not None:
        found["exception.message"] = run.failure.message[:MOST_BODY]
    return found


def _of_entry(run: Run, trace: str, entry: Entry, root: str, *, bodies: bool) -> Span:
    attributes: dict[str, Attribute] = {
        "proveout.run.id": run.id,
        "proveout.step.name": entry.place.name,
        "proveout.step.kind": entry.kind.value,
        "proveout.step.tries": entry.tries,
    }
    if entry.kind in {EntryKind.EFFECT, EntryKind.CAPTURED}:
        attributes |= {OPERATION: "execute_tool", TOOL: entry.place.name}
    if bodies:
        attributes["proveout.step.arguments"] = entry.arguments[:MOST_BODY]
        if isinstance(entry.outcome, Returned):
            attributes["proveout.step.result"] = _text(entry.outcome.value)
    failed = isinstance(entry.outcome, Raised) and entry.kind not in WAITS
    return Span(
        trace=trace,
        id=_digest(f"{run.id} {entry.place}", 16),
        parent=root,
        name=f"{entry.kind.value} {entry.place.name}",
        start=entry.started,
        end=entry.started + timedelta(seconds=entry.elapsed),
        error=entry.outcome.failure.type if failed and isinstance(entry.outcome, Raised) else "",
        attributes=attributes,
    )


def _of_call(run: Run, trace: str, call: ModelCall, root: str, steps: Mapping[str, Entry]) -> Span:
    place = None if call.caller.place is None else str(call.caller.place)
    known: dict[str, Attribute | None] = {
        "proveout.run.id": run.id,
        "proveout.run.attempt": call.caller.fence,
        OPERATION: "chat",
        PROVIDER: call.provider,
        ASKED: call.asked,
        ANSWERED: call.answered or None,
        "http.response.status_code": call.status or None,
        "proveout.cost_usd": None if call.cost is None else float(call.cost),
    }
    if call.tokens is not None:
        known |= {
            READ: call.tokens.read,
            WRITTEN: call.tokens.written,
            CACHED: call.tokens.cached,
            STORED: call.tokens.stored,
        }
    error = str(call.status or "no answer")
    return Span(
        trace=trace,
        id=_digest(f"{run.id} call {call.id}", 16),
        parent=_digest(f"{run.id} {place}", 16) if place in steps else root,
        name=f"chat {call.asked}",
        start=call.started,
        end=call.started + timedelta(seconds=call.elapsed),
        calls_out=True,
        error="" if 0 < call.status < LEAST_ERROR else error,
        attributes={name: value for name, value in known.items() if value is not None},
    )


def _text(value: bytes) -> str:
    return value[: 4 * MOST_BODY].decode(errors="replace")[:MOST_BODY]


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
