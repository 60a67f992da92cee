"""The page behind a link out of a notice: looking decides nothing, sending its form does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.errors import Mistake, Refusal
from proveout.faces.answer_link import open_answer_link, spend_answer_link
from proveout.faces.api.problems import BadRequest, status_of
from proveout.faces.desk import Desk
from proveout.faces.web.acts import reason_of
from proveout.faces.web.desk import APPROVE, REJECT
from proveout.faces.web.drafts import draft_of
from proveout.faces.web.frame import Section
from proveout.faces.web.gather import door_frame
from proveout.faces.web.marked import Note, notes_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.domain.review import Review
    from proveout.faces.answer_link import Opened
    from proveout.faces.web.drafts import Draft
    from proveout.faces.web.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPage:
    """A review before the one person for whom its link was made.

    Attributes:
        token: the secret of the link.
        digest: of the draft that is shown; the decision carries it back.
        user: who decides by it.
        made: what came of the decision that was just sent; "" before.
        problem: why it was not taken.
    """

    template: ClassVar[str] = "answer.html.j2"
    section: ClassVar[Section] = Section.REVIEWS

    token: str
    review: Review
    user: str
    draft: Draft
    notes: tuple[Note, ...]
    reasons: tuple[str, ...]
    made: str = ""
    problem: str = ""

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Review"

    @property
    def is_blocked(self) -> bool:
        """Whether something in the draft forbids to approve it."""
        return any(one.blocking for one in self.notes)


def _page(visit: Visit, opened: Opened, made: str = "", problem: str = "") -> AnswerPage:
    review = opened.review
    return AnswerPage(
        token=visit.part("token"),
        review=review,
        user=opened.actor.name,
        draft=draft_of(review.content),
        notes=notes_of(review),
        reasons=visit.console.project.settings.queue(review.queue).reasons,
        made=made,
        problem=problem,
    )


async def look(visit: Visit) -> Response:
    """Show what is to be approved; whoever follows the link, and how often, decides nothing."""
    project = visit.console.project
    opened = await open_answer_link(project.store, project.bench.clock, visit.part("token"))
    return _private(visit.page(_page(visit, opened), await door_frame(visit)))


async def decide(visit: Visit) -> Response:
    """Decide for the person whom the link was made for, at once, and use it up."""
    project, bench = visit.console.project, visit.console.project.bench
    opened = await open_answer_link(project.store, bench.clock, visit.part("token"))
    desk = Desk(visit.console.access.office, project.settings, opened.actor)
    try:
        reason, code = _checked(visit)
        await spend_answer_link(project.store, bench.ids, opened.link)
        review, digest = opened.review.id, opened.link.digest
        if visit.sent("decision") == APPROVE:
            done = await desk.approve(review, digest)
        else:
            done = await desk.reject(review, digest, reason, code=code)
    except (Refusal, Mistake) as error:
        said = f"{error.message}: {error.why}." if error.why else f"{error.message}."
        page = _page(visit, opened, problem=f"{said[:1].upper()}{said[1:]}")
        status = status_of(type(error))
        return _private(visit.page(page, await door_frame(visit), status))
    word = "Rejected" if done.answer and not done.answer.approved else "Approved"
    made = f"{word}. It takes a second person." if done.is_waiting else f"{word}. The run goes on."
    return _private(visit.page(_page(visit, opened, made), await door_frame(visit)))


def _checked(visit: Visit) -> tuple[str, str]:
    """Return why the draft is rejected, in words and by code; a bad form spends no link.

    Raises:
        BadRequest: the form holds no decision, or a rejection without a reason.
    """
    way, reason, code = visit.sent("decision"), reason_of(visit), visit.sent("code")
    if way not in {APPROVE, REJECT} or (way == REJECT and not reason and not code):
        raise BadRequest("a rejection needs a reason", why="whoever reads the run will ask for it")
    return reason, code


def _private(answer: Response) -> Response:
    """Return an answer whose address, with the secret in it, goes nowhere else."""
    answer.headers["Cache-Control"] = "no-store"
    return answer
