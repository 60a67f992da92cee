"""Answers are kept in proveout.toml, and nothing else of it changes."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from proveout.faces.toml_answers import AnswersNotKept, keep_answers

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """\
# ours
[workflow]
name = "triage"       # the one
operator = "not known yet"

[prove]
budget = { calls = 3 }
"""


@pytest.mark.parametrize("name", ["ana@example.org", 'Ana "the op" Li', "日本", "a\\b\u2028c\x7f"])
def test_an_answer_takes_its_place_and_all_else_stays(tmp_path: Path, name: str) -> None:
    """Replaced where the key stands, added below the head where it does not."""
    file = tmp_path / "proveout.toml"
    file.write_text(SETTINGS, "utf-8")
    file.chmod(0o640)

    keep_answers(file, {"operator": name, "owner": "ben"})

    text = file.read_text("utf-8")
    expected = tomllib.loads(SETTINGS)
    expected["workflow"] |= {"operator": name, "owner": "ben"}
    assert tomllib.loads(text) == expected
    assert "# ours\n[workflow]\n" in text
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "text",
    [
        'workflow = { name = "triage", operator = "" }\n',
        '[workflow]\nname = "a"\noperator = """\nnobody\n"""\n',
        'workflow.name = "a"\n',
    ],
)
def test_settings_that_are_written_otherwise_are_left_as_they_are(
    tmp_path: Path, text: str
) -> None:
    """With the lines to add by hand."""
    file = tmp_path / "proveout.toml"
    file.write_text(text, "utf-8")

    with pytest.raises(AnswersNotKept) as refused:
        keep_answers(file, {"operator": "ana"})

    assert file.read_text("utf-8") == text
    assert 'operator = "ana"' in refused.value.fix
