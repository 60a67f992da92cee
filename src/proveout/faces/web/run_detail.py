"""One run: its facts, its input and result, and the line of its steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from proveout.domain.journal import EntryKind, Pending, Raised, Returned
from proveout.domain.run import RunState
from proveout.faces.usage import say_calls
from proveout.faces.web.frame import Section, Tone
from proveout.faces.web.moments import full_time, took
from proveout.faces.web.timeline import Stretch, timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from proveout.domain.journal import Entry
    from proveout.domain.model_call import ModelCall
    from proveout.domain.review import Review
    from proveout.domain.run import Failure, Run
    from proveout.faces.web.timeline import Mark, Place

KINDS = {
    EntryKind.STEP: ("step", "step"),
    EntryKind.EFFECT: ("effect", "effect"),
    EntryKind.CAPTURED: ("captured", "captured effect"),
    EntryKind.REVIEW: ("person", "review"),
    EntryKind.SLEEP: ("moon", "sleep"),
    EntryKind.SIGNAL: ("person", "signal"),
    EntryKind.RACE: ("step", "race"),
    EntryKind.CHANGED: ("step", "changed code"),
}
"""Sign and words of each kind of entry."""

WAITS = frozenset({EntryKind.REVIEW, EntryKind.SLEEP, EntryKind.SIGNAL})
QUIET = frozenset({EntryKind.RACE, EntryKind.CHANGED})
"""What is no work: its bar looks like that of a step."""
START = 120
"""Characters of an outcome that its line shows."""

BARS = ("step", "effect", "captured", "wait", "pending", "failed")
"""How bars look, in the order of their legend."""

REPLAYABLE = frozenset({RunState.FAILED, RunState.DEAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One entry of the journal on the line.

    Attributes:
        look: class of its bar: "step", "effect", "captured", "wait", "failed" or "pending".
        place: where on the line it lies.
        path: the branch in which it ran; "" for the main one.
        took: how long it took, or has waited so far, in words.
        arguments: the beginning of the arguments, as JSON text.
        outcome: what came of it, in a word or two.
        value: what it returned, as JSON text, or how it failed; "" while it waits.
        models: what its calls of models took, in words; "" where it made none.
    """

    name: str
    sign: str
    kind: str
    look: str
    tone: Tone
    place: Place
    path: str
    started: datetime
    took: str
    tries: int
    arguments: str
    outcome: str
    value: str
    models: str = ""

    @property
    def start(self) -> str:
        """The beginning of what came of it, in one line; "" while it waits."""
        return " ".join(self.value[: START * 2].split())[:START]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """One run, whole.

    Attributes:
        attempts: how often it was claimed.
        key: the caller's own name for the request; "" where none was given.
        value: the input, as JSON text.
        result: what it returned, as JSON text; "" before the end.
        note: why it is parked; "" where it is not.
        total: from its creation to its last change, in words.
        marks: the moments that the axis of the line names.
        is_folded: waits are drawn shorter than they took.
        replay_of: id of the run that this one repeats; "" where there is none.
        reuses: id of the run whose answer this trial takes over; "" where it was called.
        pruned: when its payloads were removed; None while they are there.
        models: what its calls of models took, in words; "" where it made none.
        asks: id of the review that it waits for; "" where it waits for none.
        because: why a person rejected its draft; "" where nobody did.
        trace: address of its trace in the viewer that people use; "" where nobody named one.
    """

    template: ClassVar[str] = "run_detail.html.j2"
    section: ClassVar[Section] = Section.RUNS
    is_live: ClassVar[bool] = True

    id: str
    state: RunState
    release: str
    key: str
    attempts: int
    created: datetime
    updated: datetime | None
    elapsed: float | None
    value: str
    result: str
    failure: Failure | None
    note: str
    steps: tuple[StepRow, ...] = ()
    marks: tuple[Mark, ...] = ()
    is_folded: bool = False
    replay_of: str = ""
    reuses: str = ""
    pruned: datetime | None = None
    models: str = ""
    asks: str = ""
    because: str = ""
    trace: str = ""

    @property
    def has_trace(self) -> bool:
        """Whether somebody named a viewer that a browser reaches."""
        return urlsplit(self.trace).scheme in {"https", "http"}

    @property
    def title(self) -> str:
        """What the page is called."""
        return f"Run {self.id}"

    @property
    def looks(self) -> tuple[str, ...]:
        """The looks of all bars, for their legend."""
        found = {one.look for one in self.steps}
        return tuple(look for look in BARS if look in found)

    @property
    def can_cancel(self) -> bool:
        """Whether a move to CANCELLED is left."""
        return not self.state.is_final

    @property
    def can_replay(self) -> bool:
        """Whether it ended in a way that is worth another run."""
        return self.state in REPLAYABLE and self.pruned is None


