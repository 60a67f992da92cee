"""What the console answers about who may come in: pages, and what their forms lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.domain.access import RIGHTS, NotSignedIn, Right, Role
from proveout.domain.duration import duration
from proveout.faces.access import is_past
from proveout.faces.api.problems import BadRequest, status_of
from proveout.faces.second_factor import WrongCode
from proveout.faces.web import gather
from proveout.faces.web.entrance import sentence
from proveout.faces.web.gather_datasets import first_input
from proveout.faces.web.people import (
    AccessPage,
    AccountPage,
    FactorPage,
    KeyRow,
    SessionRow,
    UserRow,
    example_call,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from starlette.responses import Response

    from proveout.domain.access import ApiKey, Session
    from proveout.errors import ProveoutError
    from proveout.faces.access import NewKey
    from proveout.faces.web.visit import Visit

PLACE, OWN = "/access", "/account"


async def access(visit: Visit) -> Response:
    """Show users, keys and sessions."""
    return await _access(visit)


async def _access(visit: Visit, made: NewKey | None = None) -> Response:
    console = visit.console
    used = await console.access.uses.all()
    now = console.project.bench.clock.now()
    page = AccessPage(
        users=tuple(
            UserRow(
                name=one.name,
                role=one.role,
                disabled=one.disabled,
                created=one.created,
                by=one.issuer,
                shows_code=one.factor is not None,
            )
            for one in await console.access.users()
        ),
        keys=tuple(_key_row(one, used, now) for one in await console.access.keys()),
        sessions=_session_rows(visit, await console.sessions.living(), used),
        secret="" if made is None else made.secret,
        made="" if made is None else made.key.name,
        call="" if made is None else await _call(visit, made.key),
    )
    return visit.page(page, gather.frame(visit, await gather.standing(console.project)))


async def _call(visit: Visit, key: ApiKey) -> str:
    """Return a command that calls the API with a key, at the address by which we are reached."""
    return example_call(
        str(visit.request.base_url).rstrip("/"),
        visit.console.project.name,
        await first_input(visit.console),
        may_enqueue=Right.ENQUEUE in (key.only or RIGHTS[key.role]),
    )


def _key_row(one: ApiKey, used: dict[str, datetime], now: datetime) -> KeyRow:
    is_out = is_past(one.expires, now)
    return KeyRow(
        name=one.name,
        role=one.role,
        state="revoked" if one.revoked else "expired" if is_out else "valid",
        only=one.only,
        expires=one.expires,
        used=used.get(one.hash),
        by=one.by,
    )


def _session_rows(
    visit: Visit, sessions: Sequence[Session], used: dict[str, datetime]
) -> tuple[SessionRow, ...]:
    ours = "" if visit.signed is None else visit.signed.session.hash
    return tuple(
        SessionRow(
            id=one.id,
            user=one.user,
            created=one.created,
            used=used.get(one.hash, one.created),
            address=one.address,
            agent=one.agent,
            is_this=one.hash == ours,
        )
        for one in sessions
    )


async def account(visit: Visit) -> Response:
    """Show one's own sessions, and where the password is changed."""
    console, name = visit.console, visit.actor.name
    used = await console.access.uses.all()
    own = [one for one in await console.sessions.living() if one.user == name]
    user = await console.access.user(name)
    page = AccountPage(
        sessions=_session_rows(visit, own, used),
        has_password=bool(user.password),
        factor_since=None if user.factor is None else user.factor.since,
    )
    return visit.page(page, gather.frame(visit, await gather.standing(console.project)))


async def add_user(visit: Visit) -> Response:
    """Let a person sign in."""
    name = visit.sent("name").strip().lower()
    await visit.console.access.add_user(visit.actor, name, _role(visit), visit.sent("password"))
    return visit.done(PLACE, "user-added")


async def change_role(visit: Visit) -> Response:
    """Trust a user with more or with less."""
    await visit.console.access.change_role(visit.actor, visit.part("user"), _role(visit))
    return visit.done(PLACE, "role-changed")


