"""Two releases of a project, compared as the store and this machine hold them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proveout.release import environment as environments
from proveout.release.create import NoSuchRelease
from proveout.release.difference import Held, difference
from proveout.release.snapshot import files_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.release import Pointer, Release
    from proveout.ports.store import Releases
    from proveout.release.difference import Difference


async def differing(store: Releases, before: Release, after: Release) -> Difference:
    """Return what `after` executes otherwise than `before`.

    Raises:
        NoSuchRelease: the store does not have the files of one.
        SnapshotBroken: the files of one are not what its manifest says.
    """
    archives = [await _archive(store, one) for one in (before, after)]

    def compare() -> Difference:
        sides = (_held(one, data) for one, data in zip((before, after), archives, strict=True))
        return difference(*sides)

    return await asyncio.to_thread(compare)


def compared_with(one: Release, pointer: Pointer, releases: Sequence[Release]) -> Release | None:
    """Return what a release is compared with unless somebody says: what serves now.

    Where it serves itself, or nothing does, it is the release before it; None for the first.
    """
    others = [each for each in releases if each.digest != one.digest]
    serving = next((each for each in others if each.digest == pointer.stable), None)
    before = (each for each in others if each.number < one.number)
    return serving or max(before, key=lambda each: each.number, default=None)


async def _archive(store: Releases, one: Release) -> bytes:
    archive = await store.archive(one.digest)
    if archive is None:
        raise NoSuchRelease(f"the files of {one.name} are gone")
    return archive


def _held(one: Release, archive: bytes) -> Held:
    return Held(
        manifest=one.manifest,
        files=files_in(archive, one.manifest),
        environment=environments.text_of(one.environment, environments.cache_folder()),
    )
