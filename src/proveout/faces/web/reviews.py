"""Reviews: what waits for a person, and the one item to decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.domain.review import OnExpiry, ReviewState
from proveout.faces.web.drafts import draft_of, same
from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.review import Review
    from proveout.faces.web.drafts import Draft

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
    """

    id: str
    queue: str
    run: str
    step: str
    opened: datetime
    deadline: datetime | None
    start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsPage:
    """The reviews that are open, the nearest deadline first.

    Attributes:
        queue: what the list is narrowed to; "" for all.
        queues: names of all queues.
    """

    template: ClassVar[str] = "reviews.html.j2"
    section: ClassVar[Section] = Section.REVIEWS

    rows: tuple[ReviewRow, ...]
    queue: str = ""
    queues: tuple[str, ...] = ()

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
        refused: why the decision just sent was not taken; "" where none was.
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

    @property
    def title(self) -> str:
        """What the page is called."""
        return f"Review {self.id}"

    @property
    def is_open(self) -> bool:
        """Whether it can be decided."""
        return self.state is ReviewState.OPEN

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
    )


def review_page(
    review: Review,
    others: tuple[ReviewRow, ...] = (),
    *,
    release: str = "",
    value: bytes | None = None,
    refused: str = "",
) -> ReviewPage:
    """Return the page of a review.

    Args:
        review: as the store holds it now.
        others: what else waits.
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
        release=release,
        value=None if value is None else draft_of(value),
        others=others,
        refused=refused,
    )


def _made(review: Review) -> Made | None:
    answer = review.answer
    if answer is None:
        return None
    is_edit = answer.approved and not review.is_pruned and not same(answer.content, review.content)
    word = "edited" if is_edit else "approved" if answer.approved else "rejected"
    return Made(
        word="expired" if answer.expired else word,
        by=answer.by,
        at=review.decided,
        reason=answer.reason,
        draft=draft_of(answer.content) if is_edit else None,
    )


def _start(draft: Draft) -> str:
    """Return the beginning of a draft in one line: its longest text, for that says most."""
    prose = [part.text for part in draft.parts if part.is_prose]
    text = max(prose, key=len) if prose else draft.parts[0].text
    line = " ".join(text[: START * 4].split())
    return line if len(line) <= START else f"{line[:START].rstrip()}…"
