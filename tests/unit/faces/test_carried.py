"""Carried objects: what is recognised, and what is left alone."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest
from agents import Agent

from proveout.faces import carried
from proveout.faces.carried import CannotCarry
from proveout.faces.entry import EntryMistake, as_workflow

ALONE = """\
import sys
from proveout.faces.cli.keep import error_kinds
from proveout.faces.entry import as_workflow

assert as_workflow(len, "app:len").as_step
assert "cannot-carry" in error_kinds()
print(*({"langgraph", "langchain_core", "pydantic_ai", "agents", "openai"} & {*sys.modules}))
"""


def test_a_function_and_every_error_import_none_of_the_packages() -> None:
    """They may not be installed, and are slow to import."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE], check=False, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_a_workflow_is_named_as_its_attribute() -> None:
    flow = as_workflow(Agent(name="Help desk"), "app.desk:agents.first")

    assert (flow.name, flow.is_async, flow.as_step) == ("first", True, False)


def test_a_namesake_of_a_package_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project may have a package called agents, with an Agent in it."""

    class Agent:
        def __call__(self, text: str) -> str:
            return text

    module = ModuleType("agents.agent")
    vars(module)["Agent"] = Agent
    monkeypatch.setitem(sys.modules, "agents.agent", module)
    monkeypatch.delitem(sys.modules, "agents.run_state")

    assert as_workflow(Agent(), "app:agent").as_step


def test_an_object_of_no_known_package_is_refused() -> None:
    with pytest.raises(EntryMistake, match="app:value is no workflow") as refused:
        as_workflow(7, "app:value")

    assert "LangGraph" in refused.value.why


def test_a_package_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its file imports is not there; the command that mends it is."""
    monkeypatch.setitem(sys.modules, "proveout.faces.entries.openai_agents", None)

    with pytest.raises(CannotCarry, match="needs another openai-agents") as refused:
        carried.carried(Agent(name="desk"), "app:agent")

    assert refused.value.fix == ("pip install --upgrade openai-agents",)