async def disable(visit: Visit) -> Response:
    """Keep a user out."""
    await visit.console.access.disable(visit.actor, visit.part("user"))
    return visit.done(PLACE, "user-disabled")


async def create_key(visit: Visit) -> Response:
    """Make a key; the answer shows its secret, which stands nowhere else."""
    lasts = visit.sent("lasts").strip()
    made = await visit.console.access.create_key(
        visit.actor,
        visit.sent("name").strip().lower(),
        _role(visit),
        duration(lasts) if lasts else None,
        [_right(one) for one in visit.form.get("only", [])],
    )
    return await _access(visit, made)


async def revoke_key(visit: Visit) -> Response:
    """Keep a program out."""
    await visit.console.access.revoke_key(visit.actor, visit.part("key"))
    return visit.done(PLACE, "key-revoked")


async def end_session(visit: Visit) -> Response:
    """End a session: one's own, or as an owner anybody's."""
    ended = await visit.console.sessions.end(visit.actor, visit.part("session"))
    is_own = ended.user == visit.actor.name
    return visit.done(OWN if is_own else PLACE, "session-ended")


async def set_password(visit: Visit) -> Response:
    """Take another password, for who knows the one before; every session ends."""
    await _check_password(visit)
    if visit.sent("password") != visit.sent("again"):
        raise BadRequest("the two passwords are not the same", fix=("go back and type it again",))
    await visit.console.access.set_password(visit.actor, visit.actor.name, visit.sent("password"))
    return visit.done("/login")


async def _check_password(visit: Visit) -> None:
    """Leave quietly when who is signed in knows their password.

    Raises:
        NotSignedIn: they do not.
        TooManyTries: too many passwords were tried.
    """
    address = visit.browser.address
    if not await visit.console.sessions.knows(visit.actor.name, visit.sent("current"), address):
        raise NotSignedIn(
            "the current password is another one",
            why="who found a browser open must not be able to keep it",
            fix=("go back and type it again",),
        )


async def factor(visit: Visit) -> Response:
    """Offer a second factor; nothing is kept before a code of it comes back."""
    return await _factor(visit)


async def _factor(visit: Visit, salt: str = "", error: ProveoutError | None = None) -> Response:
    console, name = visit.console, visit.actor.name
    offer = console.sessions.factors.offer(name, f"Proveout {console.project.name}", salt)
    page = FactorPage(
        address=offer.address,
        secret=offer.secret,
        salt=offer.salt,
        replaces=(await console.access.user(name)).factor is not None,
        problem="" if error is None else sentence(error),
    )
    frame = gather.frame(visit, await gather.standing(console.project))
    return visit.page(page, frame, 200 if error is None else status_of(type(error)))


async def add_factor(visit: Visit) -> Response:
    """Ask for codes from now on, of who shows the password and a first code."""
    salt = visit.sent("salt")
    try:
        await _check_password(visit)
        await visit.console.sessions.factors.add(visit.actor, salt, visit.sent("code"))
    except (NotSignedIn, WrongCode) as error:
        return await _factor(visit, salt, error)
    return visit.done(OWN, "factor-added")


async def drop_factor(visit: Visit) -> Response:
    """Ask for one's codes no longer, for who shows the password and a last code."""
    await _check_password(visit)
    address = visit.browser.address
    await visit.console.sessions.drop_factor(visit.actor, visit.sent("code"), address)
    return visit.done(OWN, "factor-dropped")


async def drop_factor_of(visit: Visit) -> Response:
    """Ask for somebody's codes no longer: they lost what shows them."""
    await visit.console.sessions.factors.drop(visit.actor, visit.part("user"))
    return visit.done(PLACE, "factor-dropped")


def _role(visit: Visit) -> Role:
    roles = {one.value: one for one in Role}
    if visit.sent("role") not in roles:
        raise BadRequest("the form names no role", why=f"it is one of {', '.join(roles)}")
    return roles[visit.sent("role")]


def _right(text: str) -> Right:
    rights = {one.value: one for one in Right}
    if text not in rights:
        raise BadRequest("the form names no right", why=f"it is one of {', '.join(rights)}")
    return rights[text]
