"""The desk as every face offers it: what a person does with a review, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from proveout.domain.access import NoRight, Right, User
from proveout.domain.desk import (
    THROUGH,
    Act,
    Objection,
    ToAssign,
    ToClaim,
    ToEdit,
    ToEscalate,
    ToRelease,
    ToSnooze,
    ToUndo,
)
from proveout.domain.duration import LONGEST, say_duration
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, decode
from proveout.domain.review import Answer, Review, ReviewId, content_digest
from proveout.domain.review_queue import may_decide
from proveout.domain.unit import Decide, Decided, Handle, Handled, Undecidable, UnitId
from proveout.errors import Mistake, Refusal
from proveout.faces.project import NoSuch
from proveout.release.decide import amend

if TYPE_CHECKING:
    from proveout.domain.access import Actor
    from proveout.domain.unit import Answered
    from proveout.faces.settings import Settings
    from proveout.ports.store import Store
    from proveout.release.decide import Office

UNDO = timedelta(seconds=10)
"""For how long a decision made with a key or a button can be undone."""

AT_ONCE = timedelta(0)
LONGEST_REASON = 10_000


class AlreadyDecided(Refusal):
    """The review is no longer open, or its content is another than was shown."""

    code = "already-decided"


class ReviewHeld(Refusal):
    """Somebody else works on the review."""

    code = "review-held"


class FindingOpen(Refusal):
    """Something that stands in the draft forbids to approve it."""

    code = "finding-open"


class SecondPersonNeeded(Refusal):
    """This approval must come from somebody else than the first."""

    code = "second-person-needed"


class TooLateToUndo(Refusal):
    """The decision has taken effect."""

    code = "too-late-to-undo"


class NotYours(Refusal):
    """Only who claimed it, or decided it, may do that."""

    code = "not-yours"


class HoldsEnough(Refusal):
    """A person has claimed as many reviews as the queue lets one have."""

    code = "holds-enough"


class BadReason(Mistake):
    """A rejection or an escalation gives no reason, or none of the queue's."""

    code = "bad-reason"


@dataclass(frozen=True, slots=True)
class Desk:
    """What one person may do with reviews; each call returns the review as it is afterwards.

    The ledger tells of each decision once it is durable, and of each that is taken back.

    Every call raises `NoSuch` where there is no such review, `NoRight` where it is for other
    people, and one of the refusals above where it stays as it is.
    """

    office: Office
    settings: Settings
    actor: Actor

    @property
    def store(self) -> Store:
        """Where the reviews are."""
        return self.office.store

    async def find(self, review: str) -> Review:
        """Return a review, whoever it is for.

        Raises:
            NoSuch: there is none of that id.
        """
        found = await self.store.review(ReviewId(review))
        if found is None:
            raise NoSuch(f"there is no review {review[:64]}", fix=("proveout review list",))
        return found

    def is_for(self, review: Review) -> bool:
        """Whether the person is one of those whom a review is for."""
        return may_decide(review, self.actor.name, self.settings.groups)

    async def claim(self, review: str) -> Review:
        """Have it for oneself until the lease of its queue ends; again, for longer."""
        seen = await self.find(review)
        queue = self.settings.queue(seen.queue)
        held = set(await self.store.claimed(self.actor.name)) - {seen.id}
        if queue.most_each is not None and len(held) >= queue.most_each:
            raise HoldsEnough(
                f"{self.actor.name} has claimed {len(held)} reviews",
                why=f"{seen.queue} lets one person have {queue.most_each} at once",
                fix=("decide or release one", f"most_each under [review.{seen.queue}]"),
            )
        return await self._handle(seen, ToClaim(queue.lease))

    async def release(self, review: str) -> Review:
        """Give it back without a decision."""
        return await self._handle(await self.find(review), ToRelease())

    async def snooze(self, review: str, length: timedelta) -> Review:
        """Leave it out of the queue for so long; its deadline does not wait.

        Raises:
            Mistake: the length is none that could pass.
        """
        if not timedelta(0) < length <= LONGEST:
            raise Mistake(f"nothing can be left for {say_duration(length)}", fix=('"1 h"',))
        return await self._handle(await self.find(review), ToSnooze(length))

    async def assign(self, review: str, person: str) -> Review:
        """Mean it for somebody, also where another has claimed it; "" for whoever comes.

        Raises:
            NoRight: another has claimed it, and the actor may not operate.
            NoSuch: nobody and no group is called that.
        """
        seen = await self.find(review)
        if seen.is_held(self.actor.name, self.office.clock.now()):
            self.actor.check(Right.OPERATE)
        await self._check_known(person)
        return await self._handle(seen, ToAssign(person))

    async def edit(self, review: str, digest: str, content: bytes) -> Review:
        """Put another content in the place of the one with that digest; decides nothing."""
        return await self._handle(await self.find(review), ToEdit(digest, content))

    async def escalate(self, review: str, why: str) -> Review:
        """Hand it to the people who decide what others cannot.

        Raises:
            BadReason: there is none.
        """
        if not why.strip() or len(why) > LONGEST_REASON or "\0" in why:
            raise BadReason("an escalation needs a reason", why="whoever is told will ask for it")
        return await self._handle(await self.find(review), ToEscalate(why.strip()))

    async def undo(self, review: str) -> Review:
        """Take back one's own decision before it takes effect, or one's first approval."""
        undone = await self._handle(await self.find(review), ToUndo())
        await self._enter("take back decision", undone, {})
        return undone

    async def approve(
        self,
        review: str,
        digest: str,
        content: bytes | None = None,
        *,
        reason: str = "",
        by: str = "",
        hold: timedelta = AT_ONCE,
    ) -> Review:
        """Approve what has that digest, or an edit of it.

        Where it takes two people the first approval leaves the review open.
        """
        seen = await self.find(review)
        answer = Answer(
            approved=True,
            content=seen.content if content is None else content,
            by=self._named(by),
            reason=reason,
        )
        return await self._decide(seen, digest, answer, hold)

    async def reject(
        self,
        review: str,
        digest: str,
        reason: str,
        *,
        code: str = "",
        by: str = "",
        hold: timedelta = AT_ONCE,
    ) -> Review:
        """Reject what has that digest.

        Raises:
            BadReason: no reason is given, or no code where the queue asks for one.
        """
        seen = await self.find(review)
        reasons = self.settings.queue(seen.queue).reasons
        if (reasons or code) and code not in reasons:
            raise BadReason(
                f"a rejection in {seen.queue} names one of its reasons",
                why=f"they are {', '.join(reasons)}" if reasons else "it has none",
                fix=tuple(f'--code "{one}"' for one in reasons[:3]),
            )
        if not code and not reason.strip():
            raise BadReason(
                "a rejection needs a reason", why="whoever reads the run will ask for it"
            )
        answer = Answer(
            approved=False, content=seen.content, by=self._named(by), reason=reason, code=code
        )
        return await self._decide(seen, digest, answer, hold)

    def _named(self, by: str) -> str:
        me = self.actor.name
        return me if by in {"", me} else f"{by}{THROUGH}{me}"

    async def _check_known(self, person: str) -> None:
        users = [decode(User, body) for body in (await self.store.records(Kind.USER)).values()]
        known = {one.name for one in users if not one.disabled} | set(self.settings.groups)
        if person and users and person not in known:
            raise NoSuch(
                f"nobody and no group is called {person[:64]}", fix=("proveout user list",)
            )

    async def _handle(self, seen: Review, act: Act) -> Review:
        self._check_for(seen)
        unit = Handle(id=UnitId(self.office.ids.new()), review=seen.id, act=act, by=self.actor.name)
        return _taken(await self.store.write(unit))

    async def _decide(self, seen: Review, digest: str, answer: Answer, hold: timedelta) -> Review:
        self._check_for(seen)
        unit_id = UnitId(self.office.ids.new())
        unit = Decide(id=unit_id, review=seen.id, digest=digest, answer=answer, hold=hold)
        decided = _taken(await self.store.write(unit))
        if answer.approved:
            sends, first = content_digest(answer.content), decided.answer is None
            facts = {"saw": digest, "sends": sends, "waits_for_second": first}
            await self._enter("approve review", decided, facts)
        else:
            await self._enter("reject review", decided, {"saw": digest, "code": answer.code})
        return decided

    async def _enter(self, act: str, review: Review, facts: dict[str, Any]) -> None:
        """Have the ledger tell of a decision that is durable.

        Digests stand for what was read and written, so that erasing a run leaves none of it.
        """
        facts = {"run": review.run, "queue": review.queue, **facts}
        deed = Deed(actor=self.actor.name, act=act, subject=review.id, facts=facts)
        await amend(self.office, deed, (), over_gap=True)

    def _check_for(self, seen: Review) -> None:
        if not self.is_for(seen):
            raise NoRight(
                f"review {seen.id} is not for {self.actor.name}",
                why=f"it is for {', '.join(seen.groups)}",
                fix=(f"ask {seen.groups[0]}",),
            )


