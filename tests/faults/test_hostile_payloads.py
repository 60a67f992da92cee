"""Fault 14: hostile values in a busy worker are refused alone; their neighbours finish."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from faults.conftest import SETTINGS

if TYPE_CHECKING:
    from faults.conftest import Site

pytestmark = pytest.mark.faults

APP = """
from typing import Any
from proveout import step, workflow

def nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value

HOSTILE = [
    lambda: float("nan"),
    lambda: float("-inf"),
    lambda: "\\ud800",
    lambda: "x" * (1 << 21),
    nested,
    lambda: object(),
    lambda: {"\\ud83d": 1},
    lambda: 10 ** 5000,
]

@step
async def give(n: int) -> Any:
    if n < len(HOSTILE):
        return HOSTILE[n]()
    return "a\\0b" if n % 2 else {"fine": n}

@workflow
async def answer(n: int) -> Any:
    return await give(n)
"""
HOSTILE = 8
RUNS = 120


@pytest.fixture
def site(site: Site) -> Site:
    """Return a project whose step returns what no store can keep."""
    (site.folder / "app.py").write_text(APP, "utf-8")
    (site.folder / "proveout.toml").write_text(SETTINGS.replace("ENTRY", "answer"), "utf-8")
    lines = "".join(f"{n}\n" for n in range(RUNS))
    (site.folder / "inputs.jsonl").write_text(lines, "utf-8")
    site.run("enqueue", "answers", "--file", "inputs.jsonl")
    return site


def test_a_hostile_value_ends_its_own_run_only(site: Site) -> None:
    """Each culprit is told why; every neighbour in the same groups succeeds, NUL included."""
    site.run("work", "--until-idle", "--concurrency", str(RUNS))

    runs = site.runs()
    assert Counter(run["state"] for run in runs) == {"DEAD": HOSTILE, "SUCCEEDED": RUNS - HOSTILE}
    for run in runs:
        if run["state"] == "DEAD":
            assert run["error"]["type"] in {"Unjournalable", "PayloadTooLarge"}, run
    kept = json.dumps([run["result"] for run in runs])
    assert "a\\u0000b" in kept
