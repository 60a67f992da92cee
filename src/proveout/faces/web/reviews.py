"""Reviews: what waits for a person, and the one item to decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.domain.desk import needs_second, person
from proveout.domain.review import OnExpiry, ReviewState
from proveout.faces.web.drafts import draft_of, same
from proveout.faces.web.frame import Section
from proveout.faces.web.marked import Note, notes_of

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from proveout.domain.review import Review
    from proveout.faces.web.drafts import Draft
    from proveout.run.stamp import Stamp

AFTER = {
    OnExpiry.PARK: "then the run is parked",
    OnExpiry.REJECT: "then the draft is rejected",
}

PRUNED = draft_of(b'"What was to be decided was pruned."')
"""Shown in the place of a draft that is gone."""

START = 90
"""Characters of a draft that a list shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """One review in the queue.

    Attributes:
        step: name of the step that asks.
        deadline: None where it waits for ever.
        start: the beginning of the draft.
        why: what stands beside it in a list: what was found, or how sure the workflow is.
        holder: who has claimed it; "" for nobody.
    """

    id: str
    queue: str
    run: str
    step: str
    opened: datetime
    deadline: datetime | None
    start: str
    why: str = ""
    holder: str = ""
    is_escalated: bool = False
    assigned_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """A decision on another page that who looks at this one made, and can still take back.

    Attributes:
        word: "approved", "edited" or "rejected".
        start: the beginning of the draft.
        left: the time for which it can be undone.
    """

    id: str
    word: str
    start: str
    left: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsPage:
    """The reviews that are open, the nearest deadline first.

    Attributes:
        queue: what the list is narrowed to; "" for all.
        queues: names of all queues.
        only: "snoozed" or "escalated", where the list holds no others.
        following: the last row, where more follow; "" where none do.
        is_first: whether it is the first page.
        stamps: people whose approvals are no check any more.
        lately: what who looks at it decided last, while it can be undone.
    """

    template: ClassVar[str] = "reviews.html.j2"
    is_live: ClassVar[bool] = True
    section: ClassVar[Section] = Section.REVIEWS

    rows: tuple[ReviewRow, ...]
    queue: str = ""
    queues: tuple[str, ...] = ()
    only: str = ""
    following: str = ""
    is_first: bool = True
    stamps: tuple[Stamp, ...] = ()
    lately: Undoable | None = None

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A decision that was made.

    Attributes:
        word: "approved", "edited", "rejected" or "expired".
        draft: what was approved where it is not the draft itself, else None.
    """

    word: str
    by: str
    at: datetime | None
    reason: str = ""
    draft: Draft | None = None
    code: str = ""
    first: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who looks at a review, and what is known beside it.

    Attributes:
        is_meant: they are one of those whom it is for.
        reasons: codes of which a rejection names one.
        people: names of those to whom the review can be assigned.
        groups: names of the groups to which it can be.
        lately: what they decided last of others, while it can be undone.
        past: what people made of drafts of this queue lately, by word.
    """

    name: str
    now: datetime
    is_meant: bool = True
    reasons: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    lately: Undoable | None = None
    past: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """One review: the draft whole, and the ways to decide on exactly it.

    Attributes:
        digest: of the draft that is shown; the decision carries it back.
        after: what follows when nobody answers in time.
        made: the decision, where there is one.
        release: name of the run's release; "" where it is not known.
        value: the run's input; None where it is not to be shown.
        others: what else waits, this one among them.
        refused: why what was just sent was not taken; "" where nothing was.
        is_edited: somebody's text stands in the form for edits, and is not saved.
        wrong: the field of a form that `refused` is about; "" where it is about none.
    """

    template: ClassVar[str] = "review.html.j2"
    section: ClassVar[Section] = Section.REVIEWS

    id: str
    state: ReviewState
    queue: str
    run: str
    step: str
    opened: datetime
    deadline: datetime | None
    after: str
    digest: str
    draft: Draft
    made: Made | None = None
    release: str = ""
    value: Draft | None = None
    others: tuple[ReviewRow, ...] = ()
    refused: str = ""
    is_edited: bool = False
    wrong: str = ""
    review: Review
    reader: Reader
    notes: tuple[Note, ...] = ()
    original: Draft | None = None

    @property
    def title(self) -> str:
        """What the page is called."""
        return f"Review {self.id}"

    @property
    def is_open(self) -> bool:
        """Whether it can be decided."""
        return self.review.is_waiting

    @property
    def holder(self) -> str:
        """Who works on it; "" for nobody."""
        return self.review.holder(self.reader.now) if self.is_open else ""

    @property
    def is_mine(self) -> bool:
        """Whether who looks at it has claimed it."""
        return self.holder == self.reader.name != ""

    @property
    def blocks(self) -> tuple[Note, ...]:
        """What forbids to approve it."""
        return tuple(one for one in self.notes if one.blocking)

    @property
    def why_not(self) -> str:
        """Why who looks at it may decide nothing; "" where they may."""
        if not self.reader.is_meant:
            return f"It is for {', '.join(self.review.groups)}."
        if self.holder and not self.is_mine:
            return f"{self.holder} works on it."
        return ""

    @property
    def is_second_needed(self) -> bool:
        """Whether an approval by who looks at it waits for somebody else's."""
        return needs_second(self.review, self.reader.name)

    @property
    def is_undoable(self) -> bool:
        """Whether who looks at it can take back what they decided."""
        review, me = self.review, self.reader.name
        if self.is_open:
            return review.approved_by == me != ""
        return undoable(review, me, self.reader.now) is not None

    @property
    def spent(self) -> float:
        """The share of the time to decide that has gone, 0 to 1."""
        if self.deadline is None or self.deadline <= self.opened:
            return 0.0
        gone = (self.reader.now - self.opened) / (self.deadline - self.opened)
        return min(1.0, max(0.0, gone))

    @property
    def before(self) -> ReviewRow | None:
        """The one before it in the queue."""
        return self._beside(-1)

    @property
    def behind(self) -> ReviewRow | None:
        """The one behind it in the queue; the first where it waits no more."""
        return self._beside(1)

    def _beside(self, step: int) -> ReviewRow | None:
        places = [place for place, row in enumerate(self.others) if row.id == self.id]
        if not places:
            return self.others[0] if self.others and step > 0 else None
        place = places[0] + step
        return self.others[place] if 0 <= place < len(self.others) else None

    @property
    def status(self) -> str:
        """What it is called where it stands: how it was decided, once it was."""
        return self.state.value if self.made is None else self.made.word


