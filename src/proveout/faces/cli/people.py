"""Commands that say who may come in: users, and keys for programs."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.access import Right, Role
from proveout.errors import Mistake
from proveout.faces.cli.output import (
    answer,
    answer_json,
    faint,
    next_step,
    say,
    sign,
    strong,
    table,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from proveout.domain.access import Actor, ApiKey, User
    from proveout.faces.access import Access

ROLE = click.Choice([role.value for role in Role])


@asynccontextmanager
async def opened_access() -> AsyncGenerator[tuple[Access, Actor]]:
    """Open who there is in the project found here, and who acts."""
    from proveout.faces.access import Access, command_line_actor
    from proveout.faces.project import Project

    async with Project.open() as project:
        access = Access(project.office)
        try:
            users = await access.users()
            yield access, command_line_actor(os.environ, getpass.getuser(), users)
        finally:
            access.close()


@click.group()
def user() -> None:
    """Say which people may sign in, and as what."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="What the person is trusted with.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print a user.v1.")
def add_user(name: str, role: str, password_stdin: bool, as_json: bool) -> None:
    """Let the person called NAME sign in; one who was disabled comes back."""
    password = _password(name, from_stdin=password_stdin)
    added = asyncio.run(_add_user(name, Role(role), password))
    if as_json:
        answer_json(user_v1(added))
        return
    answer(f"{sign('ok')} {name} may sign in as {role}")
    next_step("proveout serve", "opens the console")


async def _add_user(name: str, role: Role, password: str) -> User:
    async with opened_access() as (access, actor):
        return await access.add_user(actor, name, role, password)


def _password(name: str, *, from_stdin: bool) -> str:
    """Return the password that is typed twice, or the first line of standard input."""
    from proveout.faces.passwords import check_password

    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Mistake(
            "there is no terminal to type a password on",
            why="a password on the command line would stay in the shell's history",
            fix=(f"proveout user add {name} --role ROLE --password-stdin < FILE",),
        )
    password = getpass.getpass(f"Password of {name}: ")
    check_password(password, name)
    if getpass.getpass("Once more: ") != password:
        raise Mistake("the two passwords are not the same", fix=("type it again",))
    return password


@user.command("password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print a user.v1.")
def set_password(name: str, password_stdin: bool, as_json: bool) -> None:
    """Give NAME another password, and end every session of theirs."""
    changed = asyncio.run(_set_password(name, _password(name, from_stdin=password_stdin)))
    _said(changed, f"{name} has another password and is signed out", as_json=as_json)


async def _set_password(name: str, password: str) -> User:
    async with opened_access() as (access, actor):
        await access.set_password(actor, name, password)
        return await access.user(name)


@user.command("role")
@click.argument("name")
@click.argument("role", type=ROLE)
@click.option("--json", "as_json", is_flag=True, help="Print a user.v1.")
def change_role(name: str, role: str, as_json: bool) -> None:
    """Trust NAME with more, or with less, from their next request on."""
    changed = asyncio.run(_change_role(name, Role(role)))
    _said(changed, f"{name} is {role} now", as_json=as_json)


async def _change_role(name: str, role: Role) -> User:
    async with opened_access() as (access, actor):
        await access.change_role(actor, name, role)
        return await access.user(name)


@user.command("disable")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print a user.v1.")
def disable(name: str, as_json: bool) -> None:
    """Keep NAME out, and end every session of theirs."""
    changed = asyncio.run(_disable(name))
    _said(changed, f"{name} is kept out", as_json=as_json)


async def _disable(name: str) -> User:
    async with opened_access() as (access, actor):
        await access.disable(actor, name)
        return await access.user(name)


def _said(changed: User, what: str, *, as_json: bool) -> None:
    if as_json:
        answer_json(user_v1(changed))
    else:
        answer(f"{sign('ok')} {what}")


@user.command("drop-factor")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print a user.v1.")
def drop_factor(name: str, as_json: bool) -> None:
    """Let NAME sign in by password alone, who lost the device that shows codes."""
    changed = asyncio.run(_drop_factor(name))
    _said(changed, f"{name} signs in by password alone", as_json=as_json)


async def _drop_factor(name: str) -> User:
    from proveout.faces.second_factor import SecondFactors

    async with opened_access() as (access, actor):
        await SecondFactors(access).drop(actor, name)
        return await access.user(name)


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one user.v1 a line.")
def list_users(as_json: bool) -> None:
    """List users, disabled ones included."""
    found = asyncio.run(_users())
    if as_json:
        for one in found:
            answer_json(user_v1(one))
    elif not found:
        say("nobody may sign in yet: proveout user add NAME --role owner")
    else:
        rows = [
            (one.name, one.role, _state(one.disabled), _shows(one), _day(one.created))
            for one in found
        ]
        table(rows, ("user", "role", "state", "known by", "since"))


