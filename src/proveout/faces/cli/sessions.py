"""Commands about who is signed in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from proveout.faces.cli.output import answer, answer_json, say, sign, table
from proveout.faces.cli.people import opened_access

if TYPE_CHECKING:
    from datetime import datetime

    from proveout.domain.access import Session


@click.group()
def session() -> None:
    """Say which browsers are signed in."""


@session.command("list")
@click.option("--user", "user", metavar="NAME", help="Only those of this user.")
@click.option("--json", "as_json", is_flag=True, help="Print one session.v1 a line.")
def list_sessions(user: str | None, as_json: bool) -> None:
    """List who is signed in, where from, and when they were last there."""
    found = [one for one in asyncio.run(_sessions()) if user in {None, one[0].user}]
    if as_json:
        for one, used in found:
            answer_json(session_v1(one, used))
    elif not found:
        say("nobody is signed in")
    else:
        rows = [
            (one.id, one.user, one.address, f"{used.astimezone():%H:%M}") for one, used in found
        ]
        table(rows, ("session", "user", "from", "last used"))


async def _sessions() -> list[tuple[Session, datetime]]:
    from proveout.faces.sessions import Sessions

    async with opened_access() as (access, _):
        used = await access.uses.all()
        living = await Sessions(access).living()
        return [(one, used.get(one.hash, one.created)) for one in living]


def session_v1(one: Session, used: datetime) -> dict[str, Any]:
    """Return a session as the object that callers outside rely on; the hash stays inside."""
    return {
        "schema": "session.v1",
        "id": one.id,
        "user": one.user,
        "address": one.address,
        "agent": one.agent,
        "created_at": one.created.isoformat(),
        "used_at": used.isoformat(),
        "expires_at": one.expires.isoformat(),
    }


@session.command("end")
@click.argument("session_id", metavar="SESSION")
@click.option("--json", "as_json", is_flag=True, help="Print a session.v1.")
def end_session(session_id: str, as_json: bool) -> None:
    """End SESSION; that browser must sign in again."""
    ended = asyncio.run(_end(session_id))
    if as_json:
        answer_json(session_v1(ended, ended.created))
    else:
        answer(f"{sign('ok')} {ended.user} must sign in again")


async def _end(session_id: str) -> Session:
    from proveout.faces.sessions import Sessions

    async with opened_access() as (access, actor):
        return await Sessions(access).end(actor, session_id)
