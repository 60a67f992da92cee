"""What the console answers to those who are signed in: pages, and what its forms lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from proveout.faces.sessions import COOKIE
from proveout.faces.web import acts, gather
from proveout.faces.web.gather_overview import overview as gather_overview
from proveout.faces.web.gather_readiness import readiness_page
from proveout.faces.web.gather_releases import releases_page
from proveout.faces.web.gather_verdict import verdict as gather_verdict
from proveout.faces.web.moments import full_time

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.domain.review import Review
    from proveout.faces.web.frame import Page
    from proveout.faces.web.visit import Visit

CONFLICT = 409


async def _shown(visit: Visit, page: Page) -> Response:
    # The frame comes last: it tells what was found out for the page.
    found = await gather.standing(visit.console.project)
    return visit.page(page, gather.frame(visit, found))


# Pages


async def overview(visit: Visit) -> Response:
    """Show where the workflow stands, what serves and what needs a person."""
    found = await gather.standing(visit.console.project)
    page = await gather_overview(visit.console, found)
    return visit.page(page, gather.frame(visit, found))


async def runs(visit: Visit) -> Response:
    """List runs, the newest first."""
    project = visit.console.project
    return await _shown(
        visit, await gather.runs_page(project, visit.asked("state"), visit.asked("before"))
    )


async def run(visit: Visit) -> Response:
    """Show a run with its steps."""
    return await _shown(visit, await gather.run_detail(visit, visit.part("run")))


async def verdict(visit: Visit) -> Response:
    """Show the verdict of the first experiment."""
    name = gather.experiment_of(visit.console.project)
    return await _shown(visit, await gather_verdict(visit.console, name))


async def verdict_of(visit: Visit) -> Response:
    """Show the verdict of an experiment."""
    return await _shown(visit, await gather_verdict(visit.console, visit.part("experiment")))


async def reviews(visit: Visit) -> Response:
    """List what waits for a person."""
    found = await gather.standing(visit.console.project)
    page = await gather.reviews_page(visit.console.project, visit.asked("queue"), found)
    return visit.page(page, gather.frame(visit, found))


async def review(visit: Visit) -> Response:
    """Show what is to be approved, whole."""
    found = await gather.find_review(visit.console.project, visit.part("review"))
    return await _review(visit, found)


async def _review(visit: Visit, found: Review, refused: str = "", status: int = 200) -> Response:
    project = visit.console.project
    around = await gather.standing(project)
    page = await gather.review_detail(project, found, around, refused)
    return visit.page(page, gather.frame(visit, around), status)


async def readiness(visit: Visit) -> Response:
    """Show the bar claim by claim, and the gate."""
    return await _shown(visit, await readiness_page(visit.console))


async def releases(visit: Visit) -> Response:
    """Show what serves, all releases, and how the pointer moved."""
    found = await gather.standing(visit.console.project)
    page = await releases_page(visit.console.project, found.pointer)
    return visit.page(page, gather.frame(visit, found))


async def ledger(visit: Visit) -> Response:
    """List the ledger, the newest entries first."""
    return await _shown(
        visit, await gather.ledger_page(visit.console.project, visit.asked("before"))
    )


# Forms


async def cancel(visit: Visit) -> Response:
    """Stop a run."""
    found = await acts.cancel(visit.console, visit.part("run"))
    return visit.done(f"/runs/{quote(found.id, safe='')}", "cancelled")


async def replay(visit: Visit) -> Response:
    """Make a new run on the same input."""
    new = await acts.replay(visit.console, visit.part("run"), visit.actor)
    return visit.done(f"/runs/{quote(new.id, safe='')}", "replayed")


async def decide(visit: Visit) -> Response:
    """Approve, edit or reject; counts once, and only for the content that was shown."""
    done = await acts.decide(visit, visit.part("review"))
    if done is not None:
        ways = {acts.APPROVE: "approved", acts.EDIT: "edited", acts.REJECT: "rejected"}
        return visit.done(f"/reviews/{quote(done.id, safe='')}", ways[visit.sent("decision")])
    now = await gather.find_review(visit.console.project, visit.part("review"))
    return await _review(visit, now, _why_not(visit, now), CONFLICT)


def _why_not(visit: Visit, now: Review) -> str:
    """Return what came before a decision that was not taken."""
    if now.answer is None:
        return (
            "The draft is another one than you saw; what stands here now is what it is about."
            if now.digest != visit.sent("digest")
            else f"The review is {now.state}."
        )
    if now.answer.expired:
        return "Nobody had answered in time, and it expired."
    word = "approved" if now.answer.approved else "rejected"
    at = "" if now.decided is None else f" at {full_time(now.decided, visit.console.zone)}"
    return f"It was {word} by {now.answer.by}{at}. One decision counts."


async def promote(visit: Visit) -> Response:
    """Have a release serve everything, in production."""
    await acts.promote(visit)
    return visit.done("/readiness", "promoted")


async def rollback(visit: Visit) -> Response:
    """Send no new run to the newest release any more."""
    treatment = await acts.rollback(visit)
    return visit.done("/releases", f"back-{treatment}")


async def halt(visit: Visit) -> Response:
    """Stop the workflow."""
    await acts.halt(visit)
    return visit.done("/", "halted")


async def resume(visit: Visit) -> Response:
    """Let the workflow begin again."""
    await acts.resume(visit)
    return visit.done("/", "resumed")


async def sign_out(visit: Visit) -> Response:
    """End the session, here and in the store."""
    await visit.console.sessions.sign_out(visit.request.cookies[COOKIE])
    answer = visit.done("/login")
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
