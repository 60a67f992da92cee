"""Entries: what an experiment locks is what a release would execute."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from proveout.domain.criterion import AtLeast, Criterion, Scored, scored_of
from proveout.domain.experiment import OWN, Budget, Candidate, Claim, Plan
from proveout.faces import entry
from proveout.release.snapshot import Declared, take
from proveout.release.sources import EntryElsewhere, executed

if TYPE_CHECKING:
    from pathlib import Path

SCORES = ("judge_of_entries:tone", "flow_of_entries:clear")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project of modules with names of their own, forgotten afterwards."""
    files = {
        "flow_of_entries.py": "from rules_of_entries import WORD\ndef say(): return WORD\n",
        "rules_of_entries.py": "WORD = 'yes'\n",
        "vendor_of_entries.py": "def say(): return 'no'\n",
        "judge_of_entries.py": "def tone(result, case): return True\n",
        "src/inner_of_entries.py": "def say(): return 'inner'\n",
        "prompt.md": "Hello\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in files:
        monkeypatch.delitem(sys.modules, name.rpartition("/")[2].partition(".")[0], raising=False)
    return tmp_path


def plan(*scores: str) -> Plan:
    criteria = tuple(
        Criterion(name=name, measure=Scored(score=name), rule=AtLeast(floor=0.5, target=0.9))
        for name in scores
    )
    return Plan(
        name="e",
        workflow="triage",
        question="",
        claim=Claim.THESE_CASES,
        criteria=criteria,
        candidates=(
            Candidate(name=OWN, entry="flow_of_entries:say"),
            Candidate(name="vendor", entry="vendor_of_entries:say"),
        ),
        budget=Budget(calls=1),
        time_box=timedelta(days=1),
    )


def locked(folder: Path, *scores: str, include: tuple[str, ...] = ()) -> list[str]:
    found = entry.with_code(plan(), folder, scores, include)
    return [candidate.code for candidate in found.candidates]


def test_an_experiment_locks_the_code_of_the_release(folder: Path) -> None:
    """The verdict is about the very bytes: scores, imports and further files included."""
    files = executed("flow_of_entries:say", SCORES, folder, ("*.md",))
    declared = Declared(workflow="triage", entry="flow_of_entries:say", environment="e")

    own, vendor = locked(folder, *SCORES, include=("*.md",))

    assert own == take(declared, files, folder).code
    assert vendor != own


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("flow_of_entries.py", [True, False]),
        ("rules_of_entries.py", [True, False]),
        ("vendor_of_entries.py", [False, True]),
        ("judge_of_entries.py", [True, True]),
        ("prompt.md", [True, True]),
        ("src/inner_of_entries.py", [False, False]),
    ],
)
def test_the_lock_changes_with_whatever_executes(
    folder: Path, name: str, changes: list[bool]
) -> None:
    """A module beside the entry's counts where it is imported, and only there."""
    before = locked(folder, SCORES[0], include=("prompt.md",))

    with (folder / name).open("a") as file:
        file.write("# changed\n")

    after = locked(folder, SCORES[0], include=("prompt.md",))
    assert [one != other for one, other in zip(before, after, strict=True)] == changes


def test_without_a_folder_the_code_is_where_the_entry_was_imported_from(folder: Path) -> None:
    entry.load("flow_of_entries:say", folder)

    assert entry.code_digest("flow_of_entries:say") == locked(folder)[0]


def test_an_entry_of_a_package_elsewhere_cannot_be_locked(folder: Path) -> None:
    """It is seen from the folder of `proveout.toml`, as the contract says."""
    with pytest.raises(EntryElsewhere):
        entry.code_digest("json:loads", folder)


def test_an_entry_is_also_found_in_src(folder: Path) -> None:
    """Where its files are looked for, it is imported from."""
    found = entry.load("inner_of_entries:say", folder)

    assert callable(found)
    assert found() == "inner"


def test_the_scores_of_all_experiments_are_those_that_users_wrote() -> None:
    """Sorted, once each, without the built-in ones."""
    plans = [plan("exact", "b:two"), plan("b:two", "a:one")]

    assert entry.scores_of(plans) == ("a:one", "b:two")


def sources(folder: Path, *scores: str, include: tuple[str, ...] = ()) -> list[str]:
    """Return the source that each score's criterion would lock."""
    found = entry.with_code(plan(*scores), folder, (), include)
    measures = [scored_of(one.measure) for one in found.criteria]
    return [one.source for one in measures if one is not None]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("judge_of_entries.py", True),
        ("lenient_of_entries.py", True),
        ("rules_of_entries.py", False),
        ("vendor_of_entries.py", False),
    ],
)
def test_a_score_is_locked_by_its_own_module_and_what_that_imports(
    folder: Path, name: str, changes: bool
) -> None:
    """What is the workflow's code already stands in the lock as such, and not a second time."""
    words = "from rules_of_entries import WORD\nfrom lenient_of_entries import WORDS\n"
    (folder / "judge_of_entries.py").write_text(f"{words}def tone(result, case): return True\n")
    (folder / "lenient_of_entries.py").write_text("WORDS = ()\n")
    [before] = sources(folder, SCORES[0])

    with (folder / name).open("a") as file:
        file.write("# changed\n")

    [after] = sources(folder, SCORES[0])
    assert (before != after) == changes
    assert len(before) == 64


def test_only_scores_beside_the_workflow_are_locked_by_their_source(folder: Path) -> None:
    """Built-in ones have none of the user's, and the workflow's module is locked as its code."""
    exact, inside, beside = sources(folder, "exact", "flow_of_entries:clear", SCORES[0])

    assert (exact, inside) == ("", "")
    assert beside


def test_a_file_that_is_part_of_the_workflow_is_no_source_of_a_score(folder: Path) -> None:
    assert sources(folder, SCORES[0], include=("judge_of_entries.py",)) == [""]


def test_a_score_of_a_package_is_locked_by_its_module(folder: Path) -> None:
    """It is no file of the project, and may be upgraded under an experiment."""
    [found] = sources(folder, "textwrap:dedent")
    [missing] = sources(folder, "no_such_module_of_entries:tone")

    assert len(found) == 64
    assert missing == ""
