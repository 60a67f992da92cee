"""What one release executes otherwise than another is all told, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proveout.release.difference import LONGEST, MOST_LINES, Act, Changed, Held, difference

PACKAGES = [["click", "8.1", "a" * 64], ["pydantic", "2.0", "b" * 64]]
NAMES = st.sampled_from(["app.py", "data/words.txt", "é.json"])
FILES = st.dictionaries(NAMES, st.text().map(str.encode) | st.binary(), max_size=3)


def held(
    files: dict[str, bytes] | None = None, packages: list[list[str]] | None = PACKAGES, **said: Any
) -> Held:
    """Return a release; `packages` is None where they are not kept on this machine."""
    text = {"python": "3.11.7", "implementation": "cpython", "platform": "linux-x86_64"}
    kept = None if packages is None else json.dumps({**text, "packages": packages}).encode()
    usual: dict[str, Any] = {"entry": "app:answer", "python": "3.11", "scores": [], "settings": {}}
    manifest = {**usual, "environment": str(said.pop("environment", packages)), **said}
    return Held(manifest=json.dumps(manifest).encode(), files=files or {}, environment=kept)


def test_the_same_release_differs_in_nothing() -> None:
    assert difference(held({"app.py": b"x = 1\n"}), held({"app.py": b"x = 1\n"})).is_empty


def test_a_line_that_is_another_is_shown_between_those_around_it() -> None:
    """As in a unified diff: what is gone, then what came, and three lines before and after."""
    old = "\n".join(f"line {number}" for number in range(9))

    [one] = difference(
        held({"app.py": old.encode()}),
        held({"app.py": old.replace("line 4", "line four").encode()}),
    ).files

    assert (one.name, one.act, one.added, one.removed, one.note) == (
        "app.py",
        Act.CHANGED,
        1,
        1,
        "",
    )
    assert one.lines == (
        "@@ -2,7 +2,7 @@",
        *(f" line {number}" for number in (1, 2, 3)),
        "-line 4",
        "+line four",
        *(f" line {number}" for number in (5, 6, 7)),
    )


def test_files_that_came_and_went_are_told() -> None:
    """By their names, in order; each whole."""
    found = difference(
        held({"old.py": b"a\nb\n", "same.py": b"1"}), held({"new.py": b"c\n", "same.py": b"1"})
    )

    assert [(one.name, one.act, one.added, one.removed) for one in found.files] == [
        ("new.py", Act.ADDED, 1, 0),
        ("old.py", Act.REMOVED, 0, 2),
    ]


def test_what_is_not_compared_line_by_line_says_why() -> None:
    """No text, too long, too many changes, or nothing that a line shows."""
    many = "".join(f"{number}\n" for number in range(MOST_LINES + 100)).encode()
    before = {"a": b"\xff", "b": b"x" * (LONGEST + 1), "c": b"", "d": b"1\n", "f": b"gone"}
    after = {"a": b"\xfe", "b": b"x", "c": many, "d": b"1\r\n", "e": b"", "f": b"gone"}

    found = difference(held(before), held(after)).files

    assert {one.name: one.note for one in found} == {
        "a": "no text",
        "b": "over 256 KiB",
        "c": "only the first 2,000 lines of its changes",
        "d": "only how its lines end",
        "e": "empty",
    }
    assert {one.name: len(one.lines) for one in found if one.lines} == {"c": MOST_LINES}


def test_packages_are_told_by_version_and_by_what_is_in_them() -> None:
    """The same version with other files is another package."""
    newer = [["click", "8.2", "c" * 64], ["pydantic", "2.0", "d" * 64], ["rich", "15", "e" * 64]]

    found = difference(held(), held(packages=newer))

    assert found.packages == (
        Changed(name="click", before="8.1 (aaaaaaaa)", after="8.2 (cccccccc)"),
        Changed(name="pydantic", before="2.0 (bbbbbbbb)", after="2.0 (dddddddd)"),
        Changed(name="rich", before="", after="15 (eeeeeeee)"),
    )
    assert [one.act for one in found.packages or ()] == [Act.CHANGED, Act.CHANGED, Act.ADDED]


def test_packages_that_are_not_kept_here_are_not_guessed() -> None:
    """They differ, and which ones nobody here can tell; where they are the same it is known."""
    here = held()

    assert difference(here, held(packages=None)).packages is None
    assert not difference(here, held(packages=None)).is_empty
    same = str(PACKAGES)
    assert difference(here, held(packages=None, environment=same)).packages == ()


def test_another_entry_is_told() -> None:
    found = difference(held(), held(entry="app:reply", scores=["app:kind"]))

    assert found.declared == (
        Changed(name="entry", before="app:answer", after="app:reply"),
        Changed(name="scores", before="", after='["app:kind"]'),
    )


@given(before=FILES, after=FILES)
def test_every_file_that_differs_is_named_and_no_other(
    before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    """Whatever is in them."""
    found = difference(held(before), held(after))

    differ = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert [one.name for one in found.files] == sorted(differ)
    assert all(one.lines or one.note for one in found.files)
