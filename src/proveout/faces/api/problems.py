"""Errors over HTTP: problem details by RFC 9457, and one table of statuses."""

from __future__ import annotations

import json
import traceback
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from proveout.domain.access import NoRight, NotSignedIn
from proveout.domain.delivery import BadDelivery
from proveout.errors import Mistake, Outage, ProveoutError, Refusal
from proveout.faces.access import NameTaken, NoSuchName
from proveout.faces.api.rates import TooManyRequests
from proveout.faces.cli.operate import NotPossible
from proveout.faces.desk import (
    AlreadyDecided,
    BadReason,
    FindingOpen,
    HoldsEnough,
    NotYours,
    ReviewHeld,
    SecondPersonNeeded,
    TooLateToUndo,
)
from proveout.faces.project import NoSuch
from proveout.faces.replaying import NotServing
from proveout.faces.second_factor import WrongCode
from proveout.faces.tries import TooManyTries
from proveout.release.create import NoSuchRelease
from proveout.run.enqueue import IntakeFull, KeyConflict, OutOfRange
from proveout.run.payload import PayloadTooLarge, Unjournalable, WrongShape
from proveout.run.query import BadQuery
from proveout.run.replay import AlreadyReplayed, NotReplayable
from proveout.run.send import RunOver
from proveout.watch.answer import BadSilence, NoSuchAlert, NothingToTake, NotSilenced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from structlog.typing import FilteringBoundLogger

    from proveout.faces.api.rates import Standing

MEDIA_TYPE = "application/problem+json"

RETRY_AFTER = 5
"""Seconds after which an outage is worth another try."""

STAGE = "Proveout-Stage"
"""Header of every answer that knows which stage the workflow is in."""


class BadRequest(Mistake):
    """A part of the request is not what it must be."""

    code = "bad-request"


class BadBody(Mistake):
    """The body is not one JSON text."""

    code = "bad-body"


class BodyTooLarge(Mistake):
    """The body is over the limit."""

    code = "body-too-large"


class BodyTooSlow(Mistake):
    """The body did not arrive in time."""

    code = "body-too-slow"


class WrongMediaType(Mistake):
    """The body is of a kind that this path does not take."""

    code = "wrong-media-type"


class NoSuchPath(Mistake):
    """There is nothing at this path."""

    code = "no-such-path"


class WrongMethod(Mistake):
    """This path knows other methods."""

    code = "wrong-method"


class Bug(ProveoutError):
    """Something in Proveout is broken; what was acknowledged is safe."""

    code = "bug"


