"""The console of a project as an application: its pages, its errors, its headers."""

from __future__ import annotations

import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from proveout.errors import Outage, ProveoutError
from proveout.faces.api.doors import LOOPBACK
from proveout.faces.api.problems import (
    RETRY_AFTER,
    Bug,
    NoSuchPath,
    WrongMethod,
    status_of,
)
from proveout.faces.web import gather
from proveout.faces.web.doors import TroublePage
from proveout.faces.web.frame import Frame
from proveout.faces.web.render import POLICY
from proveout.faces.web.routes import ROUTES, served
from proveout.faces.web.visit import Visit, is_secure, session_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from proveout.faces.web.routes import Route
    from proveout.faces.web.visit import Console

PORTS: Mapping[str, int] = {"http": 80, "https": 443}

SAFETY: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With "no-referrer" browsers would send forms without their origin, which is checked.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of every answer."""


OVER_TLS = "max-age=31536000"
"""For a year no browser that came over TLS comes without it."""

WRONG_HOST = "The console is not reached by this name.\n"
MISDIRECTED = 421


def console_app(
    console: Console,
    *,
    is_loopback: bool = True,
    hosts: tuple[str, ...] = (),
    routes: tuple[Route, ...] = ROUTES,
) -> Starlette:
    """Return the application that serves the console.

    Args:
        console: the parts behind it.
        is_loopback: the server listens on this machine alone: it is called by no other name.
        hosts: names by which it is reached besides, as `host` or `host:port`.
        routes: what it serves, each behind its right.
    """

    async def own(request: Request, error: Exception) -> Response:
        return await _trouble(console, request, cast("ProveoutError", error))

    async def foreign(request: Request, error: Exception) -> Response:
        with suppress(Outage):  # the page says what is wrong all the same
            request.state.signed = await session_of(request, console)
        return await _trouble(console, request, _told(cast("HTTPException", error), request))

    app = Starlette(
        routes=served(console, routes),
        exception_handlers={ProveoutError: own, HTTPException: foreign},
    )
    app.router.redirect_slashes = False
    app.add_middleware(Outermost, console=console, is_loopback=is_loopback, hosts=hosts)
    return app


def _told(error: HTTPException, request: Request) -> ProveoutError:
    if error.status_code == status_of(WrongMethod):
        return WrongMethod(f"{request.method[:16]} is not known here")
    return NoSuchPath("there is nothing at this path")


async def _trouble(console: Console, request: Request, error: ProveoutError) -> Response:
    """Return an error as a page, within the frame where somebody is signed in."""
    status = status_of(type(error))
    page = TroublePage(
        status=status.value,
        code=error.code,
        message=error.message,
        why=error.why,
        fix=error.fix,
    )
    visit = Visit(request=request, console=console, signed=getattr(request.state, "signed", None))
    answer = visit.page(page, await _frame(visit), status)
    if isinstance(error, Outage):
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


async def _frame(visit: Visit) -> Frame:
    """Return the frame of a page that tells of trouble, with the store or without it."""
    try:
        if visit.signed is None:
            return await gather.door_frame(visit)
        return gather.frame(visit, await gather.standing(visit.console.project))
    except Exception:  # noqa: BLE001 - what is being told matters more than what stands around it
        project = visit.console.project
        return Frame(
            workflow=project.name,
            stage=visit.console.known.stage,
            experiment=gather.experiment_of(project),
            now=project.bench.clock.now(),
            zone=visit.console.zone,
            csrf=visit.csrf,
        )


class Outermost:
    """Lets nothing out but pages, and adds what every answer carries."""

    def __init__(
        self, app: ASGIApp, console: Console, *, is_loopback: bool, hosts: tuple[str, ...]
    ) -> None:
        self._app = app
        self._console = console
        self._log = console.project.log
        self._is_loopback = is_loopback
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                for name, value in SAFETY.items():
                    headers[name] = value
                if is_secure(request):
                    headers["Strict-Transport-Security"] = OVER_TLS
            await send(message)

        request = Request(scope, receive)
        try:
            if not self._is_ours(request):
                await PlainTextResponse(WRONG_HOST, MISDIRECTED)(scope, receive, guarded)
                return
            await self._app(scope, receive, guarded)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last door: nothing leaves as a traceback
            # A message may hold what a customer wrote; where it happened does not.
            where = "".join(traceback.format_tb(error.__traceback__))
            self._log.error("console.failed", type=type(error).__name__, where=where)
            if not has_begun:
                answer = await _trouble(self._console, request, _bug())
                await answer(scope, receive, guarded)

    def _is_ours(self, request: Request) -> bool:
        """Whether a request names a host that this server is.

        A page elsewhere can have its own name lead to this machine, and would then be of
        the same origin as what answers there.
        """
        host = request.headers.get("host", "").lower()
        if host in self._hosts:
            return True
        if not self._is_loopback:
            return not self._hosts
        server = request.scope.get("server") or ("", None)
        named = _split(host)
        if named is None or named.hostname not in {*LOOPBACK, server[0]}:
            return False
        usual = PORTS.get(request.url.scheme)
        return (named.port or usual) == (server[1] or usual)


def _split(host: str) -> SplitResult | None:
    """Return a host with its port, or None where it is none."""
    try:
        found = urlsplit(f"//{host}")
        _ = found.port
    except ValueError:
        return None
    return found if found.netloc == host and "@" not in host else None


def _bug() -> Bug:
    return Bug(
        "a bug in proveout",
        why="this is ours to mend; nothing that was acknowledged is lost",
        fix=("see console.failed in the log of the server",),
    )
