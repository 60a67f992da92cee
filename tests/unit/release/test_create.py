"""Creating releases: the same content is the same release, and a name means one of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from doubles.deeds import release
from proveout.domain.release import ReleaseDigest
from proveout.release.create import NoSuchRelease, create, named
from proveout.release.snapshot import Declared, take

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.release.decide import Office
    from proveout.release.snapshot import Snapshot

SETTINGS = b'[workflow]\nname = "triage"\n'


def snapshot(folder: Path, text: str = "x = 1\n", environment: str = "e0") -> Snapshot:
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(text)
    declared = Declared(workflow="triage", entry="app:x", environment=environment)
    return take(declared, [folder / "app.py"], folder)


async def test_a_release_is_kept_with_its_files_and_its_settings(
    office: Office, tmp_path: Path
) -> None:
    """All that is needed to run it is in the store, and who made it in the ledger."""
    taken = snapshot(tmp_path / "a")

    made, is_new = await create(office, "triage", taken, SETTINGS, "ana")

    assert (made.name, made.by, is_new) == ("r1", "ana", True)
    assert await office.store.archive(made.digest) == taken.archive
    assert await office.store.settings(made.digest) == SETTINGS
    [entry] = await office.store.whole_ledger()
    assert (entry.actor, entry.act, entry.subject) == ("ana", "create release", "r1")


async def test_the_same_content_is_the_same_release(office: Office, tmp_path: Path) -> None:
    """From another folder, by another person, at another time: nothing new."""
    first, _ = await create(office, "triage", snapshot(tmp_path / "a"), SETTINGS, "ana")

    again, is_new = await create(office, "triage", snapshot(tmp_path / "b"), b"", "ben")

    assert (again, is_new) == (first, False)
    assert len(await office.store.whole_ledger()) == 1


@pytest.mark.parametrize("changed", [{"text": "x = 2\n"}, {"environment": "e1"}])
async def test_other_content_is_the_next_release(
    office: Office, tmp_path: Path, changed: dict[str, str]
) -> None:
    """The control of the above: code and packages are both part of what executes."""
    first, _ = await create(office, "triage", snapshot(tmp_path / "a"), SETTINGS, "ana")

    second, is_new = await create(
        office, "triage", snapshot(tmp_path / "b", **changed), SETTINGS, "ana"
    )

    assert (second.name, is_new) == ("r2", True)
    assert second.digest != first.digest


async def test_of_many_who_create_at_once_no_two_get_one_number(
    office: Office, tmp_path: Path
) -> None:
    """Numbers are given in the commit that keeps the release."""
    taken = [snapshot(tmp_path / f"{n}", text=f"x = {n}\n") for n in range(6)]

    made = await asyncio.gather(*(create(office, "triage", one, SETTINGS, "ana") for one in taken))

    assert sorted(one.release.number for one in made) == [1, 2, 3, 4, 5, 6]


A, B = (ReleaseDigest(start + "0" * 58) for start in ("abcdef", "abcde1"))
RELEASES = [release(A), release(B, number=2)]


@pytest.mark.parametrize(
    ("name", "number"), [("r1", 1), ("r2", 2), (A, 1), ("abcdef", 1), ("abcde1", 2)]
)
def test_a_release_is_found_by_name_digest_or_its_beginning(name: str, number: int) -> None:
    assert named(RELEASES, name).number == number


@pytest.mark.parametrize("name", ["r3", "", "abcde", "ABCDEF", "r", "1"])
def test_a_name_that_means_none_or_several_is_refused(name: str) -> None:
    """What is not unmistakable is nothing."""
    with pytest.raises(NoSuchRelease):
        named(RELEASES, name)


def test_two_digests_that_begin_alike_are_told_apart() -> None:
    """Six characters are enough only where they are enough."""
    twins = [release(A), release(ReleaseDigest("abcdef" + "1" * 58), number=2)]

    with pytest.raises(NoSuchRelease, match="names 2 releases"):
        named(twins, "abcdef")


def test_without_a_release_the_refusal_names_how_to_make_one() -> None:
    with pytest.raises(NoSuchRelease) as caught:
        named([], "r1")

    assert caught.value.fix == ("proveout release create",)
