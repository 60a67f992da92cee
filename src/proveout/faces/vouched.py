"""People whom an identity provider vouches for: what they are called, and what they may."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, cast

from proveout.domain.access import Actor, NoRight, Role, User
from proveout.domain.ledger import Deed
from proveout.faces.access import SECRET_BYTES, ended_sessions, of_user
from proveout.ports.identity import NotVouched, Question
from proveout.release.decide import Decision, amend, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.faces.access import Access
    from proveout.faces.settings_access import OidcSettings
    from proveout.ports.identity import Vouched


def new_question(back: str) -> Question:
    """Return a question that nobody asked before."""
    state, nonce, verifier = (secrets.token_urlsafe(SECRET_BYTES) for _ in range(3))
    return Question(state=state, nonce=nonce, verifier=verifier, back=back)


def role_of(claims: Mapping[str, Any], settings: OidcSettings) -> Role | None:
    """Return the highest role that the claim stands for; None where it stands for none."""
    value = claims.get(settings.claim)
    said = cast("list[Any]", value) if isinstance(value, list) else [value]
    held = {one for one in said if isinstance(one, str)}
    roles = [role for role, values in settings.roles.items() if held & set(values)]
    return max(roles, key=[*Role].index, default=None)


def name_of(claims: Mapping[str, Any], settings: OidcSettings) -> str:
    """Return what the person is called here.

    Raises:
        NotVouched: the claim is missing, or is an address of mail that nobody verified.
    """
    name = claims.get(settings.name)
    if not isinstance(name, str) or not name.strip():
        raise NotVouched(
            f"the identity provider says no {settings.name}",
            why="people are called by it here",
            fix=("[access.oidc] name in proveout.toml",),
        )
    if settings.name == "email" and claims.get("email_verified") is not True:
        raise NotVouched(
            "the identity provider did not verify the address of mail",
            why="whoever types one there could be called by somebody else's",
            fix=("verify it there", '[access.oidc] name = "preferred_username"'),
        )
    return name.strip().lower()


async def admit(access: Access, vouched: Vouched, settings: OidcSettings) -> User:
    """Return the user whom the provider vouches for, in the role that it says today.

    They are bound by what the issuer calls them for ever: another person under the same
    name, or a user with a password, is never taken for them.

    Raises:
        NoRight: the claim stands for no role, or an owner keeps them out.
        NotVouched: nobody can be called what the token says.
        NameTaken: somebody else is called that.
        BadName: nobody can be called that.
    """
    role = role_of(vouched.claims, settings)
    name = name_of(vouched.claims, settings)
    user = await _bound(access, vouched)
    if user is not None and user.disabled:
        raise _kept_out(f"{user.name} is disabled", "an owner keeps this user out")
    if role is None:
        if user is not None:
            await _sign_out(access, user)
        raise _kept_out(
            f"{name[:64]} has no role here",
            f'no value of their claim "{settings.claim}" stands for one',
        )
    if user is not None and user.role is role:
        return user
    new = User(
        name=name if user is None else user.name,
        role=role,
        password="",  # nobody signs in with it  # nosec B106
        created=access.office.clock.now() if user is None else user.created,
        issuer=vouched.issuer,
        subject=vouched.subject,
    )

    actor = Actor(name=new.name, role=role)

    async def think() -> Decision:
        now = await _bound(access, vouched)
        if now != user:  # somebody decided meanwhile; the next sign-in sees it
            raise NotVouched("you were changed while you came in", fix=("sign in again",))
        if now is None:
            await access.check_free(name)
            return of_user(actor, "add user", new, {"role": role, "issuer": vouched.issuer})
        facts = {"before": now.role, "after": role, "issuer": vouched.issuer}
        return of_user(actor, "change role", new, facts)

    await decide(access.office, think)
    return new


async def _bound(access: Access, vouched: Vouched) -> User | None:
    """Return the user who was let in on the word of this issuer before; None for nobody."""
    bound = (vouched.issuer, vouched.subject)
    return next((one for one in await access.users() if (one.issuer, one.subject) == bound), None)


async def _sign_out(access: Access, user: User) -> None:
    """End the sessions of a user who has no role any more."""
    if ended := await ended_sessions(access.office.store, user.name):
        deed = Deed(actor=user.name, act="end sessions", subject=user.name, facts={"role": None})
        await amend(access.office, deed, tuple(ended))


def _kept_out(what: str, why: str) -> NoRight:
    return NoRight(what, why=why, fix=("ask an owner",))
