"""Agents of the OpenAI Agents SDK as entries: real agents, a model of the test's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from agents import Agent, Model, ModelResponse, Usage, function_tool
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)
from pydantic import BaseModel

from doubles.trials import trial_of
from proveout.domain.run import RunState
from proveout.faces.entry import as_workflow
from proveout.run.define import effect
from proveout.run.payload import WrongShape, signature

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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


@effect
async def pay(order: str) -> None:
    paid.append(order)


@function_tool(needs_approval=True)
async def refund(order: str) -> str:
    """Refund an order."""
    await pay(order)
    return f"refunded {order}"


class Scripted(Model):
    """Calls a tool for the orders a and b, then tells what came of it; or says one thing."""

    def __init__(self, says: str = "") -> None:
        self._says = says

    async def get_response(
        self,
        system_instructions: str | None,  # noqa: ARG002 - as a Model has it
        input: Any,  # noqa: A002 - as a Model has it
        *_: Any,
        **__: Any,
    ) -> ModelResponse:
        items: list[Any] = cast("list[Any]", input) if isinstance(input, list) else []
        outputs = [one["output"] for one in items if one.get("type") == "function_call_output"]
        if self._says or outputs:
            return given(message(self._says or " and ".join(outputs)))
        return given(
            *(
                ResponseFunctionToolCall(
                    type="function_call",
                    call_id=f"call-{one}",
                    name="refund",
                    arguments=json.dumps({"order": one}),
                )
                for one in "ab"
            )
        )

    def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        raise AssertionError("nothing streams here")


def given(*output: Any) -> ModelResponse:
    return ModelResponse(output=list(output), usage=Usage(), response_id=None)


def message(text: str) -> ResponseOutputMessage:
    part = ResponseOutputText(type="output_text", text=text, annotations=[])
    return ResponseOutputMessage(
        id="message", type="message", role="assistant", status="completed", content=[part]
    )


def desk() -> Workflow[..., Any]:
    """Return an agent made anew, as another process would import it."""
    return as_workflow(Agent(name="desk", model=Scripted(), tools=[refund]), "app:desk")


@pytest.mark.parametrize("value", ["Where is it?", [{"role": "user", "content": "Where is it?"}]])
async def test_an_agent_gives_its_output_in_one_step(shop: Shop, value: object) -> None:
    """From a text or from items; an output that is a model comes out as JSON."""
    model = Scripted('{"team": "billing"}')
    flow = as_workflow(Agent(name="label", model=model, output_type=Label), "app:label")

    run = await shop.done(flow, value)

    assert run.state == RunState.SUCCEEDED, run.failure
    assert await shop.result(run.id) == {"team": "billing"}
    assert [entry.place.name for entry in await shop.store.journal(run.id)] == ["label"]


async def test_each_tool_call_waits_for_its_approval(shop: Shop) -> None:
    """An agent made anew goes on: one call made, one told that it was rejected, and why."""
    run = await shop.done(desk(), "refund both")
    first, second = await shop.reviews()

    assert run.state == RunState.WAITING
    assert json.loads(first.content) == {"tool": "refund", "arguments": {"order": "a"}}

    await shop.answer(first)
    await shop.answer(second, approved=False, reason="too late")
    run = await shop.again(desk(), run.id)

    assert run.state == RunState.SUCCEEDED, run.failure
    assert await shop.result(run.id) == "refunded a and too late"
    assert paid == ["a"]


@pytest.mark.parametrize("argument", [b'"c"', b"1"])
async def test_a_call_cannot_be_edited(shop: Shop, argument: bytes) -> None:
    """The SDK has no way to, so nothing is called and an operator sees why."""
    run = await shop.done(desk(), "refund both")
    first, second = await shop.reviews()
    await shop.answer(first, content=b'{"tool": "refund", "arguments": {"order": %s}}' % argument)
    await shop.answer(second)
    run = await shop.again(desk(), run.id)

    assert run.state == RunState.PARKED
    assert "the OpenAI Agents SDK cannot change a call of refund" in run.note
    assert paid == []


async def test_a_trial_asks_nobody_and_captures_marked_effects(shop: Shop) -> None:
    """Calls that need approval are made; only the marked effect in them is not carried out."""
    run = await trial_of(shop, desk(), "refund both")

    assert run.state == RunState.SUCCEEDED, run.failure
    assert await shop.result(run.id) == "refunded a and refunded b"
    assert await shop.reviews() == []
    assert paid == []


@pytest.mark.parametrize("given", [b"7", b"[]", b'{"prompt": "hi"}', b'["hi"]', b"null"])
def test_another_input_is_refused_at_the_door(given: bytes) -> None:
    """It takes a text, or the items of a conversation."""
    with pytest.raises(WrongShape, match="the input value has the wrong shape"):
        signature(desk().function).inputs(given)
