"""Visits: a request to the console, with who is signed in and what the form holds."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

from proveout.domain.access import NotSignedIn
from proveout.errors import Refusal
from proveout.faces.api.bodies import read_body
from proveout.faces.api.problems import BadRequest
from proveout.faces.cookie import cookie_name
from proveout.faces.sessions import Browser, ForgedForm, check_csrf
from proveout.faces.web.frame import Flash, Tone
from proveout.faces.web.render import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from starlette.requests import Request

    from proveout.domain.access import Actor
    from proveout.faces.access import Access
    from proveout.faces.api.doors import Accept
    from proveout.faces.project import Project
    from proveout.faces.sessions import Sessions, SignedIn
    from proveout.faces.web.frame import Frame, Page
    from proveout.faces.web.hints import Hints
    from proveout.faces.web.known import Known
    from proveout.ports.identity import Provider

FLASH = "proveout_flash"
DOOR = "proveout_door"
"""Cookies: what came of the last form, and what the forms outside the door carry back."""

FLASH_LASTS = 30
"""Seconds."""

FRAGMENT = "x-fragment"
"""The header with which a page that is open asks for what may have changed of it."""

OK = 200

FIELDS = 200
"""Fields that a form may have."""

FLASHES: Mapping[str, Flash] = {
    "cancelled": Flash(text="The run is cancelled. What it has in flight stops at its next step."),
    "replayed": Flash(text="This is the new run, on the same input."),
    "replayed-edited": Flash(text="This is the new run, on the input that you gave."),
    "approved": Flash(text="Approved: exactly this draft."),
    "edited": Flash(text="Your edit is approved."),
    "rejected": Flash(text="Rejected."),
    "approved-first": Flash(
        text="Approved by you. It takes a second person before the run goes on.", tone=Tone.WAIT
    ),
    "saved": Flash(text="Saved. Nothing is decided; what you see now is what can be approved."),
    "claimed": Flash(text="It is yours for a while: nobody else can decide it meanwhile."),
    "released": Flash(text="Released. It waits for whoever comes first."),
    "snoozed": Flash(text="Snoozed: it comes back by itself. Its deadline does not wait."),
    "assigned": Flash(text="Assigned."),
    "escalated": Flash(
        text="Escalated. It is nobody's until one of those who decide takes it.", tone=Tone.WAIT
    ),
    "undone": Flash(text="Undone. The review waits again, with the draft that the workflow made."),
    "undone-edited": Flash(text="Undone. The review waits again, with the draft as it was edited."),
    "promoted": Flash(text="Promoted. From now on the workflow meets real requests."),
    "back-finish": Flash(text="Rolled back. Runs in flight finish on the release they began with."),
    "back-park": Flash(text="Rolled back. Runs in flight are parked until a person decides."),
    "back-cancel": Flash(text="Rolled back. Runs in flight are cancelled."),
    "widened": Flash(text="The canary gets that share of the new runs from now on."),
    "halted": Flash(
        text="Halted. Within two seconds no run is claimed and no effect begins.", tone=Tone.WAIT
    ),
    "resumed": Flash(text="Resumed. Runs are claimed again."),
    "taken": Flash(text="It is yours. Nobody else is told until it comes back, or is over."),
    "silenced": Flash(text="Silenced. Its alerts are still shown here.", tone=Tone.WAIT),
    "unsilenced": Flash(text="The silence has ended. People are told again."),
    "user-added": Flash(text="The person may sign in now."),
    "role-changed": Flash(text="The role counts from their next request on."),
    "user-disabled": Flash(text="Kept out. Their sessions have ended."),
    "factor-added": Flash(text="Set up. From now on the door asks for a code of your app, too."),
    "factor-dropped": Flash(text="Dropped. The password alone opens the door."),
    "key-revoked": Flash(text="Revoked. The key opens nothing any more."),
    "session-ended": Flash(text="Ended. That browser must sign in again."),
    "welcome": Flash(text="You are the first owner, and you are signed in."),
}
"""All that a page can say of the form before; the cookie holds the name alone."""


class CrossOrigin(Refusal):
    """A form was sent from a page that is not ours."""

    code = "cross-origin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The parts behind the console of one project.

    Attributes:
        access: who may come in; its office takes the decisions.
        zone: in which times are shown.
        known: what was found out of late and is dear to find out again.
        hints: tell browsers that something has changed.
        accept: reads an input as what serves asks for it.
        provider: who vouches for people; None where their passwords do.
    """

    project: Project
    access: Access
    sessions: Sessions
    zone: tzinfo
    known: Known
    hints: Hints
    accept: Accept
    provider: Provider | None = None


