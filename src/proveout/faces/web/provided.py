"""The way in by an identity provider: sent there with a question, and back with its answer."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.responses import RedirectResponse

from proveout.faces.api.problems import NoSuchPath
from proveout.faces.cookie import Cookie, bound
from proveout.faces.sessions import SESSION_LENGTH
from proveout.faces.vouched import admit, new_question
from proveout.faces.web.doors import ArrivedPage
from proveout.faces.web.gather import door_frame
from proveout.faces.web.visit import back_to
from proveout.ports.identity import NotVouched, Question

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.faces.settings_access import OidcSettings
    from proveout.faces.web.visit import Visit
    from proveout.ports.identity import Provider

BACK = "/login/back"
"""Where the provider sends browsers back to; it must be registered there."""

WAY_LASTS = 600
"""Seconds that somebody may take at the provider."""


async def ask(visit: Visit) -> Response:
    """Send a browser to the identity provider; what it asks there stays in a cookie of its own."""
    provider, _ = _provider(visit)
    question = new_question(_back(visit))
    answer = RedirectResponse(await provider.address(question), 303)
    kept = (question.state, question.nonce, question.verifier, back_to(visit.asked("back")))
    answer.set_cookie(
        _way(visit),
        ".".join(quote(one, safe="") for one in kept),
        max_age=WAY_LASTS,
        path="/",
        secure=visit.is_secure,
        httponly=True,
        samesite="lax",  # it must come back with the browser, from another site
    )
    return answer


async def come_back(visit: Visit) -> Response:
    """Let in whom the identity provider vouches for.

    The answer is a page that leads on: a redirect would still belong to the other site, and
    be followed without the cookie of the new session.
    """
    provider, settings = _provider(visit)
    question, back = _question(visit)
    console, browser = visit.console, visit.browser
    console.sessions.count_try(browser.address)
    vouched = await provider.answer(question, dict(visit.request.query_params))
    user = await admit(console.access, vouched, settings)
    console.sessions.forgive_try(browser.address)
    begun = await console.sessions.begin(user, browser)
    answer = visit.page(ArrivedPage(path=back), await door_frame(visit))
    answer.headers["Refresh"] = f"0; url={back}"
    answer.delete_cookie(_way(visit), secure=visit.is_secure, httponly=True, samesite="lax")
    cookie = Cookie(
        secret=begun.secret,
        max_age=int(SESSION_LENGTH.total_seconds()),
        secure=visit.is_secure,
    )
    answer.headers.append("set-cookie", cookie.header())
    return answer


def _provider(visit: Visit) -> tuple[Provider, OidcSettings]:
    provider = visit.console.provider
    settings = visit.console.project.settings.access.oidc
    if provider is None or settings is None:
        raise NoSuchPath("no identity provider vouches for anybody here", fix=("sign in",))
    return provider, settings


def _question(visit: Visit) -> tuple[Question, str]:
    """Return what this browser asked, and where it wanted to go.

    Raises:
        NotVouched: it asked nothing, or what comes back answers another browser.
    """
    kept = [unquote(one) for one in visit.request.cookies.get(_way(visit), "").split(".")]
    state = visit.asked("state")
    if len(kept) == KEPT and state and hmac.compare_digest(state.encode(), kept[0].encode()):
        question = Question(state=kept[0], nonce=kept[1], verifier=kept[2], back=_back(visit))
        return question, back_to(kept[3])
    raise NotVouched(
        "this browser did not ask to be let in, or took too long",
        why="an answer for another browser would sign you in as somebody else",
        fix=("sign in again",),
    )


KEPT = 4


def _way(visit: Visit) -> str:
    return bound("proveout_way", secure=visit.is_secure)


def _back(visit: Visit) -> str:
    url = visit.request.url
    return f"{url.scheme}://{url.netloc}{BACK}"
