"""What people may do with a review, as a table of values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from proveout.domain.desk import (
    Objection,
    ToAssign,
    ToClaim,
    ToEdit,
    ToEscalate,
    ToRelease,
    ToSnooze,
    ToUndo,
    decide,
    handle,
)
from proveout.domain.guardrail import Finding
from proveout.domain.journal import Place
from proveout.domain.review import (
    Answer,
    Review,
    ReviewId,
    ReviewState,
    SelfApproval,
    Terms,
    content_digest,
)
from proveout.domain.run import RunId

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=10)
AT_ONCE = timedelta(0)
HOLD = timedelta(seconds=10)
DRAFT = b'"You have it tomorrow."'
EDIT = b'"You have it in five days."'


def asked(**changes: object) -> Review:
    """Return an open review of the draft."""
    review = Review(
        id=ReviewId("r"),
        run=RunId("run"),
        place=Place("", "review", 0),
        queue="refunds",
        content=DRAFT,
        digest=content_digest(DRAFT),
        opened=NOW - LEASE,
    )
    return replace(review, **changes)  # pyright: ignore[reportArgumentType]


def yes(by: str, content: bytes = DRAFT) -> Answer:
    """Return an approval."""
    return Answer(approved=True, content=content, by=by)


def no(by: str) -> Answer:
    """Return a rejection."""
    return Answer(approved=False, content=DRAFT, by=by, reason="wrong")


def answered(review: Review, answer: Answer, hold: timedelta = AT_ONCE) -> Review:
    """Return the review once that answer was taken."""
    after = decide(review, review.digest, answer, NOW, hold)
    assert isinstance(after, Review), after
    return after


def handled(review: Review, act: ToClaim | ToEdit | ToUndo | ToAssign, by: str) -> Review:
    """Return the review once that was done with it."""
    after = handle(review, act, by, NOW)
    assert isinstance(after, Review), after
    return after


def test_a_claim_keeps_others_out_until_its_lease_ends() -> None:
    """While one works on it nobody else decides or takes it; after the lease anybody may."""
    review = handled(asked(), ToClaim(LEASE), "ana")

    assert (review.state, review.claimed_by) == (ReviewState.CLAIMED, "ana")
    assert handle(review, ToClaim(LEASE), "jo", NOW) is Objection.HELD
    assert decide(review, review.digest, yes("jo"), NOW, AT_ONCE) is Objection.HELD
    assert isinstance(decide(review, review.digest, yes("ana"), NOW, AT_ONCE), Review)
    later = handle(review, ToClaim(LEASE), "jo", NOW + LEASE)
    assert isinstance(later, Review)
    assert later.claimed_by == "jo"


@pytest.mark.parametrize(
    "act", [ToRelease(), ToSnooze(LEASE), ToEscalate("not mine"), ToAssign("jo")]
)
def test_handing_it_on_frees_it(act: ToRelease | ToSnooze | ToEscalate | ToAssign) -> None:
    """Whoever gives it up holds it no more."""
    after = handle(handled(asked(), ToClaim(LEASE), "ana"), act, "ana", NOW)

    assert isinstance(after, Review)
    assert (after.state, after.claimed_by) == (ReviewState.OPEN, "")


def test_only_the_holder_releases_but_anybody_hands_on() -> None:
    """A claim of somebody who is ill is taken from them by assigning it to another."""
    review = handled(asked(), ToClaim(LEASE), "ana")

    assert handle(review, ToRelease(), "jo", NOW) is Objection.HELD
    assert handle(asked(), ToRelease(), "jo", NOW) is Objection.NOT_YOURS
    assert handled(review, ToAssign("jo"), "lead").assigned_to == "jo"


def test_escalating_says_who_when_and_why() -> None:
    """Those who are told know where it comes from."""
    after = handle(asked(), ToEscalate("above my limit"), "ana", NOW)

    assert isinstance(after, Review)
    assert (after.escalated, after.escalated_by) == (NOW, "ana")
    assert after.escalated_why == "above my limit"


def test_an_edit_makes_a_new_digest_and_keeps_the_draft() -> None:
    """Whoever saw the content before it cannot decide on the one after it."""
    review = asked()
    edited = handled(review, ToEdit(review.digest, EDIT), "ana")

    assert (edited.content, edited.original, edited.edited_by) == (EDIT, DRAFT, "ana")
    assert edited.digest == content_digest(EDIT)
    assert decide(edited, review.digest, yes("jo"), NOW, AT_ONCE) is Objection.OTHER_CONTENT
    assert handle(edited, ToEdit(review.digest, DRAFT), "jo", NOW) is Objection.OTHER_CONTENT


def test_approving_another_content_is_an_edit() -> None:
    """Edit then approve, in one go, leaves the same behind as one after the other."""
    at_once = answered(asked(), yes("ana", EDIT))
    edited = handled(asked(), ToEdit(content_digest(DRAFT), EDIT), "ana")

    assert at_once == answered(edited, yes("ana", EDIT))


def test_a_decision_after_the_deadline_comes_too_late() -> None:
    """However late the scheduler is, nothing is approved past the deadline."""
    review = asked(deadline=NOW)

    assert decide(review, review.digest, yes("ana"), NOW, AT_ONCE) is Objection.LATE
    assert decide(asked(), "0" * 32, yes("ana"), NOW, AT_ONCE) is Objection.OTHER_CONTENT
    closed = asked(state=ReviewState.EXPIRED)
    assert decide(closed, closed.digest, yes("ana"), NOW, AT_ONCE) is Objection.CLOSED


def test_four_eyes_are_those_of_two_people() -> None:
    """The first approval waits for one by somebody else, under whatever name it is given."""
    first = answered(asked(terms=Terms(four_eyes=True)), yes("ana"))

    assert (first.state, first.approved_by, first.answer) == (ReviewState.OPEN, "ana", None)
    for again in ("ana", "jo, through ana"):
        objection = decide(first, first.digest, yes(again), NOW, AT_ONCE)
        assert objection is Objection.SAME_PERSON
    second = answered(first, yes("jo"))
    assert second.state is ReviewState.DECIDED
    assert second.answer == replace(yes("jo"), first="ana")


def test_one_person_may_reject_what_takes_two_to_approve() -> None:
    """A rejection is safe, so it waits for nobody."""
    first = answered(asked(terms=Terms(four_eyes=True)), yes("ana"))

    assert answered(first, no("ana")).state is ReviewState.DECIDED


def test_an_edit_voids_the_first_approval() -> None:
    """Two people approve the same content, or it is not approved."""
    first = answered(asked(terms=Terms(four_eyes=True)), yes("ana"))
    edited = answered(first, yes("jo", EDIT))

    assert (edited.state, edited.approved_by) == (ReviewState.OPEN, "jo")
    assert answered(edited, yes("ana", EDIT)).state is ReviewState.DECIDED


@pytest.mark.parametrize(
    ("which", "of_request", "of_edit"),
    [
        (SelfApproval.NONE, False, False),
        (SelfApproval.EDITS, False, True),
        (SelfApproval.ALL, True, True),
    ],
)
def test_nobody_approves_alone_what_is_their_own(
    which: SelfApproval, of_request: bool, of_edit: bool
) -> None:
    """Who asked for the run, or wrote the edit, needs a second person, as the terms say."""
    terms = Terms(self_approval=which, requester="ana")

    request = answered(asked(terms=terms), yes("ana"))
    edit = answered(asked(terms=replace(terms, requester="")), yes("ana", EDIT))

    assert (request.state is ReviewState.DECIDED) == of_request
    assert (edit.state is ReviewState.DECIDED) == of_edit
    assert answered(request if not of_request else asked(terms=terms), yes("jo")).answer


def test_a_blocking_finding_forbids_to_approve_until_an_edit_removes_it() -> None:
    """What it marks must be gone; a rejection needs nothing."""
    finding = Finding(title="promise not in policy", start=12, end=20, blocking=True)
    review = asked(findings=(finding,))

    assert finding.marked(DRAFT) == "tomorrow"
    assert decide(review, review.digest, yes("ana"), NOW, AT_ONCE) is Objection.BLOCKED
    still = b'"Dear Ana: you have it tomorrow, promised."'
    assert decide(review, review.digest, yes("ana", still), NOW, AT_ONCE) is Objection.BLOCKED
    assert answered(review, yes("ana", EDIT)).state is ReviewState.DECIDED
    assert answered(review, no("ana")).state is ReviewState.DECIDED


def test_what_does_not_block_is_only_shown() -> None:
    """A finding about the whole falls with the first edit, and forbids nothing by itself."""
    review = asked(findings=(Finding(title="curt"),))

    assert answered(review, yes("ana")).state is ReviewState.DECIDED
    assert answered(review, yes("ana", EDIT)).open_findings == ()


def test_a_decision_can_be_undone_until_it_takes_effect() -> None:
    """By whoever made it, and by nobody else."""
    review = answered(asked(), yes("ana"), HOLD)

    assert (review.state, review.takes_effect) == (ReviewState.DECIDED, NOW + HOLD)
    assert handle(review, ToUndo(), "jo", NOW) is Objection.NOT_YOURS
    assert handle(review, ToUndo(), "ana", NOW + HOLD) is Objection.STANDS
    assert handled(review, ToUndo(), "ana") == asked()
    assert handle(answered(asked(), yes("ana")), ToUndo(), "ana", NOW) is Objection.STANDS


def test_the_first_of_two_approvals_can_be_taken_back() -> None:
    """As long as nobody has given the second."""
    terms = Terms(four_eyes=True)
    first = answered(asked(terms=terms), yes("ana"))

    assert handled(first, ToUndo(), "ana") == asked(terms=terms)
    assert handle(first, ToUndo(), "jo", NOW) is Objection.CLOSED


@pytest.mark.parametrize("state", [ReviewState.DECIDED, ReviewState.EXPIRED])
def test_what_is_over_stays_as_it_is(state: ReviewState) -> None:
    """Nothing can be done with a review that nobody can decide any more."""
    review = asked(state=state)

    for act in (ToClaim(LEASE), ToSnooze(LEASE), ToAssign("jo"), ToEscalate("why")):
        assert handle(review, act, "ana", NOW) is Objection.CLOSED
