"""Every name, command, setting and error that callers meet is documented."""

from __future__ import annotations

import inspect
import re
import tomllib
from typing import TYPE_CHECKING

import click
import pytest

import proveout
from house.generate import DOCS, ENVIRONMENT, all_commands, own_kinds, pages
from proveout.faces.settings_schema import settings_table
from proveout.ready.scan.catalogue import RULES

if TYPE_CHECKING:
    from pathlib import Path

    from house.generate import Command

ROOT = DOCS.parent
VARIABLE = re.compile(r'"(PROVEOUT_[A-Z_]+)"')
COMMANDS = list(all_commands())
MOST_NAMES = 40


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_a_page_says_what_the_code_says(path: Path) -> None:
    """A table that was not written again after a change fails here: `make docs`."""
    found = path.read_text("utf-8")

    assert found == pages()[path], "run `make docs`"


@pytest.mark.parametrize("name", proveout.__all__)
def test_a_public_name_has_a_docstring_of_its_own(name: str) -> None:
    """What is offered is explained; a docstring that is inherited explains something else."""
    value = getattr(proveout, name)

    own = vars(value).get("__doc__") if inspect.isclass(value) else inspect.getdoc(value)

    assert own


def test_the_front_door_is_sorted_and_small() -> None:
    """Under forty names, in the order of the alphabet."""
    names = proveout.__all__

    assert names == sorted(names)
    assert len(names) < MOST_NAMES


def test_each_public_name_has_its_place_in_the_docs() -> None:
    """The page of names has a section for each."""
    page = (DOCS / "python.md").read_text("utf-8")

    missing = [name for name in proveout.__all__ if f"\n## `{name}`\n" not in page]

    assert missing == []


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.name)
def test_a_command_explains_itself_and_its_options(one: Command) -> None:
    """`--help` leaves nothing unsaid; a default is no explanation."""
    options = [option for option in one.command.params if isinstance(option, click.Option)]

    silent = [option.opts[-1] for option in options if not option.help]

    assert one.command.help
    assert silent == []


def test_each_command_has_its_place_in_the_docs() -> None:
    """The page of commands has a section for each, and a line for each option."""
    page = (DOCS / "commands.md").read_text("utf-8")

    missing = [one.name for one in COMMANDS if f"# `{one.usage}`\n" not in page]

    assert missing == []


def test_each_setting_has_its_place_in_the_docs() -> None:
    """The page of settings has a line for each key."""
    page = (DOCS / "settings.md").read_text("utf-8")

    missing = [
        row.key
        for row in settings_table()
        if not re.search(rf"^\| `{re.escape(row.key.rpartition('.')[2])}` \|", page, re.MULTILINE)
    ]

    assert missing == []


BETWEEN_OURSELVES = {
    *("PROVEOUT_ORDERS", "PROVEOUT_DOOR_ORDERS", "PROVEOUT_WATCH_ORDERS"),
    "PROVEOUT_MODELS_BEFORE",
    "PROVEOUT_CANDIDATE",
}
"""What one process of ours hands to the next; nobody else sets it."""


def test_each_variable_of_the_environment_is_documented() -> None:
    """Whatever variable the source names is on the page of settings."""
    files = (ROOT / "src").rglob("*.py")
    named = {name for path in files for name in VARIABLE.findall(path.read_text("utf-8"))}

    assert named - BETWEEN_OURSELVES <= {name for name, *_ in ENVIRONMENT}


def test_each_error_says_what_it_means() -> None:
    """`proveout explain` has words for every code, and codes are written alike."""
    kinds = own_kinds()

    silent = [code for code, kind in kinds.items() if not vars(kind).get("__doc__")]
    odd = [code for code in kinds if not re.fullmatch("[a-z]+(?:-[a-z]+)*", code)]

    assert silent == []
    assert odd == []


def test_each_rule_of_the_audit_has_its_place_in_the_docs() -> None:
    """The page of the audit has a section for each, and a line in its table."""
    page = (DOCS / "audit.md").read_text("utf-8")

    missing = [
        rule.code
        for rule in RULES
        if f"\n### `{rule.code}`\n" not in page or f"(#{rule.code})" not in page
    ]

    assert missing == []


def test_the_version_has_its_place_in_the_changelog() -> None:
    """What users of this version get is written down for them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")

    assert re.search(rf"^## {re.escape(project['version'])}\b", changelog, re.MULTILINE)