def _taken(answer: Answered) -> Review:
    match answer:
        case Decided(review) | Handled(review):
            return review
        case Undecidable(review=None):
            raise NoSuch("there is no such review any more", fix=("proveout review list",))
        case Undecidable(review=review, why=why) if review is not None:
            raise refusal(review, why)
        case _:
            raise AssertionError(answer)


def refusal(review: Review, why: Objection | None) -> Refusal:  # noqa: PLR0911 - one for each reason
    """Return what stood in the way, in words for the person who came upon it."""
    look = f"proveout review show {review.id}"
    match why:
        case Objection.HELD:
            until = review.claimed_until
            return ReviewHeld(
                f"{review.claimed_by} works on review {review.id}",
                why="" if until is None else f"it is theirs until {until:%H:%M:%S} UTC",
                fix=("proveout review next", f"proveout review assign {review.id} --to NAME"),
            )
        case Objection.BLOCKED:
            open_ = ", ".join(one.title for one in review.open_findings if one.blocking)
            return FindingOpen(
                f"review {review.id} cannot be approved: {open_}",
                why="a finding that blocks stands in the draft until an edit removes it",
                fix=(f"proveout review edit {review.id}", f"proveout review reject {review.id}"),
            )
        case Objection.SAME_PERSON:
            return SecondPersonNeeded(
                f"review {review.id} waits for a second person",
                why=f"{review.approved_by} approved it first, and it takes two",
                fix=(f"proveout review assign {review.id} --to NAME",),
            )
        case Objection.STANDS:
            return TooLateToUndo(
                f"the decision on review {review.id} has taken effect",
                why="its run has gone on",
                fix=(f"proveout runs show {review.run}",),
            )
        case Objection.NOT_YOURS:
            who = review.claimed_by or (review.answer.by if review.answer else "nobody")
            return NotYours(f"review {review.id} is not yours", why=f"it is {who}'s", fix=(look,))
        case Objection.LATE:
            return AlreadyDecided(
                f"the deadline of review {review.id} has passed",
                why=f"what follows is declared: {review.on_expiry}",
                fix=(look,),
            )
        case _:
            return AlreadyDecided(
                f"review {review.id} is {review.state}, and its content has the digest"
                f" {review.digest}",
                why="one decision counts, for exactly the content that was shown",
                fix=(look,),
            )
