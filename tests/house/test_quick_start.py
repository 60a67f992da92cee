"""Starting is quick because little is imported; `benchmarks/start_up.py` measures the time."""

from __future__ import annotations

import subprocess
import sys

import pytest

CARRIED = {"agents", "langchain_core", "langgraph", "openai", "pydantic_ai"}
SLOW = {"asyncio", "asyncpg", "httpx", "jinja2", "pydantic", "rich", "structlog"} | CARRIED

WATCHED = """\
import sys
from contextlib import suppress

sys.argv = ["proveout", *sys.argv[1:]]
with suppress(SystemExit):
    {what}
print(*{{name.partition(".")[0] for name in sys.modules}}, file=sys.stderr)
"""
COMMAND = "from proveout.faces.cli.main import main; main()"


def imported(what: str, *arguments: str) -> set[str]:
    """Return the top packages that a fresh interpreter holds after `what`."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED.format(what=what), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stderr.split())


def test_importing_the_package_imports_nothing_slow() -> None:
    """The front door opens its rooms on first use."""
    found = imported("import proveout")

    assert not found & SLOW


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("prove", "--help")])
def test_help_imports_nothing_slow(arguments: tuple[str, ...]) -> None:
    """A command imports what it uses when it is called."""
    found = imported(COMMAND, *arguments)

    allowed = {"asyncio"} if arguments[0] == "prove" else set[str]()
    assert not found & (SLOW - allowed)


def test_the_measure_would_notice() -> None:
    """The same measure sees a slow import when there is one."""
    found = imported("import asyncio, pydantic")

    assert {"asyncio", "pydantic"} <= found


@pytest.mark.parametrize("first", ["Project", "score", "StepFailed"])
def test_a_name_is_what_it_says_whatever_was_imported_before(first: str) -> None:
    """The function `prove` is not the chapter of that name, in any order of imports."""
    what = f"from proveout import {first}, prove; assert callable(prove), prove"

    done = subprocess.run([sys.executable, "-c", what], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
