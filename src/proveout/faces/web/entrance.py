"""What the console answers at its door: sign in, the first owner's welcome, style and signs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.responses import Response

from proveout.domain.access import NotSignedIn
from proveout.errors import Mistake, Outage, ProveoutError
from proveout.faces.api.problems import RETRY_AFTER, NoSuchPath, status_of
from proveout.faces.cookie import Cookie, bound
from proveout.faces.second_factor import WrongCode
from proveout.faces.sessions import CODE_LASTS, SESSION_LENGTH, CodeNeeded
from proveout.faces.tries import TooManyTries
from proveout.faces.web.doors import CodePage, LoginPage, WelcomePage
from proveout.faces.web.gather import door_frame
from proveout.faces.web.render import STATIC, static_file
from proveout.faces.web.visit import DOOR, back_to, set_cookie

if TYPE_CHECKING:
    from proveout.faces.sessions import NewSession
    from proveout.faces.web.visit import Visit

STATIC_LASTS = 300
"""Seconds for which browsers keep our style sheet and pictures."""

PASSWORDS_DIFFER = "the two passwords are not the same"
PLACE, LOGIN, CODE = "/", "/login", "/login/code"


async def login(visit: Visit) -> Response:
    """Show the way in."""
    back = back_to(visit.asked("back"))
    if visit.signed is not None:
        return visit.done(back)
    return visit.page(_login(visit, back), await door_frame(visit))


async def sign_in(visit: Visit) -> Response:
    """Begin a session for who knows the password, or ask for the code that they show as well."""
    name, back = visit.sent("name"), back_to(visit.sent("back"))
    browser = visit.browser
    try:
        begun = await visit.console.sessions.sign_in(
            name, visit.sent("password"), browser.address, browser
        )
    except CodeNeeded as needed:
        return _to_code(visit, needed, back)
    except (NotSignedIn, TooManyTries, Outage) as error:
        page = replace(_login(visit, back), name=name[:64], problem=sentence(error))
        return await _refused(visit, page, error)
    return _signed_in(visit, begun, back)


def _to_code(visit: Visit, needed: CodeNeeded, back: str) -> Response:
    answer = visit.done(CODE if back == PLACE else f"{CODE}?back={quote(back, safe='')}")
    lasts, secure = int(CODE_LASTS.total_seconds()), visit.is_secure
    set_cookie(answer, _half_way_cookie(visit), needed.half_way, secure=secure, lasts=lasts)
    return answer


async def code(visit: Visit) -> Response:
    """Show where somebody who showed their password shows a code."""
    back = back_to(visit.asked("back"))
    if visit.signed is not None or _half_way_cookie(visit) not in visit.request.cookies:
        return visit.done(back if visit.signed is not None else LOGIN)
    return visit.page(CodePage(back="" if back == PLACE else back), await door_frame(visit))


async def show_code(visit: Visit) -> Response:
    """Begin a session for who showed their password before, and shows the right code now."""
    back = back_to(visit.sent("back"))
    half_way = visit.request.cookies.get(_half_way_cookie(visit), "")
    try:
        begun = await visit.console.sessions.show_code(half_way, visit.sent("code"), visit.browser)
    except NotSignedIn as error:
        page = replace(_login(visit, back), problem=sentence(error))
        return await _refused(visit, page, error)
    except (WrongCode, TooManyTries, Outage) as error:
        shown = CodePage(problem=sentence(error), back="" if back == PLACE else back)
        return await _refused(visit, shown, error)
    answer = _signed_in(visit, begun, back)
    secure = visit.is_secure
    answer.delete_cookie(_half_way_cookie(visit), secure=secure, httponly=True, samesite="strict")
    return answer


def _half_way_cookie(visit: Visit) -> str:
    """Return the name of the cookie of who showed their password, and no code yet."""
    return bound("proveout_half_way", secure=visit.is_secure)


def _login(visit: Visit, back: str) -> LoginPage:
    settings = visit.console.project.settings.access.oidc
    host = "" if settings is None else urlsplit(settings.issuer).netloc
    return LoginPage(back="" if back == PLACE else back, provider=host)


async def welcome(visit: Visit) -> Response:
    """Show where the first owner takes a name and a password; looking spends nothing."""
    token = visit.part("token")
    await visit.console.sessions.check_link(token)
    return visit.page(WelcomePage(token=token), await door_frame(visit))


async def first_owner(visit: Visit) -> Response:
    """Spend the one-time link on the first owner, who is signed in by it."""
    token, name = visit.part("token"), visit.sent("name")
    password = visit.sent("password")
    try:
        _check_same(password, visit.sent("again"))
        begun = await visit.console.sessions.first_owner(token, name, password)
    except Mistake as error:
        page = WelcomePage(token=token, name=name[:64], problem=sentence(error))
        return await _refused(visit, page, error)
    return _signed_in(visit, begun, PLACE, "welcome")


def _check_same(password: str, again: str) -> None:
    if password != again:
        raise Mistake(PASSWORDS_DIFFER)


async def static(visit: Visit) -> Response:
    """Give a file beside the pages."""
    name = visit.part("file")
    if name not in STATIC:
        raise NoSuchPath("there is no such file")
    kept = {"Cache-Control": f"public, max-age={STATIC_LASTS}"}
    return Response(static_file(name), 200, kept, STATIC[name])


def _signed_in(visit: Visit, begun: NewSession, path: str, flash: str = "") -> Response:
    answer = visit.done(path, flash)
    answer.delete_cookie(DOOR, httponly=True, samesite="strict")
    cookie = Cookie(
        secret=begun.secret,
        max_age=int(SESSION_LENGTH.total_seconds()),
        secure=visit.is_secure,
    )
    answer.headers.append("set-cookie", cookie.header())
    return answer


async def _refused(
    visit: Visit, page: LoginPage | CodePage | WelcomePage, error: ProveoutError
) -> Response:
    answer = visit.page(page, await door_frame(visit), status_of(type(error)))
    if isinstance(error, TooManyTries):
        answer.headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, Outage):
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def sentence(error: ProveoutError) -> str:
    """Return what went wrong and why, to be shown beside the form."""
    said = f"{error.message}; {error.why}" if error.why else error.message
    return f"{said[:1].upper()}{said[1:]}."
