"""From the store to the desk: the queue, and one review with what is known beside it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from proveout.domain.access import RIGHTS, Right, User
from proveout.domain.record import Kind, decode
from proveout.domain.review import ReviewId
from proveout.domain.review_queue import may_decide
from proveout.faces.project import NoSuch
from proveout.faces.web.gather import find_review, name_in, names_of
from proveout.faces.web.reviews import Reader, ReviewsPage, review_page, review_row, undoable
from proveout.ports.reviews import Outcome, ReviewFilter
from proveout.run.stamp import stamps

if TYPE_CHECKING:
    from proveout.domain.review import Review
    from proveout.faces.project import Project
    from proveout.faces.web.gather import Standing
    from proveout.faces.web.reviews import ReviewPage, Undoable
    from proveout.faces.web.visit import Visit

MOST = 100
"""Rows of one page."""

BESIDE = 30
"""Rows of the queue beside a review."""

DECIDED = "proveout_decided"
"""The cookie that says which review was decided last, for as long as that can be undone."""

SNOOZED, ESCALATED = "snoozed", "escalated"


async def reviews_page(visit: Visit) -> ReviewsPage:
    """Return a page of what waits for a person, as the address asks for it."""
    store = visit.console.project.store
    queue, only, after = (visit.asked(name) for name in ("queue", "only", "after"))
    which = ReviewFilter(
        queue=queue or None,
        snoozed=only == SNOOZED,
        escalated=only == ESCALATED,
        after=ReviewId(after) if after else None,
        limit=MOST + 1,
    )
    is_plain = queue.isprintable() and after.isprintable()
    found = await store.waiting(which) if is_plain else []
    alarms = tuple(one for one in stamps(await store.past_reviews()) if one.is_alarm)
    return ReviewsPage(
        rows=tuple(review_row(one) for one in found[:MOST]),
        queue=queue,
        queues=tuple(await store.queues()),
        only=only if only in {SNOOZED, ESCALATED} else "",
        following=found[MOST - 1].id if len(found) > MOST else "",
        is_first=not after,
        stamps=alarms,
        lately=await decided_lately(visit),
    )


async def review_detail(
    visit: Visit, review: Review, found: Standing, refused: str = ""
) -> ReviewPage:
    """Return the page of a review; `refused` is why what was just sent was not taken."""
    project = visit.console.project
    run = await project.store.run(review.run)
    names = await names_of(project)
    name, groups = visit.actor.name, project.settings.groups
    mine = [one for one in found.reviews if may_decide(one, name, groups)]
    return review_page(
        review,
        tuple(review_row(one) for one in mine[:BESIDE]),
        reader=await reader(visit, review),
        release=name_in(names, None if run is None else run.release),
        value=None if run is None or run.pruned is not None else run.value,
        refused=refused,
    )


async def reader(visit: Visit, review: Review) -> Reader:
    """Return who looks at a review, with what is known beside it."""
    project, name = visit.console.project, visit.actor.name
    groups = project.settings.groups
    past = Counter(one.outcome for one in await project.store.past_reviews(review.queue))
    lately = await decided_lately(visit)
    return Reader(
        name=name,
        now=project.bench.clock.now(),
        is_meant=may_decide(review, name, groups),
        reasons=project.settings.queue(review.queue).reasons,
        people=await _reviewers(project, review) if review.is_waiting else (),
        groups=tuple(one for one in sorted(groups) if may_decide(review, one, groups)),
        lately=None if lately is None or lately.id == review.id else lately,
        past=tuple((word, past[word]) for word in Outcome) if past else (),
    )


async def _reviewers(project: Project, review: Review) -> tuple[str, ...]:
    """Return the names of the people who may come in and decide a review."""
    users = [decode(User, one) for one in (await project.store.records(Kind.USER)).values()]
    meant = [one for one in users if may_decide(review, one.name, project.settings.groups)]
    able = [one.name for one in meant if not one.disabled and Right.REVIEW in RIGHTS[one.role]]
    return tuple(sorted(able))


async def decided_lately(visit: Visit) -> Undoable | None:
    """Return what who is signed in decided last in this browser, while they can take it back.

    The browser says which review that is; whether it is theirs, and in time, the store says.
    """
    project = visit.console.project
    try:
        found = await find_review(project, visit.request.cookies.get(DECIDED, ""))
    except NoSuch:
        return None
    return undoable(found, visit.actor.name, project.bench.clock.now())
