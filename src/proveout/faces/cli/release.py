"""Commands of the chapter `release`: create, list, show and keep releases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.access import Right
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    faint,
    next_step,
    say,
    sign,
    strong,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proveout.domain.release import InFlight, Pointer, Release
    from proveout.faces.project import Project

SHORT = 12
"""Characters of a digest that are shown."""


@click.group()
def release() -> None:
    """Create, list, show, compare and keep releases."""


@release.command("create")
@click.option("--json", "as_json", is_flag=True, help="Print one release.v1.")
def create_release(as_json: bool) -> None:
    """Keep what the working tree executes, and its packages, as an immutable release.

    The same content is the same release, whoever makes it, wherever and whenever.
    """
    made, is_new = asyncio.run(_create())
    if as_json:
        answer_json({**release_v1(made, "created"), "created": is_new})
        return
    said = "created" if is_new else "is known: the same content is the same release"
    answer(f"{sign('ok')} {strong(made.name)} {said}")
    answer(f"    digest    {made.digest}")
    answer(f"    code      {faint(made.code[:SHORT])}")
    answer(f"    packages  {faint(made.environment[:SHORT])}")
    next_step("proveout drill --due", "proves the open claims, one by one")


async def _create() -> tuple[Release, bool]:
    from proveout.faces.operating import acting
    from proveout.faces.project import Project
    from proveout.faces.released import create_release

    async with Project.open() as project:
        actor = await acting(project, Right.OPERATE)
        created = await create_release(project, actor.name)
        return created.release, created.is_new


def release_v1(one: Release, state: str) -> dict[str, Any]:
    """Return a release as the object that callers outside rely on."""
    return {
        "schema": "release.v1",
        "name": one.name,
        "digest": one.digest,
        "workflow": one.workflow,
        "state": state,
        "code": one.code,
        "environment": one.environment,
        "created_at": one.created.isoformat(),
        "by": one.by,
    }


@release.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one release.v1 a line.")
def list_releases(as_json: bool) -> None:
    """List every release with where it stands, the newest first."""
    found = asyncio.run(_list())
    if as_json:
        for one, state, _ in found:
            answer_json(release_v1(one, state))
    elif not found:
        say("no release yet: proveout release create makes one")
    else:
        table(
            [
                (one.name, state, share, one.digest[:SHORT], when(one.created), one.by)
                for one, state, share in found
            ],
            ("release", "state", "share", "digest", "created", "by"),
        )


def when(moment: datetime) -> str:
    """Return a moment in the local zone, as a person reads it."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M %Z}"


async def _list() -> list[tuple[Release, str, str]]:
    from proveout.faces.operating import operating

    async with operating() as project:
        pointer = await project.store.pointer(project.name)
        releases = await project.store.releases(project.name)
        served = await _served(project)
        return [
            (one, await _state(project, one, pointer, served), share_of(one, pointer))
            for one in reversed(releases)
        ]


async def _served(project: Project) -> set[str]:
    """Return the digests of all releases that ever got new runs."""
    from proveout.release.move import RECENT
    from proveout.release.route import history

    moves = history(await project.store.ledger(limit=RECENT), project.name)
    return {one for move in moves for one in (move.stable, move.canary) if one}


async def _state(project: Project, one: Release, pointer: Pointer, served: set[str]) -> str:
    from proveout.release.route import life

    in_flight = await project.store.in_flight(project.name, one.digest)
    return life(one, pointer, in_flight, has_served=one.digest in served)


def share_of(one: Release, pointer: Pointer) -> str:
    """Return the share of new runs that a release gets, "" for none."""
    canary = pointer.canary
    if canary is not None and one.digest == canary.release:
        return str(canary.share)
    if one.digest != pointer.stable:
        return ""
    return "100%" if canary is None else f"{100 - canary.share.points / 100:g}%"


@release.command("show")
@click.argument("name", metavar="REL")
@click.option("--json", "as_json", is_flag=True, help="Print one release.v1 with its manifest.")
def show_release(name: str, as_json: bool) -> None:
    """Show a release: where it stands, and every file that it executes."""
    import json

    one, state, in_flight, kept = asyncio.run(_show(name))
    manifest: dict[str, Any] = json.loads(one.manifest)
    if as_json:
        flying = {"in_flight": in_flight.runs, "environment_kept": kept}
        answer_json({**release_v1(one, state), **flying, "manifest": manifest})
        return
    answer(f"{strong(one.name)}  {one.workflow} · {state}")
    answer(f"    digest    {one.digest}")
    answer(f"    code      {one.code}")
    here = "kept on this machine" if kept else "NOT kept on this machine"
    answer(f"    packages  {one.environment[:SHORT]}, {here}")
    answer(f"    entry     {clean(manifest['entry'])}, Python {manifest['python']}")
    answer(f"    created   {when(one.created)} by {clean(one.by)}")
    answer(f"    in flight {in_flight.runs}")
    answer()
    files: dict[str, str] = manifest["files"]
    table([(name, digest[:SHORT]) for name, digest in files.items()], ("file", "digest"))


async def _show(name: str) -> tuple[Release, str, InFlight, bool]:
    from proveout.faces.operating import operating

    async with operating() as project:
        one = await find_release(project, name)
        pointer = await project.store.pointer(project.name)
        state = await _state(project, one, pointer, await _served(project))
        in_flight = await project.store.in_flight(project.name, one.digest)
        return one, state, in_flight, not trouble_of(one)


async def find_release(project: Project, name: str) -> Release:
    """Return the project's release called `name`: r3, its digest, or the beginning of it.

    Raises:
        NoSuchRelease: there is none, or more than one.
    """
    from proveout.release.create import named

    return named(await project.store.releases(project.name), name)


def trouble_of(one: Release) -> str:
    """Return why the packages of a release cannot be used here, or ""."""
    from proveout.release.environment import EnvironmentMissing, cache_folder, python_of

    try:
        python_of(one.environment, cache_folder(), release=one.name)
    except EnvironmentMissing as error:
        return error.fix[0]
    return ""


@release.command("keep")
@click.argument("name", metavar="REL")
def keep_release(name: str) -> None:
    """Keep the packages of a release on this machine, from those installed here.

    Only the very same packages will do: others are refused.
    """
    asyncio.run(_keep(name))
    answer(f"{sign('ok')} the packages of {name} are kept on this machine")


async def _keep(name: str) -> None:
    from proveout.faces.operating import acting, operating
    from proveout.faces.released import environment_here
    from proveout.release import environment as environments

    async with operating() as project:
        await acting(project, Right.OPERATE)
        one = await find_release(project, name)
        here = await asyncio.to_thread(environment_here, project.settings)
        if here.digest != one.environment:
            raise environments.EnvironmentChanged(
                f"the packages here are not those of {one.name}",
                why=f"here is {here.digest[:SHORT]}, and it needs {one.environment[:SHORT]}",
                fix=(f"proveout release keep {one.name}    where those packages are installed",),
            )
        await asyncio.to_thread(environments.keep, here, environments.cache_folder())


def serving_words(pointer: Pointer, releases: Sequence[Release]) -> str:
    """Return which releases serve, with their shares: "r13 90% · r14 10%"."""
    names = {one.digest: one.name for one in releases}
    parts = [
        f"{names.get(one.digest, one.digest[:SHORT])} {share_of(one, pointer)}"
        for digest in pointer.live
        for one in releases
        if one.digest == digest
    ]
    return " · ".join(parts) or "the draft: no release serves"