def review_row(review: Review) -> ReviewRow:
    """Return a review as the queue shows it."""
    return ReviewRow(
        id=review.id,
        queue=review.queue,
        run=review.run,
        step=review.place.name,
        opened=review.opened,
        deadline=review.deadline,
        start=_start(PRUNED if review.is_pruned else draft_of(review.content)),
        why=_why(review),
        holder=review.claimed_by,
        is_escalated=review.escalated is not None,
        assigned_to=review.assigned_to,
    )


def undoable(review: Review, name: str, now: datetime) -> Undoable | None:
    """Return the decision on a review if that person made it and can still take it back."""
    until, made = review.takes_effect, _made(review)
    if until is None or until <= now or made is None or person(made.by) != name:
        return None
    start = _start(PRUNED if review.is_pruned else draft_of(review.content))
    return Undoable(id=review.id, word=made.word, start=start, left=until - now)


def _why(review: Review) -> str:
    """Return in a few words why a person sees it."""
    if review.open_findings:
        first, *more = sorted(review.open_findings, key=lambda one: not one.blocking)
        return f"{first.title} +{len(more)}" if more else first.title
    if review.terms.confidence is not None:
        return f"confidence {review.terms.confidence:.2f}"
    if review.terms.share is not None:
        return f"sample {100 * review.terms.share:.3g} %"
    return review.queue


def review_page(
    review: Review,
    others: tuple[ReviewRow, ...] = (),
    *,
    reader: Reader | None = None,
    release: str = "",
    value: bytes | None = None,
    refused: str = "",
) -> ReviewPage:
    """Return the page of a review.

    Args:
        review: as the store holds it now.
        others: what else waits.
        reader: who looks at it; nobody in particular where it is not said.
        release: name of the run's release.
        value: the run's input, as bytes of JSON.
        refused: why a decision just sent was not taken.
    """
    return ReviewPage(
        id=review.id,
        state=review.state,
        queue=review.queue,
        run=review.run,
        step=review.place.name,
        opened=review.opened,
        deadline=review.deadline,
        after=AFTER[review.on_expiry],
        digest=review.digest,
        draft=PRUNED if review.is_pruned else draft_of(review.content),
        made=_made(review),
        review=review,
        reader=reader or Reader(name="", now=review.opened),
        notes=() if review.is_pruned else notes_of(review),
        original=draft_of(review.original) if review.original else None,
        release=release,
        value=None if value is None else draft_of(value),
        others=others,
        refused=refused,
    )


def _made(review: Review) -> Made | None:
    answer = review.answer
    if answer is None:
        return None
    is_edit = answer.approved and not review.is_pruned and not same(answer.content, review.draft)
    word = "edited" if is_edit else "approved" if answer.approved else "rejected"
    return Made(
        word="expired" if answer.expired else word,
        by=answer.by,
        at=review.decided,
        reason=answer.reason,
        draft=draft_of(answer.content) if is_edit and not review.original else None,
        code=answer.code,
        first=answer.first,
    )


def _start(draft: Draft) -> str:
    """Return the beginning of a draft in one line: its longest text, for that says most."""
    prose = [part.text for part in draft.parts if part.is_prose]
    text = max(prose, key=len) if prose else draft.parts[0].text
    line = " ".join(text[: START * 4].split())
    return line if len(line) <= START else f"{line[:START].rstrip()}…"