def run_page(
    run: Run,
    entries: Sequence[Entry],
    release: str,
    now: datetime,
    zone: tzinfo,
    *,
    calls: Sequence[ModelCall] = (),
    reviews: Sequence[Review] = (),
) -> RunPage:
    """Return the page of a run.

    Args:
        run: as the store holds it.
        entries: its journal.
        release: name of its release; "" before its first claim.
        now: until when what waits is drawn, unless the run has ended.
        zone: in which the times in sentences are said.
        calls: the models that it called.
        reviews: what it asked people.
    """
    ordered = sorted(entries, key=lambda one: one.started)
    if run.state.is_final:
        now = run.updated or now  # what had not ended by then ended with the run
    asked = {one.place: one for one in reviews}
    stretches = [_stretch(one, asked.get(one.place), now) for one in ordered]
    line = timeline(stretches)
    rejected = [one.answer for one in reviews if one.answer and not one.answer.approved]
    return RunPage(
        id=run.id,
        state=run.state,
        release=release,
        key=run.key or "",
        attempts=run.fence,
        created=run.created,
        updated=run.updated,
        elapsed=run.elapsed,
        value=_text(run.value),
        result="" if run.result is None else _text(run.result),
        failure=run.failure,
        note=run.note,
        replay_of="" if run.trial else run.origin or "",
        reuses=(run.origin or "") if run.trial else "",
        pruned=run.pruned,
        models=say_calls(calls),
        asks=next((one.id for one in reviews if one.is_waiting), ""),
        because=rejected[-1].reason or rejected[-1].code if run.failure and rejected else "",
        steps=()
        if line is None
        else tuple(
            replace(
                _row(one, stretch, line.place(*stretch[:2]), zone, is_over=run.state.is_final),
                models=say_calls([call for call in calls if call.caller.place == one.place]),
            )
            for one, stretch in zip(ordered, stretches, strict=True)
        ),
        marks=() if line is None else line.marks(),
        is_folded=line is not None and line.is_folded,
    )


def _stretch(entry: Entry, asked: Review | None, now: datetime) -> Stretch:
    """Return from when to when something took place; a wait for people until they decided."""
    if isinstance(entry.outcome, Pending):
        end = max(now, entry.started)
    elif asked is not None and asked.decided is not None:
        end = max(asked.decided, entry.started)
    else:
        end = entry.started + timedelta(seconds=max(0.0, entry.elapsed))
    return Stretch(entry.started, end, entry.kind not in WAITS)


def _row(entry: Entry, stretch: Stretch, place: Place, zone: tzinfo, *, is_over: bool) -> StepRow:
    sign, kind = KINDS[entry.kind]
    look = "wait" if entry.kind in WAITS else entry.kind.value
    look = "step" if entry.kind in QUIET else look
    tone, outcome, value = Tone.PLAIN, "returned", ""
    match entry.outcome:
        case Returned(value=returned):
            value = _text(returned)
        case Raised(failure=failure):
            tone, look, outcome = Tone.NO, "failed", "failed"
            value = f"{failure.type}: {failure.message}"
        case Pending() if is_over and entry.kind in WAITS:
            outcome = "the wait ended with the run"
        case Pending(due=due):
            tone, look = Tone.WAIT, "pending"
            outcome = _pending(entry.kind) if due is None else f"waits until {full_time(due, zone)}"
    return StepRow(
        name=str(entry.place.name),
        sign=sign,
        kind=kind,
        look=look,
        tone=tone,
        place=place,
        path=entry.place.path,
        started=entry.started,
        took=took((stretch.end - stretch.start).total_seconds()),
        tries=entry.tries,
        arguments=entry.arguments,
        outcome=outcome,
        value=value,
    )


def _pending(kind: EntryKind) -> str:
    """Return what something waits for that has no deadline."""
    if kind is EntryKind.EFFECT:
        return "begun, outcome unknown"
    return "waits for a signal" if kind is EntryKind.SIGNAL else "waits for a person"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
