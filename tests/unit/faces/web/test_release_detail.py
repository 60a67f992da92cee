"""The page of a release says what it executes, and how that differs from another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import FIRST, SECOND, release
from proveout.domain.access import Role
from proveout.domain.ledger import Deed
from proveout.domain.release import Pointer, ReleaseDigest
from proveout.domain.unit import NewRelease
from proveout.faces.differing import compared_with
from proveout.release.create import create
from proveout.release.decide import amend
from proveout.release.snapshot import Declared, take

if TYPE_CHECKING:
    from pathlib import Path

    from doubles.desk import Desk
    from proveout.domain.release import Release

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""Releases are read alike from every store."""


async def made(desk: Desk, folder: Path, prompt: str) -> Release:
    """Return the release of a workflow with that prompt, kept as `release create` keeps it."""
    path = folder / "prompt.txt"
    path.write_text(prompt, "utf-8")
    name = desk.console.project.name
    declared = Declared(workflow=name, entry="app:answer", environment="e" * 64)
    snapshot = take(declared, [path], folder)
    return (await create(desk.house.office, name, snapshot, b"", "ana")).release


@ONE_STORE
async def test_a_release_is_shown_beside_the_one_before(desk: Desk, tmp_path: Path) -> None:
    """Line by line, and harmless; the list leads there, and who may look sees it."""
    for prompt in ("Be kind.\n", "Be kind.\n<script>\u202e\n"):
        await made(desk, tmp_path, prompt)
    async with await desk.as_(Role.VIEWER) as browser:
        listed = (await browser.get("/releases")).text
        second = await browser.get("/releases/r2")
        turned = await browser.get("/releases/r1?against=r2")
        first = await browser.get("/releases/r1")
        unknown = [await browser.get(f"/releases/{one}") for one in ("r9", "r1?against=r9")]

    assert 'href="/releases/r2"' in listed
    assert '<span class="new">+&lt;script&gt;' in second.text
    assert "\u202e" not in second.text
    assert 'class="old"' not in second.text
    assert '<span class="old">-&lt;script&gt;' in turned.text
    assert "It is the first" in first.text
    assert [one.status_code for one in unknown] == [404, 404]


@ONE_STORE
async def test_a_release_whose_files_are_broken_says_so(desk: Desk, tmp_path: Path) -> None:
    """The rest of its page is there."""
    one = await made(desk, tmp_path, "Be kind.\n")
    other = release(ReleaseDigest("f" * 64), workflow=one.workflow, number=2)
    deed = Deed(actor="ana", act="create release", subject=other.name, facts={})
    manifest = one.manifest.replace(b"answer", b"reply!")
    other = replace(other, manifest=manifest)
    broken = NewRelease(release=other, archive=b"cut", settings=b"")
    await amend(desk.house.office, deed, (broken,))

    async with await desk.as_(Role.VIEWER) as browser:
        shown = await browser.get("/releases/r2")

    assert shown.status_code == 200
    assert "The snapshot of this release is broken" in shown.text
    assert "app:reply!" in shown.text


def test_a_release_is_compared_with_what_serves_or_the_one_before() -> None:
    """The first of all with nothing."""
    third = release(ReleaseDigest("3" * 64), number=3)
    r1, r2 = release(FIRST), release(SECOND, number=2)
    every = [r1, r2, third]
    serving = Pointer(workflow="flow", stable=ReleaseDigest(FIRST))

    assert compared_with(third, serving, every) == r1
    assert compared_with(third, Pointer(workflow="flow"), every) == r2
    assert compared_with(r1, serving, every) is None
    assert compared_with(r2, Pointer(workflow="flow", stable=r2.digest), every) == r1