STATUSES: Mapping[type[ProveoutError], HTTPStatus] = MappingProxyType(
    {
        Mistake: HTTPStatus.BAD_REQUEST,
        NoSuch: HTTPStatus.NOT_FOUND,
        NoSuchName: HTTPStatus.NOT_FOUND,
        NoSuchRelease: HTTPStatus.NOT_FOUND,
        NoSuchPath: HTTPStatus.NOT_FOUND,
        NoSuchAlert: HTTPStatus.NOT_FOUND,
        NotSilenced: HTTPStatus.NOT_FOUND,
        WrongMethod: HTTPStatus.METHOD_NOT_ALLOWED,
        BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
        NameTaken: HTTPStatus.CONFLICT,
        BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        PayloadTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        WrongMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        BadRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
        BadQuery: HTTPStatus.UNPROCESSABLE_ENTITY,
        WrongShape: HTTPStatus.UNPROCESSABLE_ENTITY,
        Unjournalable: HTTPStatus.UNPROCESSABLE_ENTITY,
        OutOfRange: HTTPStatus.UNPROCESSABLE_ENTITY,
        BadSilence: HTTPStatus.UNPROCESSABLE_ENTITY,
        Refusal: HTTPStatus.FORBIDDEN,
        NotSignedIn: HTTPStatus.UNAUTHORIZED,
        WrongCode: HTTPStatus.UNAUTHORIZED,
        NoRight: HTTPStatus.FORBIDDEN,
        BadDelivery: HTTPStatus.BAD_REQUEST,
        KeyConflict: HTTPStatus.CONFLICT,
        AlreadyDecided: HTTPStatus.CONFLICT,
        ReviewHeld: HTTPStatus.CONFLICT,
        FindingOpen: HTTPStatus.CONFLICT,
        SecondPersonNeeded: HTTPStatus.CONFLICT,
        TooLateToUndo: HTTPStatus.CONFLICT,
        NotYours: HTTPStatus.CONFLICT,
        HoldsEnough: HTTPStatus.CONFLICT,
        BadReason: HTTPStatus.CONFLICT,
        NotPossible: HTTPStatus.CONFLICT,
        RunOver: HTTPStatus.CONFLICT,
        NothingToTake: HTTPStatus.CONFLICT,
        NotReplayable: HTTPStatus.CONFLICT,
        AlreadyReplayed: HTTPStatus.CONFLICT,
        NotServing: HTTPStatus.CONFLICT,
        TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
        TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
        IntakeFull: HTTPStatus.TOO_MANY_REQUESTS,
        Outage: HTTPStatus.SERVICE_UNAVAILABLE,
        Bug: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
"""The status of each family of errors, and of the kinds that say it more exactly."""


def status_of(kind: type[ProveoutError]) -> HTTPStatus:
    """Return the status of the nearest kind of error that `STATUSES` names."""
    known = cast("list[type[ProveoutError]]", [one for one in kind.__mro__ if one in STATUSES])
    return STATUSES[known[0]] if known else HTTPStatus.INTERNAL_SERVER_ERROR


def problem(error: ProveoutError, stage: str | None = None) -> Response:
    """Return an error as problem details."""
    status = status_of(type(error))
    body: dict[str, Any] = {
        "type": f"urn:proveout:error:{error.code}",
        "title": (type(error).__doc__ or "").strip().partition("\n")[0].rstrip("."),
        "status": status.value,
        "detail": error.message,
        "code": error.code,
        "why": error.why,
        "fix": list(error.fix),
    }
    headers = {"Cache-Control": "no-store"}
    if stage is not None:
        body["stage"] = stage
        headers[STAGE] = stage
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="proveout"'
    if isinstance(error, TooManyTries | TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Outage):
        headers["Retry-After"] = str(RETRY_AFTER)
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, status.value, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Let every error of `app` be answered as a problem."""
    app.add_exception_handler(ProveoutError, _own)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _foreign)


def _own(request: Request, error: Exception) -> Response:
    return problem(cast("ProveoutError", error), getattr(request.state, "stage", None))


def _invalid(request: Request, error: Exception) -> Response:
    faults = cast("RequestValidationError", error).errors()[:3]
    said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults)
    return _own(request, BadRequest(said, fix=("see /api/v1/openapi.json",)))


def _foreign(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: a path or a method that does not exist."""
    found = cast("HTTPException", error)
    if found.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer = _own(request, WrongMethod(f"{request.method[:16]} is not known here"))
        answer.headers.update(found.headers or {})
        return answer
    return _own(
        request,
        NoSuchPath("there is nothing at this path", fix=("see /api/v1/openapi.json",)),
    )


class LastDoor:
    """Lets no error out as anything but a problem, and adds what every answer carries."""

    def __init__(self, app: ASGIApp, log: FilteringBoundLogger) -> None:
        self._app = app
        self._log = log

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
                headers = _with_standing(scope, _with_safety(message["headers"]))
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last door: nothing leaves as a traceback
            # A message may hold what a customer wrote; where it happened does not.
            where = "".join(traceback.format_tb(error.__traceback__))
            self._log.error("request.failed", type=type(error).__name__, where=where)
            if not has_begun:
                bug = Bug(
                    "a bug in proveout",
                    why="this is ours to mend; nothing that was acknowledged is lost",
                    fix=("see request.failed in the log of the server",),
                )
                await problem(bug)(scope, receive, guarded)


SAFETY = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
"""Headers of every answer that does not set them itself."""


def _with_safety(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    there = {name.lower() for name, _ in headers}
    return [*headers, *((name, value) for name, value in SAFETY.items() if name not in there)]


def _with_standing(scope: Scope, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add what is left of the key's rate, where one was shown."""
    standing: Standing | None = scope.get("state", {}).get("standing")
    if standing is None:
        return headers
    told = standing.headers().items()
    return [*headers, *((name.lower().encode(), value.encode()) for name, value in told)]
