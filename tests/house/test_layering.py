"""The chapters keep their order, and their files keep their shape."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "proveout"
FILES = sorted(path for path in SOURCE.rglob("*.py"))

HOMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "core", "misc"}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b|pragma: no cover")

LONG = 400
LONG_FOR_A_REASON = {
    "adapters/postgres/units.py": "one statement for each kind of unit",
    "domain/unit.py": "one small noun for each kind of unit, and for each answer",
    "faces/project.py": "the one place where parts are joined",
    "faces/sandbox.py": "one port, kept by processes of this machine",
    "faces/api/routes.py": "a table: every route with its right",
    "faces/report/chart.py": "one drawing",
    "faces/report/page.py": "one page, section after section",
    "faces/settings.py": "the settings as values, one table after another",
    "faces/settings_criteria.py": "every way to write a criterion",
    "faces/settings_reader.py": "reading one table, whatever it holds",
    "ports/store.py": "one small port for each noun",
}
"""Files over `LONG` lines that hold one idea all the same; a new one asks to be split first."""


def test_a_chapter_never_refers_to_a_later_one() -> None:
    """The contracts in pyproject.toml hold, whoever runs the tests."""
    linter = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_are_found() -> None:
    """The tests of this file look at something."""
    count = len(FILES)

    assert count > 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_module_is_a_drawer(path: Path) -> None:
    """A function without a home is missing a noun."""
    words = {*path.relative_to(SOURCE).with_suffix("").parts}

    assert not words & HOMELESS


def test_packages_below_the_front_door_are_empty() -> None:
    """Importing a part imports nothing beside it."""
    inner = (path for path in FILES if path.name == "__init__.py" and path.parent != SOURCE)

    full = [str(path.relative_to(SOURCE)) for path in inner if path.read_text("utf-8").strip()]

    assert full == []


def test_a_file_holds_one_idea() -> None:
    """Past some 400 lines a file probably holds two; those that do not say why."""
    counts = {str(path.relative_to(SOURCE)): lines(path) for path in FILES}

    long = {name for name, count in counts.items() if count > LONG}

    assert long == set(LONG_FOR_A_REASON)


def test_nothing_is_left_to_be_done() -> None:
    """What is unfinished is said in an issue, not in the code."""
    found = [
        f"{path.relative_to(SOURCE)}:{number}"
        for path in FILES
        for number, text in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(text)
    ]

    assert found == []


def lines(path: Path) -> int:
    """Return how many lines a file has."""
    return len(path.read_text("utf-8").splitlines())
