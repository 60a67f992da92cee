"""A graph and agents as entries, carried by the command line: each command a process of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from journeys.conftest import Place

pytestmark = pytest.mark.journey

DESK = """
from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt


class Mail(TypedDict, total=False):
    text: str
    label: str
    reply: str


def label(state: Mail) -> Mail:
    with open("calls.log", "a") as log:
        log.write("1\\n")
    return {"label": "billing"}


def ask(state: Mail) -> Mail:
    return {"reply": interrupt(f"about {state['label']}")}


builder = StateGraph(Mail)
builder.add_node("label", label)
builder.add_node("ask", ask)
builder.add_edge(START, "label")
builder.add_edge("label", "ask")
builder.add_edge("ask", END)
graph = builder.compile()
"""

SETTINGS = """
[workflow]
name = "desk"
entry = "desk:graph"

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = { calls = 3000 }

[prove.candidates.agent]
entry = "agent:agent"

[[prove.criteria]]
name = "right"
score = "exact"
field = "label"
floor = 0.80
target = 0.90
"""

AGENT = """
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel


class Label(BaseModel):
    label: str


agent = Agent(TestModel(custom_output_args={"label": "sales"}), output_type=Label)
"""


@pytest.fixture
def desk(place: Place) -> Place:
    """Return a project whose entry is a graph, beside an agent."""
    place.write("desk.py", DESK)
    place.write("agent.py", AGENT)
    place.write("proveout.toml", SETTINGS)
    return place


def test_a_graph_waits_for_a_person_between_processes(desk: Place) -> None:
    """The process that asked is gone when the answer comes, and nothing is done twice."""
    made = desk.ask("enqueue", "desk", "--input", '{"text": "Hello"}')
    desk.run("work", "--until-idle")
    asked = desk.ask("review", "list")
    decided = desk.run("review", "approve", asked["id"], "--edit", '"Dear Ann"')
    worked = desk.run("work", "--until-idle")
    shown = desk.ask("runs", "show", made["id"])

    assert (decided.returncode, worked.returncode) == (0, 0), decided.stderr + worked.stderr
    assert shown["state"] == "SUCCEEDED", shown
    assert shown["result"] == {"text": "Hello", "label": "billing", "reply": "Dear Ann"}
    assert desk.calls() == [1]


def test_an_input_that_the_graph_does_not_know_is_refused(desk: Place) -> None:
    done = desk.run("enqueue", "desk", "--input", '{"txet": "Hello"}')

    assert done.returncode == 2
    assert "the graph knows no txet; it takes label, reply, text" in done.stderr


def test_a_graph_and_an_agent_are_judged_side_by_side(desk: Place) -> None:
    """Both run on the same cases, each an object of another package; nobody is asked."""
    graph = DESK.replace("text: str", "prompt: str")
    desk.write("desk.py", graph)
    case = {"input": {"prompt": "Hello"}, "expected": {"label": "billing"}}
    cases = (json.dumps({**case, "id": str(number)}) for number in range(60))
    desk.write("cases.jsonl", "\n".join(cases) + "\n")

    verdict: Any = desk.ask("prove")

    found = {one["name"]: one["verdict"] for one in verdict["candidates"]}
    assert found == {"workflow": "GO", "agent": "NO-GO"}


def test_an_object_that_cannot_be_carried_is_wrong_use(desk: Place) -> None:
    """The error names the fix, and no run is made."""
    desk.write("desk.py", DESK.replace("graph = builder.compile()", "graph = builder"))

    done = desk.run("enqueue", "desk", "--input", '{"text": "Hello"}')

    assert done.returncode == 2
    assert "error[cannot-carry]" in done.stderr
    assert "graph = graph.compile()" in done.stderr
