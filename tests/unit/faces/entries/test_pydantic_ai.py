"""Agents of pydantic-ai as entries: real agents, scripted models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, CallDeferred, DeferredToolRequests
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from doubles.trials import trial_of
from proveout.domain.run import RunState
from proveout.faces.carried import CannotCarry
from proveout.faces.entry import as_workflow
from proveout.run.define import effect
from proveout.run.payload import WrongShape, signature

if TYPE_CHECKING:
    from doubles.shop import Shop
    from proveout.domain.workflow import Workflow

paid: list[str] = []


@pytest.fixture(autouse=True)
def forget() -> None:
    """Begin each test with nothing paid."""
    paid.clear()


class Label(BaseModel):
    """An output that is no text."""

    team: str
    sure: float


@effect
async def pay(order: str) -> None:
    paid.append(order)


def script(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    """Refund the orders a and b, then tell what came of it."""
    said = [part.content for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
    if said:
        return ModelResponse(parts=[TextPart(" and ".join(map(str, said)))])
    orders = "ab"
    return ModelResponse(
        parts=[ToolCallPart("refund", {"order": one}, tool_call_id=one) for one in orders]
    )


def desk() -> Workflow[..., Any]:
    """Return an agent made anew, as another process would import it."""
    agent = Agent(FunctionModel(script), output_type=[str, DeferredToolRequests])

    @agent.tool_plain(requires_approval=True)
    async def refund(order: str) -> str:  # pyright: ignore[reportUnusedFunction] - the agent has it
        await pay(order)
        return f"refunded {order}"

    return as_workflow(agent, "app:desk")


async def test_an_agent_gives_its_output_in_one_step(shop: Shop) -> None:
    """An output that is a model comes out as JSON."""
    model = TestModel(custom_output_args={"team": "billing", "sure": 0.5})
    flow = as_workflow(Agent(model, output_type=Label), "app:label")

    run = await shop.done(flow, "Where is my invoice?")

    assert await shop.result(run.id) == {"team": "billing", "sure": 0.5}
    assert [entry.place.name for entry in await shop.store.journal(run.id)] == ["label"]


async def test_an_agent_takes_what_was_said_before(shop: Shop) -> None:
    """The history is that of pydantic-ai, as JSON."""

    def count(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart(f"{len(messages)} messages")])

    before = await Agent(FunctionModel(count)).run("hi")
    history = json.loads(before.all_messages_json())
    flow = as_workflow(Agent(FunctionModel(count)), "app:count")

    run = await shop.done(flow, {"prompt": "and now?", "message_history": history})

    assert await shop.result(run.id) == "3 messages"


async def test_each_tool_call_waits_for_its_approval(shop: Shop) -> None:
    """An agent made anew goes on: one call as edited, one told that it was denied, and why."""
    run = await shop.done(desk(), "refund both")
    first, second = await shop.reviews()

    assert run.state == RunState.WAITING
    assert json.loads(first.content) == {"tool": "refund", "arguments": {"order": "a"}}

    await shop.answer(first, content=b'{"tool": "refund", "arguments": {"order": "c"}}')
    await shop.answer(second, approved=False, reason="too late")
    run = await shop.again(desk(), run.id)

    assert run.state == RunState.SUCCEEDED, run.failure
    assert await shop.result(run.id) == "refunded c and too late"
    assert paid == ["c"]


@pytest.mark.parametrize(
    "edit",
    [
        b'{"tool": "delete", "arguments": {"order": "a"}}',
        b'{"tool": "refund", "arguments": "a"}',
        b'{"tool": "refund", "arguments": {}, "more": 1}',
        b'{"tool": "refund"}',
        b'"yes"',
    ],
)
async def test_an_edit_of_more_than_the_arguments_parks(shop: Shop, edit: bytes) -> None:
    run = await shop.done(desk(), "refund both")
    first, second = await shop.reviews()
    await shop.answer(first, content=edit)
    await shop.answer(second)
    run = await shop.again(desk(), run.id)

    assert run.state == RunState.PARKED
    assert "only the arguments of a tool call can be edited" in run.note
    assert paid == []


async def test_a_trial_asks_nobody_and_captures_marked_effects(shop: Shop) -> None:
    """Calls that need approval are made; only the marked effect in them is not carried out."""
    run = await trial_of(shop, desk(), "refund both")

    assert run.state == RunState.SUCCEEDED, run.failure
    assert await shop.result(run.id) == "refunded a and refunded b"
    assert await shop.reviews() == []
    assert paid == []


async def test_a_tool_that_runs_elsewhere_is_refused(shop: Shop) -> None:
    agent = Agent(FunctionModel(script), output_type=[str, DeferredToolRequests])

    @agent.tool_plain
    def refund(order: str) -> str:  # pyright: ignore[reportUnusedFunction] - the agent has it
        del order
        raise CallDeferred

    run = await shop.done(as_workflow(agent, "app:desk"), "refund both")

    assert run.failure is not None
    assert (run.state, run.failure.type) == (RunState.DEAD, "CannotCarry")
    assert "waits for refund, to be run elsewhere" in run.failure.message
    assert "signal()" in run.failure.message


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"7", "Input should be a valid string"),
        (b"{}", "prompt and message_history"),
        (b'{"question": "hi"}', "prompt and message_history"),
        (b'{"prompt": 7}', "prompt is a text"),
        (b'{"message_history": [{"role": "user"}]}', "message_history|kind"),
    ],
)
def test_another_input_is_refused_at_the_door(given: bytes, why: str) -> None:
    with pytest.raises(WrongShape, match=why):
        signature(desk().function).inputs(given)


def test_an_agent_with_dependencies_is_refused() -> None:
    with pytest.raises(CannotCarry, match="asks for dependencies: deps_type=Label") as refused:
        as_workflow(Agent(TestModel(), deps_type=Label), "app:agent")

    assert "write a function" in refused.value.fix[0]
