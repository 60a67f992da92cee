"""What the console answers to those who are signed in: pages, and what its forms lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from proveout.faces.cookie import cookie_name
from proveout.faces.web import acts, gather
from proveout.faces.web.gather_overview import overview as gather_overview
from proveout.faces.web.gather_readiness import readiness_page
from proveout.faces.web.gather_release import release_page
from proveout.faces.web.gather_releases import releases_page
from proveout.faces.web.gather_verdict import verdict as gather_verdict

if TYPE_CHECKING:
    from proveout.faces.web.frame import Page
    from proveout.faces.web.visit import Visit

OK, UNREADABLE = 200, 422


async def shown(visit: Visit, page: Page, status: int = OK) -> Response:
    """Return a page in its frame."""
    # The frame comes last: it tells what was found out for the page.
    found = await gather.standing(visit.console.project)
    return visit.page(page, gather.frame(visit, found), status)


# Pages


async def overview(visit: Visit) -> Response:
    """Show where the workflow stands, what serves and what needs a person."""
    found = await gather.standing(visit.console.project)
    page = await gather_overview(visit.console, found)
    return visit.page(page, gather.frame(visit, found))


async def runs(visit: Visit) -> Response:
    """List runs, the newest first."""
    page = await gather.runs_page(visit.console.project, visit.asked("q"), visit.asked("before"))
    return await shown(visit, page, UNREADABLE if page.problem else OK)


async def run(visit: Visit) -> Response:
    """Show a run with its steps."""
    return await shown(visit, await gather.run_detail(visit, visit.part("run")))


async def verdict(visit: Visit) -> Response:
    """Show the verdict of the first experiment."""
    name = gather.experiment_of(visit.console.project)
    return await shown(visit, await gather_verdict(visit.console, name))


async def verdict_of(visit: Visit) -> Response:
    """Show the verdict of an experiment."""
    return await shown(visit, await gather_verdict(visit.console, visit.part("experiment")))


async def readiness(visit: Visit) -> Response:
    """Show the bar claim by claim, and the gate."""
    return await shown(visit, await readiness_page(visit.console))


async def releases(visit: Visit) -> Response:
    """Show what serves, all releases, and how the pointer moved."""
    found = await gather.standing(visit.console.project)
    page = await releases_page(visit.console, found.pointer)
    return visit.page(page, gather.frame(visit, found))


async def release(visit: Visit) -> Response:
    """Show what a release executes, and how that differs from another."""
    found = await gather.standing(visit.console.project)
    name, against = visit.part("release"), visit.asked("against")
    page = await release_page(visit.console.project, found.pointer, name, against)
    return visit.page(page, gather.frame(visit, found))


async def ledger(visit: Visit) -> Response:
    """List the ledger, the newest entries first."""
    return await shown(
        visit, await gather.ledger_page(visit.console.project, visit.asked("before"))
    )


async def hints(visit: Visit) -> Response:
    """Tell, for some minutes, that something has changed, whenever it has."""
    if visit.request.method == "HEAD":
        return Response()
    headers = {"X-Accel-Buffering": "no"}  # a proxy that gathers would keep hints back
    stream = visit.console.hints.stream()
    return StreamingResponse(stream, headers=headers, media_type="text/event-stream")


# Forms


async def cancel(visit: Visit) -> Response:
    """Stop a run."""
    found = await acts.cancel(visit.console, visit.actor.name, visit.part("run"))
    return visit.done(f"/runs/{quote(found.id, safe='')}", "cancelled")


async def promote(visit: Visit) -> Response:
    """Have a release serve everything, in production."""
    await acts.promote(visit)
    return visit.done("/readiness", "promoted")


async def canary(visit: Visit) -> Response:
    """Send a share of the new runs to a release."""
    await acts.canary(visit)
    return visit.done("/releases", "widened")


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
    cookie = cookie_name(secure=visit.is_secure)
    await visit.console.sessions.sign_out(visit.request.cookies[cookie])
    answer = visit.done("/login")
    answer.delete_cookie(cookie, httponly=True, secure=visit.is_secure, samesite="strict")
    return answer