def _shows(one: User) -> str:
    return one.issuer or ("password" if one.factor is None else "password and code")


async def _users() -> list[User]:
    async with opened_access() as (access, _):
        return await access.users()


def user_v1(one: User) -> dict[str, Any]:
    """Return a user as the object that callers outside rely on; the hash stays inside."""
    return {
        "schema": "user.v1",
        "name": one.name,
        "role": one.role,
        "disabled": one.disabled,
        "second_factor": one.factor is not None,
        "created_at": one.created.isoformat(),
    }


@click.group()
def key() -> None:
    """Say which programs may come in, and as what."""


@key.command("create")
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="What the program is trusted with.")
@click.option("--expires", metavar="TIME", help='How long it is valid, such as "90 days".')
@click.option(
    "--only",
    type=click.Choice([right.value for right in Right]),
    multiple=True,
    help="A right of the role that it has; may repeat. Without it, all of them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a key.v1 with its secret.")
def create_key(
    name: str, role: str, expires: str | None, only: tuple[str, ...], as_json: bool
) -> None:
    """Make a key called NAME; its secret is printed now and never again."""
    made, secret = asyncio.run(_create_key(name, Role(role), expires, only))
    if as_json:
        answer_json({**key_v1(made), "secret": secret})
        return
    until = "for as long as nobody revokes it" if made.expires is None else _until(made.expires)
    say(f"{sign('ok')} {name} may come in as {role}, {until}")
    answer(strong(secret))
    say(faint("shown once: keep it where your program finds its secrets"))


async def _create_key(
    name: str, role: Role, expires: str | None, only: tuple[str, ...]
) -> tuple[ApiKey, str]:
    from proveout.domain.duration import duration

    lasts = None if expires is None else duration(expires)
    async with opened_access() as (access, actor):
        return await access.create_key(actor, name, role, lasts, [Right(one) for one in only])


def _until(moment: datetime) -> str:
    return f"until {moment.astimezone():%Y-%m-%d %H:%M %Z}"


@key.command("revoke")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print a key.v1.")
def revoke_key(name: str, as_json: bool) -> None:
    """Let nobody in with the key called NAME any more."""
    revoked = asyncio.run(_revoke_key(name))
    if as_json:
        answer_json(key_v1(revoked))
    else:
        answer(f"{sign('ok')} {name} opens nothing any more")


async def _revoke_key(name: str) -> ApiKey:
    async with opened_access() as (access, actor):
        await access.revoke_key(actor, name)
        return [one for one in await access.keys() if one.name == name][-1]


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one key.v1 a line.")
def list_keys(as_json: bool) -> None:
    """List keys, revoked ones included; their secrets are kept nowhere."""
    found = asyncio.run(_keys())
    if as_json:
        for one, used in found:
            answer_json({**key_v1(one), "used_at": None if used is None else used.isoformat()})
    elif not found:
        say("no program may come in yet: proveout key create NAME --role operator")
    else:
        rows = [
            (one.name, _what(one), _state(one.revoked), _end(one), _last(used), one.by)
            for one, used in found
        ]
        table(rows, ("key", "role", "state", "until", "last used", "made by"))


async def _keys() -> list[tuple[ApiKey, datetime | None]]:
    async with opened_access() as (access, _):
        used = await access.uses.all()
        return [(one, used.get(one.hash)) for one in await access.keys()]


def _what(one: ApiKey) -> str:
    return f"{one.role}: {', '.join(one.only)}" if one.only else one.role


def _last(used: datetime | None) -> str:
    return "never" if used is None else _day(used)


def key_v1(one: ApiKey) -> dict[str, Any]:
    """Return a key as the object that callers outside rely on; the hash stays inside."""
    return {
        "schema": "key.v1",
        "name": one.name,
        "role": one.role,
        "only": [*one.only],
        "revoked": one.revoked,
        "created_at": one.created.isoformat(),
        "expires_at": None if one.expires is None else one.expires.isoformat(),
        "by": one.by,
    }


def _state(is_out: bool) -> str:
    return "out" if is_out else "in"


def _end(one: ApiKey) -> str:
    return "revoked" if one.expires is None else _day(one.expires)


def _day(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d}"
