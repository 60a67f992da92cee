"""`[choice]`: what is granted, and what is known of each candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proveout.faces.settings import load
from proveout.faces.settings_reader import SettingsMistake
from proveout.ready.decision import Met, Need

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.faces.settings_choice import ChoiceSettings

PROJECT = """
[workflow]
name = "toy"
entry = "app:answer"

[prove]
dataset = "cases.jsonl"
time_box = "1 day"
budget = { calls = 20 }
criteria = [{ score = "exact", floor = 0.8, target = 0.9 }]
candidates = { vendor = { entry = "app:vendor" } }
"""


def read(folder: Path, text: str) -> ChoiceSettings:
    """Return what a file says of building or buying."""
    (folder / "cases.jsonl").write_text('{"input": 1, "expected": 1}\n', "utf-8")
    (folder / "proveout.toml").write_text(PROJECT + text, "utf-8")
    return load(folder / "proveout.toml").choice


def test_what_nobody_has_said_is_not_known(tmp_path: Path) -> None:
    """An absent list is no empty one: asking for nothing has to be said."""
    silent = read(tmp_path, "")
    said = read(tmp_path, "[choice]\npermissions = []\n[choice.candidates.vendor]\n")

    assert (silent.permissions, said.permissions) == (None, ())
    assert said.offer("vendor").permissions is None
    assert said.offer("workflow").needs == ()


def test_evidence_and_its_absence_are_told_apart(tmp_path: Path) -> None:
    """A text says where it is shown; "no" says that it has none."""
    found = read(tmp_path, '[choice.candidates.vendor]\nexport = "tried it"\naudit_log = "No"\n')

    assert found.offer("vendor").needs == (
        Met(need=Need.EXPORT, is_met=True, evidence="tried it"),
        Met(need=Need.AUDIT_LOG, is_met=False, evidence="it has none"),
    )


@pytest.mark.parametrize("said", ["yes", "", " ", "TBD", "true"])
def test_a_bare_yes_is_no_evidence(tmp_path: Path, said: str) -> None:
    """Who claims it has to say where it can be seen."""
    with pytest.raises(SettingsMistake, match="names no evidence") as caught:
        read(tmp_path, f'[choice.candidates.vendor]\nexport = "{said}"\n')

    assert caught.value.line == 13


def test_a_candidate_of_no_experiment_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """A slip of the pen would otherwise leave everything unanswered."""
    with pytest.raises(SettingsMistake, match="called vendro") as caught:
        read(tmp_path, "[choice.candidates.vendro]\n")

    assert caught.value.fix == ("[choice.candidates.vendor]",)
