"""What of a project executes: found by reading, and the same on every machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from proveout.errors import Mistake
from proveout.release.sources import (
    EntryElsewhere,
    LinkOutside,
    NothingMatches,
    code_digest,
    executed,
    roots,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

ENTRY = "app.flow:triage"


def project(folder: Path, files: Mapping[str, str]) -> Path:
    """Return a folder with an entry and whatever else is given."""
    usual = {"app/__init__.py": "", "app/flow.py": "def triage(mail): ...\n"}
    for name, text in {**usual, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def names(
    folder: Path, *, entry: str = ENTRY, also: Iterable[str] = (), include: Iterable[str] = ()
) -> list[str]:
    found = executed(entry, tuple(also), folder, tuple(include))
    return [path.relative_to(folder).as_posix() for path in found]


def test_a_package_executes_with_its_data_and_nothing_beside_it(tmp_path: Path) -> None:
    """Prompts in the package are as much what executes as its modules; cases are not."""
    folder = project(
        tmp_path, {"app/prompts/first.txt": "Hello", "cases.jsonl": "{}", "other.py": ""}
    )

    found = names(folder)

    assert found == ["app/__init__.py", "app/flow.py", "app/prompts/first.txt"]


@pytest.mark.parametrize(
    "line",
    [
        "import rules",
        "import os, rules as r",
        "import rules.deep",
        "from rules import deep",
        "from rules.deep import x",
        "def late():\n    import rules",
        "def late():\n    from rules import deep",
        "if False:\n    import rules",
        "import importlib\nimportlib.import_module('rules.deep')",
        "__import__('rules')",
    ],
)
def test_what_is_imported_from_the_folder_executes(tmp_path: Path, line: str) -> None:
    """However and wherever it is imported, and what that imports in turn."""
    rules = {"rules/__init__.py": "", "rules/deep.py": "import far", "far.py": "import app"}
    folder = project(tmp_path, rules | {"app/flow.py": line, "unused.py": ""})

    found = names(folder)

    assert found == ["app/__init__.py", "app/flow.py", "far.py", "rules/__init__.py", *found[4:]]
    assert found[4:] == ["rules/deep.py"]


@pytest.mark.parametrize(
    "line", ["from . import rules", "import json", "x = 'import rules'", "# import rules"]
)
def test_what_only_looks_like_a_local_import_is_left_out(tmp_path: Path, line: str) -> None:
    """A relative import stays in the package, and words in a text import nothing."""
    folder = project(tmp_path, {"app/flow.py": line, "rules.py": ""})

    assert "rules.py" not in names(folder)


def test_nothing_is_imported(tmp_path: Path) -> None:
    """What would end the process, or is no Python at all, is taken all the same."""
    folder = project(
        tmp_path,
        {
            "app/flow.py": "import ends_here_1",
            "ends_here_1.py": "raise SystemExit",
            "app/a.py": "(",
        },
    )

    found = names(folder)

    assert found == ["app/__init__.py", "app/a.py", "app/flow.py", "ends_here_1.py"]
    assert "ends_here_1" not in sys.modules


def test_scores_execute_too_and_those_of_packages_are_the_environments(tmp_path: Path) -> None:
    folder = project(tmp_path, {"judge.py": "import words", "words.py": ""})

    found = names(folder, also=["judge:tone", "installed_scores:f1"])

    assert found == ["app/__init__.py", "app/flow.py", "judge.py", "words.py"]


def test_a_single_module_is_the_whole_source(tmp_path: Path) -> None:
    folder = project(tmp_path, {"flow.py": ""})

    assert names(folder, entry="flow:triage") == ["flow.py"]


def test_a_folder_of_data_does_not_pass_for_a_package_of_its_name(tmp_path: Path) -> None:
    """`openai/` with prompts is no module; with modules it is one, even without __init__."""
    folder = project(
        tmp_path,
        {"app/flow.py": "import openai, tools", "openai/a.txt": "x", "tools/deep/b.py": ""},
    )

    assert names(folder) == ["app/__init__.py", "app/flow.py", "tools/deep/b.py"]


def test_modules_are_also_found_in_src(tmp_path: Path) -> None:
    """A folder `src` is a second place for modules, unless it is a package itself."""
    folder = project(tmp_path, {"src/inner/flow.py": "import app", "src/app.txt": ""})

    assert roots(folder) == (folder, folder / "src")
    assert names(folder, entry="inner.flow:f")[-1] == "src/inner/flow.py"
    (folder / "src/__init__.py").touch()
    assert roots(folder) == (folder,)


def test_further_files_are_taken_by_patterns(tmp_path: Path) -> None:
    """A pattern that names a folder takes all of it, and Python that it finds is followed."""
    folder = project(
        tmp_path,
        {
            "prompts/a.md": "",
            "prompts/deep/b.md": "",
            "extra/run.py": "import far",
            "far.py": "",
            "no.md": "",
        },
    )

    whole = names(folder, include=["prompts/**"])
    some = names(folder, include=["prompts/*.md", "extra"])

    assert whole[2:] == ["prompts/a.md", "prompts/deep/b.md"]
    assert some[2:] == ["extra/run.py", "far.py", "prompts/a.md"]


def test_what_machines_leave_behind_is_left_out(tmp_path: Path) -> None:
    """Compiled files, hidden folders and virtual environments, also where a pattern matches."""
    litter = {
        "app/__pycache__/flow.pyc": "",
        "app/old.pyc": "",
        "app/.git/config": "",
        "app/env/pyvenv.cfg": "",
        "app/env/lib.py": "",
        ".proveout/a.md": "",
        "env/pyvenv.cfg": "",
        "env/b.md": "",
    }
    folder = project(tmp_path, litter | {"app/.keep": "", "c.md": ""})

    found = names(folder, include=["**/*.md"])

    assert found == ["app/.keep", "app/__init__.py", "app/flow.py", "c.md"]


@pytest.mark.parametrize("pattern", ["", "/etc/**", "../x", "a/../../x", "none/**", "empty"])
def test_a_pattern_that_takes_nothing_along_is_refused(tmp_path: Path, pattern: str) -> None:
    """A misspelt pattern would else be found out by the release that lacks its prompts."""
    folder = project(tmp_path, {})
    (folder / "empty").mkdir()

    with pytest.raises(NothingMatches):
        names(folder, include=[pattern])


def test_an_entry_that_is_not_in_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EntryElsewhere) as caught:
        names(project(tmp_path, {}), entry="json:loads")

    assert isinstance(caught.value, Mistake)


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, is_folder: bool) -> None:
    """What it leads to is not on the next machine, and may be anything."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.py").write_text("")
    folder = project(tmp_path / "project", {})

    (folder / "app/link").symlink_to(outside if is_folder else outside / "x.py")

    with pytest.raises(LinkOutside, match="app/link leads out"):
        names(folder)


