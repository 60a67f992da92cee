"""Graphs of LangGraph as entries: real graphs, which need no model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import (  # pyright: ignore[reportMissingTypeStubs] - it has types of its own
    END,
    START,
    StateGraph,
)
from langgraph.graph.message import (  # pyright: ignore[reportMissingTypeStubs]
    add_messages,
)
from langgraph.types import interrupt

from doubles.trials import trial_of
from proveout.domain.journal import EntryKind
from proveout.domain.run import RunState
from proveout.faces.carried import CannotCarry
from proveout.faces.entry import as_workflow
from proveout.run.define import effect
from proveout.run.payload import WrongShape, signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from doubles.shop import Shop
    from proveout.domain.workflow import Workflow


@dataclass
class Order:
    """A value that is no JSON by itself."""

    number: int


class Mail(TypedDict, total=False):
    """The state of a graph."""

    text: str
    label: str
    reply: str
    order: Order
    done: Annotated[list[str], add]


class Talk(TypedDict):
    """The state of a graph that talks."""

    messages: Annotated[list[AnyMessage], add_messages]


calls: list[str] = []
sent: list[str] = []


@effect
async def send(text: str) -> None:
    sent.append(text)


@pytest.fixture(autouse=True)
def forget() -> None:
    """Begin each test with nothing called and nothing sent."""
    calls.clear()
    sent.clear()


def label(_: Mail) -> Mail:
    calls.append("label")
    return {"label": "billing", "order": Order(7), "done": ["label"]}


async def ask(state: Mail) -> Mail:
    reply = interrupt({"draft": f"about {state.get('label')}", "order": 7})
    calls.append("ask")
    return {"reply": str(reply), "done": ["ask"]}


async def say(state: Mail) -> Mail:
    assert state.get("order", Order(7)) == Order(7)
    await send(state.get("reply", ""))
    return {"done": ["say"]}


def line(*nodes: Callable[..., Any], **compiled: Any) -> Any:
    """Return a compiled graph of nodes one after another."""
    graph: Any = StateGraph(Mail)
    before = START
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(before, node.__name__)
        before = node.__name__
    graph.add_edge(before, END)
    return graph.compile(**compiled)


def desk(**compiled: Any) -> Workflow[..., Any]:
    """Return a graph made anew, as another process would import it."""
    return as_workflow(line(label, ask, say, **compiled), "app:desk")


async def test_a_graph_gives_its_last_state_in_one_step(shop: Shop) -> None:
    """The state goes in and comes out as JSON, whatever it holds between."""
    flow = as_workflow(line(label), "app:flow")

    run = await shop.done(flow, {"text": "Hello"})

    assert await shop.result(run.id) == {
        "text": "Hello",
        "label": "billing",
        "order": {"number": 7},
        "done": ["label"],
    }
    [entry] = await shop.store.journal(run.id)
    assert (entry.place.name, entry.kind) == ("flow", EntryKind.STEP)


async def test_messages_come_out_as_json(shop: Shop) -> None:
    def answer(state: Talk) -> dict[str, Any]:
        return {"messages": [AIMessage(f"You said {state['messages'][-1].content}")]}

    graph: Any = StateGraph(Talk)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    flow = as_workflow(graph.compile(), "app:talk")

    run = await shop.done(flow, {"messages": [{"role": "user", "content": "hi"}]})

    found = (await shop.result(run.id))["messages"]
    assert [(one["type"], one["content"]) for one in found] == [
        ("human", "hi"),
        ("ai", "You said hi"),
    ]


@pytest.mark.parametrize("compiled", [{}, {"checkpointer": InMemorySaver()}])
async def test_an_interrupt_waits_for_a_person(shop: Shop, compiled: dict[str, Any]) -> None:
    """The graph goes on from its checkpoint in the journal, made anew, with the answer."""
    run = await shop.done(desk(**compiled), {"text": "Hello"})
    [asked] = await shop.reviews()

    assert run.state == RunState.WAITING
    assert json.loads(asked.content) == {"draft": "about billing", "order": 7}

    await shop.answer(asked, content=b'"Dear Ann"')
    run = await shop.again(desk(), run.id)

    assert run.state == RunState.SUCCEEDED, run.failure
    assert (await shop.result(run.id))["done"] == ["label", "ask", "say"]
    assert (sent, calls) == (["Dear Ann"], ["label", "ask"])


async def test_an_approval_gives_the_graph_what_it_asked(shop: Shop) -> None:
    run = await shop.done(desk(), {"text": "Hello"})
    [asked] = await shop.reviews()
    await shop.answer(asked)
    await shop.work(desk())

    assert (await shop.result(run.id))["reply"] == str({"draft": "about billing", "order": 7})


async def insist(state: Mail) -> Mail:
    interrupt(len(state.get("done", [])))
    return {"done": ["ask"]}


async def test_a_graph_that_never_stops_asking_fails_its_trial(shop: Shop) -> None:
    """Nobody edits or rejects there; it would go on for ever and take a slot with it."""
    graph: Any = StateGraph(Mail)
    graph.add_node("insist", insist)
    graph.add_edge(START, "insist")
    graph.add_edge("insist", "insist")
    flow = as_workflow(graph.compile(), "app:loop")

    run = await trial_of(shop, flow, {"text": "Hello"})

    assert run.state == RunState.FAILED
    assert run.failure is not None
    assert run.failure.type == "AsksWithoutEnd"
    assert run.failure.message == (
        "app:loop asked 100 times in one trial, and each answer led to more"
    )


async def test_a_rejection_ends_the_run(shop: Shop) -> None:
    """A graph has no word for it, and an answer could pass for an approval."""
    run = await shop.done(desk(), {"text": "Hello"})
    [asked] = await shop.reviews()
    await shop.answer(asked, approved=False, reason="rude")
    run = await shop.again(desk(), run.id)

    assert run.failure is not None
    assert (run.state, run.failure.type) == (RunState.FAILED, "Rejected")
    assert sent == []


async def test_interrupts_one_after_another_and_side_by_side(shop: Shop) -> None:
    """Each has a review of its own, and gets the answer to its own question."""

    def one(_: Mail) -> Mail:
        first = interrupt("one?")
        return {"done": [f"one {first} {interrupt('one more?')}"]}

    def two(_: Mail) -> Mail:
        return {"done": [f"two {interrupt('two?')}"], "label": "two", "reply": "two"}

    def both() -> Workflow[..., Any]:
        graph: Any = StateGraph(Mail)
        for node in (one, two):
            graph.add_node(node.__name__, node)
            graph.add_edge(START, node.__name__)
        return as_workflow(graph.compile(), "app:both")

    run = await shop.done(both(), {"text": "Hello"})
    for asked in await shop.reviews():
        await shop.answer(asked, content={b'"one?"': b"1", b'"two?"': b"2"}[asked.content])
    await shop.work(both())
    [last] = await shop.reviews()
    await shop.answer(last, content=b"[3]")
    await shop.work(both())

    assert last.content == b'"one more?"'
    found = await shop.result(run.id)
    assert sorted(found.pop("done")) == ["one 1 [3]", "two 2"]
    assert found == {"text": "Hello", "label": "two", "reply": "two"}


async def test_an_interrupt_in_a_subgraph_waits_too(shop: Shop) -> None:
    def nested() -> Workflow[..., Any]:
        graph: Any = StateGraph(Mail)
        graph.add_node("inner", line(label, ask))
        graph.add_node("say", say)
        graph.add_edge(START, "inner")
        graph.add_edge("inner", "say")
        return as_workflow(graph.compile(), "app:nested")

    run = await shop.done(nested(), {"text": "Hello"})
    [asked] = await shop.reviews()
    await shop.answer(asked, content=b'"Dear Ann"')
    run = await shop.again(nested(), run.id)

    assert run.state == RunState.SUCCEEDED, run.failure
    assert (sent, calls) == (["Dear Ann"], ["label", "ask"])


async def test_a_trial_asks_nobody_and_captures_marked_effects(shop: Shop) -> None:
    """The graph gets its own draft back, and a marked effect in a node is not carried out."""
    run = await trial_of(shop, desk(), {"text": "Hello"})

    assert run.state == RunState.SUCCEEDED, run.failure
    assert await shop.reviews() == []
    assert calls == ["label", "ask"]
    assert sent == []


async def test_a_graph_that_raises_fails_its_step(shop: Shop) -> None:
    def breaks(_: Mail) -> Mail:
        raise RuntimeError("no such order")

    run = await shop.done(as_workflow(line(breaks), "app:flow"), {"text": "Hello"})

    assert run.failure is not None
    assert (run.state, run.failure.message) == (RunState.DEAD, "no such order")


async def test_a_state_that_cannot_be_kept_fails_its_step(shop: Shop) -> None:
    def breaks(_: Mail) -> dict[str, Any]:
        return {"reply": object()}

    run = await shop.done(as_workflow(line(breaks), "app:flow"), {"text": "Hello"})

    assert run.failure is not None
    assert run.state == RunState.DEAD
    assert "object" in run.failure.message
    assert "serializable" in run.failure.message


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b'"Hello"', "Input should be an object"),
        (b"{}", "the state is empty; the graph takes done, label, order, reply, text"),
        (b'{"txet": 1}', "the graph knows no txet; it takes done, label, order, reply, text"),
    ],
)
def test_another_input_is_refused_at_the_door(given: bytes, why: str) -> None:
    with pytest.raises(WrongShape, match=why):
        signature(desk().function).inputs(given)


def uncompiled() -> Any:
    return StateGraph(Mail)


def with_own_part() -> Any:
    graph: Any = StateGraph(Mail)
    graph.add_node("inner", line(label, checkpointer=InMemorySaver()))
    graph.add_edge(START, "inner")
    return graph.compile()


@pytest.mark.parametrize(
    ("make", "what", "fix"),
    [
        (uncompiled, "was not compiled", "graph = graph.compile()"),
        (lambda: line(label, interrupt_before=["label"]), "interrupt_before", "interrupt("),
        (with_own_part, "a checkpointer of its own: inner", "without checkpointer"),
    ],
    ids=["uncompiled", "breakpoint", "own checkpointer"],
)
def test_a_graph_that_cannot_run_so_is_refused(
    make: Callable[[], Any], what: str, fix: str
) -> None:
    with pytest.raises(CannotCarry) as refused:
        as_workflow(make(), "app:graph")

    assert what in refused.value.message
    assert fix in refused.value.fix[0]


async def test_a_graph_that_was_changed_while_it_waited_does_not_guess(shop: Shop) -> None:
    """An answer that nobody takes any more is told, not lost."""

    async def asks_elsewhere(state: Mail) -> Mail:
        return await ask(state)

    run = await shop.done(desk(), {"text": "Hello"})
    [asked] = await shop.reviews()
    await shop.answer(asked, content=b'"Dear Ann"')
    changed = as_workflow(line(label, asks_elsewhere, say), "app:desk")
    run = await shop.again(changed, run.id)

    assert run.failure is not None
    assert (run.state, run.failure.type) == (RunState.DEAD, "CannotCarry")
    assert "changed while it waited" in run.failure.message
    assert sent == []