Form: TypeAlias = "dict[str, list[str]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that may come in.

    Attributes:
        signed: the session; None outside the door.
        form: every field that was sent, with its values.
    """

    request: Request
    console: Console
    signed: SignedIn | None
    form: Form = field(default_factory=dict[str, list[str]])

    @property
    def actor(self) -> Actor:
        """Who is signed in.

        Raises:
            NotSignedIn: nobody is.
        """
        if self.signed is None:
            raise not_signed_in()
        return self.signed.actor

    @property
    def csrf(self) -> str:
        """What every form of this visit sends back."""
        return self.signed.session.csrf if self.signed else door_token(self.request)

    @property
    def flash(self) -> Flash | None:
        """What came of the form that was sent last."""
        return FLASHES.get(self.request.cookies.get(FLASH, ""))

    @property
    def is_secure(self) -> bool:
        """Whether the browser came over TLS."""
        return is_secure(self.request)

    @property
    def browser(self) -> Browser:
        """What sent the request."""
        return Browser(
            address=self.request.client.host if self.request.client else "",
            agent=self.request.headers.get("user-agent", ""),
            former=self.request.cookies.get(cookie_name(secure=self.is_secure), ""),
        )

    def sent(self, name: str) -> str:
        """Return a field of the form, its lines ended by LF alone; "" where it was not sent."""
        return (*self.all_sent(name), "")[0]

    def all_sent(self, name: str) -> tuple[str, ...]:
        """Return every field of the form that has this name, its lines ended by LF alone."""
        return tuple(one.replace("\r\n", "\n") for one in self.form.get(name, []))

    def asked(self, name: str) -> str:
        """Return a field of the address; "" where it is not there."""
        return self.request.query_params.get(name, "")

    def part(self, name: str) -> str:
        """Return a blank of the path, as it was filled in."""
        return str(self.request.path_params[name])

    def page(self, page: Page, frame: Frame, status: int = 200) -> Response:
        """Return a page; what the last form came to is said once."""
        if FRAGMENT in self.request.headers and self.signed is not None:
            return self._fragment(page, frame, status)
        answer = HTMLResponse(render(page, frame), status)
        if FLASH in self.request.cookies:
            answer.delete_cookie(FLASH, httponly=True, samesite="strict")
        if self.signed is None:
            set_cookie(answer, DOOR, frame.csrf, secure=self.is_secure)
        return answer

    def _fragment(self, page: Page, frame: Frame, status: int) -> Response:
        """Return what of a page may change, or that nothing has; what a form came to stays."""
        text = render(page, frame, is_fragment=True)
        tag = f'"{hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]}"'
        if status == OK and self.request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return HTMLResponse(text, status, {"ETag": tag})

    def done(self, path: str, flash: str = "") -> Response:
        """Send the browser on after a form, to a page that says what came of it."""
        answer = RedirectResponse(path, 303)
        if flash:
            secure = self.is_secure
            set_cookie(answer, FLASH, flash, secure=secure, lasts=FLASH_LASTS)
        return answer


def set_cookie(
    answer: Response, name: str, value: str, *, secure: bool, lasts: int | None = None
) -> None:
    """Set a cookie that scripts cannot read and other sites do not send."""
    answer.set_cookie(
        name, value, max_age=lasts, path="/", secure=secure, httponly=True, samesite="strict"
    )


def door_token(request: Request) -> str:
    """Return what forms outside the door carry back: what the cookie holds, or a new one."""
    known = request.cookies.get(DOOR, "")
    if known.isascii() and len(known) == TOKEN_LENGTH:
        return known
    # One for a request: the page and its cookie must hold the same.
    if not hasattr(request.state, DOOR):
        setattr(request.state, DOOR, secrets.token_urlsafe(TOKEN_BYTES))
    return str(getattr(request.state, DOOR))


TOKEN_BYTES = 32
TOKEN_LENGTH = 43


def is_secure(request: Request) -> bool:
    """Whether a request came over TLS, to us or to the proxy before us."""
    return request.url.scheme == "https"


async def session_of(request: Request, console: Console) -> SignedIn | None:
    """Return the session whose cookie the request carries, or None."""
    secret = request.cookies.get(cookie_name(secure=is_secure(request)), "")
    if not secret:
        return None
    try:
        return await console.sessions.session(secret)
    except NotSignedIn:
        return None


async def read_form(request: Request) -> Form:
    """Return the fields of a form.

    Raises:
        BadRequest: what was sent is no form.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in {"", "application/x-www-form-urlencoded"}:
        raise BadRequest("the body is no form", fix=("load the page again",))
    body = await read_body(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        raise BadRequest(
            "the form cannot be read", why="it is not text in UTF-8", fix=("load the page again",)
        ) from None
    form: Form = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def check_origin(request: Request) -> None:
    """Leave quietly when a form was sent from one of our own pages, as far as headers tell.

    Raises:
        CrossOrigin: it was sent from elsewhere.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = request.headers.get("host", "").lower()
    if site not in {None, "same-origin", "none"} or (
        origin is not None and urlsplit(origin).netloc.lower() != ours
    ):
        raise CrossOrigin(
            "the form was sent from another site",
            why="only our own pages may change anything here",
            fix=("open the console itself, and send the form there",),
        )


def check_form(visit: Visit) -> None:
    """Leave quietly when a form carries the token of its session, or of its page at the door.

    Raises:
        ForgedForm: it does not.
    """
    given = visit.sent("csrf")
    if visit.signed is not None:
        check_csrf(visit.signed.session, given)
        return
    known = visit.request.cookies.get(DOOR, "")
    if not known or not hmac.compare_digest(known.encode(), given.encode("utf-8", "replace")):
        raise ForgedForm(
            "the form is not one of ours, or an old one",
            why="it does not carry what its page was given",
            fix=("load the page again",),
        )


def back_to(path: str) -> str:
    """Return where to go after signing in: a path of ours, whatever was asked for.

    >>> back_to("/runs?state=DEAD"), back_to("//elsewhere"), back_to("https://example.org")
    ('/runs?state=DEAD', '/', '/')
    """
    is_ours = path.startswith("/") and not path.startswith("//") and path.isprintable()
    return path if is_ours and "\\" not in path and path.isascii() else "/"


def here(request: Request) -> str:
    """Return what tells the door where to lead back to; "" where that is its usual way."""
    query = f"?{request.url.query}" if request.url.query else ""
    path = f"{request.url.path}{query}"
    return "" if path == "/" else f"?back={quote(path, safe='')}"


def not_signed_in() -> NotSignedIn:
    """Return what is told to who is not signed in."""
    return NotSignedIn(
        "you are not signed in",
        why="the session has ended, or there was none",
        fix=("sign in, then send it again",),
    )
