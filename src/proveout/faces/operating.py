"""Operating a workflow whose project may be gone: what the store knows is enough."""

from __future__ import annotations

import getpass
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from proveout.domain.access import User
from proveout.domain.record import Kind, decode
from proveout.errors import Mistake
from proveout.faces.access import command_line_actor
from proveout.faces.log import logger
from proveout.faces.place import PROJECT, find_project
from proveout.faces.project import STORE, Project, store_url
from proveout.faces.project import open_store as open_url
from proveout.faces.settings import load, load_stored

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from structlog.typing import FilteringBoundLogger

    from proveout.domain.access import Actor, Right
    from proveout.domain.release import Release
    from proveout.faces.settings import Settings
    from proveout.ports.store import Store

FILE = "proveout.toml"


class SeveralWorkflows(Mistake):
    """The store keeps releases of more than one workflow, and no project says which is meant."""

    code = "several-workflows"


async def acting(project: Project, right: Right) -> Actor:
    """Return who acts on the command line, once they were found to have `right`.

    Raises:
        NoRight: they do not have it, or are kept out.
    """
    actor = await who(project)
    actor.check(right)
    return actor


async def who(project: Project) -> Actor:
    """Return who acts on the command line.

    Raises:
        NoRight: they are kept out.
    """
    bodies = (await project.store.records(Kind.USER)).values()
    return command_line_actor(
        os.environ, getpass.getuser(), [decode(User, body) for body in bodies]
    )


@asynccontextmanager
async def operating(*, log: FilteringBoundLogger | None = None) -> AsyncGenerator[Project]:
    """Open the project found here, or where its files are gone or broken, what serves of it.

    Without its files the settings are those that were kept with the stable release, or else
    with the newest one.

    Raises:
        NoProject: there is neither a project nor a store that keeps a release.
        Mistake: the settings are broken, and no release keeps others.
        SeveralWorkflows: releases of more than one workflow are kept.
    """
    try:
        settings = load(find_project())
    except Mistake as error:
        async with _remembered(error, log) as project:
            yield project
        return
    url = store_url(settings.folder)
    store = await open_url(url)
    try:
        yield Project(settings, store, log or logger(), url)
    finally:
        await store.close()


@asynccontextmanager
async def _remembered(error: Mistake, log: FilteringBoundLogger | None) -> AsyncGenerator[Project]:
    """Open what the store remembers; where that is nothing, the first error stands."""
    folder = _folder_of_state()
    if folder is None:
        raise error
    url = store_url(folder)
    store = await open_url(url)
    try:
        settings = await _kept_settings(store, folder)
        if settings is None:
            raise error
        yield Project(settings, store, log or logger(), url)
    finally:
        await store.close()


def _folder_of_state() -> Path | None:
    """Return the folder in which the project stood, or None where no store would be found."""
    here = Path(os.environ[PROJECT]).absolute().parent if os.environ.get(PROJECT) else Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".proveout" / "proveout.db").is_file():
            return folder
    url = store_url(here)
    is_there = not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file()
    return here if os.environ.get(STORE) and is_there else None


async def _kept_settings(store: Store, folder: Path) -> Settings | None:
    releases = await store.releases()
    workflows = sorted({one.workflow for one in releases})
    if len(workflows) > 1:
        raise SeveralWorkflows(
            f"the store keeps releases of {', '.join(workflows)}",
            why=f"there is no {FILE} here that says which of them is meant",
            fix=(f"cd into the project, or set {PROJECT}",),
        )
    for release in await _served_first(store, releases):
        if kept := await store.settings(release.digest):
            return load_stored(kept, folder / FILE)
    return None


async def _served_first(store: Store, releases: list[Release]) -> list[Release]:
    """Return releases, the newest first, but before it the one that serves."""
    newest_first = sorted(releases, key=lambda one: one.number, reverse=True)
    if not newest_first:
        return []
    stable = (await store.pointer(newest_first[0].workflow)).stable
    return sorted(newest_first, key=lambda one: one.digest != stable)