def test_a_link_within_the_folder_is_the_file_it_leads_to(tmp_path: Path) -> None:
    """Links in a circle end, and a link that leads nowhere executes nothing."""
    folder = project(tmp_path, {"shared/a.txt": "x"})
    (folder / "app/shared").symlink_to(folder / "shared")
    (folder / "app/loop").symlink_to(folder / "app")
    (folder / "app/gone").symlink_to(folder / "nothing")

    found = names(folder)

    assert found == ["app/__init__.py", "app/flow.py", "app/shared/a.txt"]


def test_the_digest_is_of_names_and_bytes_only(tmp_path: Path) -> None:
    """Order, place and time do not count; a byte, a name and a further file do."""
    here = project(tmp_path / "here", {"app/a.txt": "x"})
    there = project(tmp_path / "there", {"app/a.txt": "x"})

    def known(folder: Path) -> str:
        return code_digest(executed(ENTRY, (), folder, ()), folder)

    first = known(here)
    assert first == known(there)
    assert first == code_digest(reversed(executed(ENTRY, (), here, ())), here)
    (there / "app/a.txt").write_text("y")
    assert known(there) != first
    (there / "app/a.txt").write_text("x")
    (there / "app/a.txt").rename(there / "app/b.txt")
    assert known(there) != first
    (here / "app/b.txt").touch()
    assert known(here) != first
