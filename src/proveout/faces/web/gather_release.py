"""From the store to the page of one release: what it executes, and how that differs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from proveout.faces.differing import compared_with, differing
from proveout.faces.web.gather import MOST
from proveout.faces.web.gather_releases import moves_of, release_row
from proveout.faces.web.release_detail import ReleasePage
from proveout.release import environment as environments
from proveout.release.create import named
from proveout.release.snapshot import SnapshotBroken

if TYPE_CHECKING:
    from proveout.domain.release import Pointer, Release
    from proveout.faces.project import Project
    from proveout.release.difference import Difference


async def release_page(project: Project, pointer: Pointer, name: str, against: str) -> ReleasePage:
    """Return the page of a release, compared with `against`, or with what is usual where "".

    Raises:
        NoSuchRelease: there is none of these names.
    """
    releases = await project.store.releases(project.name)
    one = named(releases, name)
    other = named(releases, against) if against else compared_with(one, pointer, releases)
    moves, _ = await moves_of(project)
    served = {each for move in moves for each in (move.stable, move.canary) if each}
    found, problem = await _found(project, other, one)
    manifest: dict[str, Any] = json.loads(one.manifest)
    kept = await asyncio.to_thread(
        environments.text_of, one.environment, environments.cache_folder()
    )
    newest = sorted(releases, key=lambda each: -each.number)
    return ReleasePage(
        row=await release_row(project, one, pointer, served),
        code=one.code,
        packages=one.environment,
        is_kept=kept is not None,
        entry=manifest["entry"],
        python=manifest["python"],
        files=tuple(manifest["files"].items()),
        others=tuple(each.name for each in newest if each.digest != one.digest)[:MOST],
        against="" if other is None else other.name,
        found=found,
        problem=problem,
    )


async def _found(
    project: Project, before: Release | None, after: Release
) -> tuple[Difference | None, str]:
    if before is None:
        return None, ""
    try:
        return await differing(project.store, before, after), ""
    except SnapshotBroken as error:
        return None, f"{error.message}: {error.why}"
