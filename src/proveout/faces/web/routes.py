"""Every path of the console, with the right that it needs. What is not here does not exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from starlette.responses import RedirectResponse
from starlette.routing import Route as Served

from proveout.domain.access import Right
from proveout.faces.api.routes import Open
from proveout.faces.web import (
    admit,
    alert_handlers,
    answer,
    desk,
    entrance,
    handlers,
    handlers_prove,
    handlers_ready,
    handlers_run,
    provided,
)
from proveout.faces.web.visit import (
    Visit,
    check_form,
    check_origin,
    here,
    not_signed_in,
    read_form,
    session_of,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from proveout.faces.web.visit import Console

Handler: TypeAlias = Callable[[Visit], Awaitable["Response"]]

Endpoint: TypeAlias = "Callable[[Request], Awaitable[Response]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path.

    Attributes:
        right: what who is signed in must have; `Open.PUBLIC` where nobody need be.
        is_apart: sessions are left aside: who comes from a link in a mail has none at first, for
            browsers keep its cookie to themselves, and has one when the form is sent.
    """

    method: str
    path: str
    right: Right | Open
    handler: Handler
    is_apart: bool = False


def _read(path: str, handler: Handler) -> Route:
    return Route(method="GET", path=path, right=Right.READ, handler=handler)


def _act(path: str, right: Right, handler: Handler) -> Route:
    return Route(method="POST", path=path, right=right, handler=handler)


def _open(method: str, path: str, handler: Handler, *, is_apart: bool = False) -> Route:
    return Route(method=method, path=path, right=Open.PUBLIC, handler=handler, is_apart=is_apart)


ROUTES: tuple[Route, ...] = (
    _read("/", handlers.overview),
    _read("/experiments", handlers_prove.experiments),
    _read("/datasets", handlers_prove.datasets),
    _read("/compare", handlers_prove.compare),
    _read("/verdict", handlers.verdict),
    _read("/verdict/{experiment}", handlers.verdict_of),
    _read("/runs", handlers.runs),
    _read("/runs/{run}", handlers.run),
    _act("/runs/{run}/cancel", Right.OPERATE, handlers.cancel),
    _read("/runs/{run}/replay", handlers_run.replay_form),
    _act("/runs/{run}/replay", Right.OPERATE, handlers_run.replay),
    _read("/dead", handlers_run.dead),
    _act("/dead/replay", Right.OPERATE, handlers_run.replay_dead),
    _read("/deliveries", handlers_run.deliveries),
    _read("/deliveries/one", handlers_run.delivery),
    _read("/reviews", desk.queue),
    _read("/reviews/{review}", desk.item),
    _act("/reviews/{review}/decide", Right.REVIEW, desk.decide),
    _act("/reviews/{review}/edit", Right.REVIEW, desk.save),
    _act("/reviews/{review}/claim", Right.REVIEW, desk.claim),
    _act("/reviews/{review}/release", Right.REVIEW, desk.release),
    _act("/reviews/{review}/snooze", Right.REVIEW, desk.snooze),
    _act("/reviews/{review}/assign", Right.REVIEW, desk.assign),
    _act("/reviews/{review}/escalate", Right.REVIEW, desk.escalate),
    _act("/reviews/{review}/undo", Right.REVIEW, desk.undo),
    _read("/alerts", alert_handlers.alerts),
    _read("/alerts/{alert}", alert_handlers.alert),
    _act("/alerts/{alert}/take", Right.OPERATE, alert_handlers.take),
    _act("/silences", Right.OPERATE, alert_handlers.silenced),
    _act("/silences/{silence}/end", Right.OPERATE, alert_handlers.unsilenced),
    _open("GET", "/acknowledge/{token}", alert_handlers.shown_link, is_apart=True),
    _open("POST", "/acknowledge/{token}", alert_handlers.take_by_link, is_apart=True),
    _read("/releases", handlers.releases),
    _read("/releases/{release}", handlers.release),
    _act("/canary", Right.PROMOTE, handlers.canary),
    _act("/rollback", Right.OPERATE, handlers.rollback),
    _act("/halt", Right.OPERATE, handlers.halt),
    _act("/resume", Right.OPERATE, handlers.resume),
    _read("/drills", handlers_ready.drills),
    _read("/readiness", handlers.readiness),
    _read("/plan", handlers_ready.plan),
    _act("/promote", Right.PROMOTE, handlers.promote),
    _read("/ledger", handlers.ledger),
    _read("/account", admit.account),
    _act("/account/password", Right.READ, admit.set_password),
    _read("/account/factor", admit.factor),
    _act("/account/factor", Right.READ, admit.add_factor),
    _act("/account/factor/drop", Right.READ, admit.drop_factor),
    _act("/sessions/{session}/end", Right.READ, admit.end_session),
    Route(method="GET", path="/access", right=Right.ADMINISTER, handler=admit.access),
    _act("/access/users", Right.ADMINISTER, admit.add_user),
    _act("/access/users/{user}/role", Right.ADMINISTER, admit.change_role),
    _act("/access/users/{user}/disable", Right.ADMINISTER, admit.disable),
    _act("/access/users/{user}/factor/drop", Right.ADMINISTER, admit.drop_factor_of),
    _act("/access/keys", Right.ADMINISTER, admit.create_key),
    _act("/access/keys/{key}/revoke", Right.ADMINISTER, admit.revoke_key),
    _read("/settings", handlers_ready.settings),
    _read("/hints", handlers.hints),
    _act("/logout", Right.READ, handlers.sign_out),
    _open("GET", "/login", entrance.login),
    _open("POST", "/login", entrance.sign_in),
    _open("GET", entrance.CODE, entrance.code),
    _open("POST", entrance.CODE, entrance.show_code),
    _open("GET", "/login/provider", provided.ask),
    _open("GET", provided.BACK, provided.come_back),
    _open("GET", "/welcome/{token}", entrance.welcome),
    _open("POST", "/welcome/{token}", entrance.first_owner),
    _open("GET", "/answer/{token}", answer.look),
    _open("POST", "/answer/{token}", answer.decide),
    _open("GET", "/static/{file}", entrance.static),
)


