"""Agents of the OpenAI Agents SDK: text or items in, the final output out, approvals as reviews."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from agents import Runner, RunState
from pydantic import Field
from pydantic_core import to_jsonable_python

from proveout.faces.carried import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents import Agent as Given
    from agents import RunResult
    from agents.items import ToolApprovalItem

    from proveout.faces.carried import Reply


class Agent:
    """An agent without a context, and those that it hands over to."""

    hears_no = True

    def __init__(self, agent: Given[Any]) -> None:
        self._agent = agent
        self.shape: Any = str | Annotated[list[dict[str, Any]], Field(min_length=1)]

    async def begin(self, value: Any) -> Turn:
        """Return how far the agent comes from a text, or from items of a conversation."""
        return turn(await Runner.run(self._agent, value))

    async def resume(self, left: Any, replies: Sequence[Reply]) -> Turn:
        """Return how far it comes with what people said of its tool calls."""
        state = await RunState.from_json(self._agent, left)
        for item, reply in zip(state.get_interruptions(), replies, strict=True):
            if reply.approved:
                state.approve(item)
            else:
                state.reject(item, rejection_message=reply.reason or None)
        return turn(await Runner.run(self._agent, state))

    def check(self, asked: Any, edit: Any) -> None:
        """Refuse an edit: the SDK makes a call as the model asked for it, or not at all."""
        raise ValueError(
            f"the OpenAI Agents SDK cannot change a call of {asked['tool']}: it was to become"
            f" {json.dumps(edit, ensure_ascii=False)[:200]}"
        )


def turn(done: RunResult) -> Turn:
    """Return how far an agent came."""
    if not done.interruptions:
        return Turn(result=done.final_output)
    # What is asked is read where the answers will be given: in the order of the state.
    state = done.to_state()
    return Turn(asks=tuple(map(question, state.get_interruptions())), left=state.to_json())


def question(item: ToolApprovalItem) -> dict[str, Any]:
    """Return what a person is asked about a tool call."""
    arguments: Any = item.arguments
    if arguments is None:
        arguments = to_jsonable_python(item.raw_item)
    elif isinstance(arguments, str):
        with suppress(ValueError):  # where the model wrote no JSON, a person sees what it wrote
            arguments = json.loads(arguments)
    return {"tool": item.qualified_name or item.tool_name, "arguments": arguments}


def carry(found: Given[Any], entry: str) -> Agent:  # noqa: ARG001 - as each of these files has it
    """Return an agent as an entry."""
    return Agent(found)