def guarded() -> tuple[tuple[str, str, Right], ...]:
    """Return method, path and right of every route that asks for one."""
    return tuple(
        (one.method, one.path, one.right) for one in ROUTES if isinstance(one.right, Right)
    )


def served(console: Console, routes: tuple[Route, ...] = ROUTES) -> list[Served]:
    """Return these routes and no other for an application, each behind its right."""
    ways: dict[str, dict[str, Endpoint]] = {}
    for one in routes:
        ways.setdefault(one.path, {})[one.method] = behind(console, one)
    return [Served(path, _by_method(known), methods=[*known]) for path, known in ways.items()]


def _by_method(known: dict[str, Endpoint]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        # Asking for the head of a page is asking for the page.
        method = "GET" if request.method == "HEAD" else request.method
        return await known[method](request)

    return endpoint


def behind(console: Console, route: Route) -> Endpoint:
    """Return what lets a request through to the route only if it may come in.

    Who is not signed in is sent to the door from a page, and refused from a form. A form is
    read last: its token belongs to the session.
    """
    is_form = route.method == "POST"

    async def endpoint(request: Request) -> Response:
        if is_form:
            check_origin(request)
        signed = None if route.is_apart else await session_of(request, console)
        request.state.signed = signed
        if isinstance(route.right, Right):
            if signed is None and not is_form:
                return RedirectResponse(f"/login{here(request)}", 303)
            if signed is None:
                raise not_signed_in()
            signed.actor.check(route.right)
        form = await read_form(request) if is_form else {}
        visit = Visit(request=request, console=console, signed=signed, form=form)
        if is_form:
            check_form(visit)
        return await route.handler(visit)

    return endpoint
