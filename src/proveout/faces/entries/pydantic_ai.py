"""Agents of pydantic-ai: a prompt in, the output out, tools that need approval as reviews."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import AfterValidator
from pydantic_ai import (
    DeferredToolRequests,
    DeferredToolResults,
    ModelMessagesTypeAdapter,
    ToolApproved,
    ToolDenied,
)

from proveout.faces.carried import CannotCarry, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_ai import ModelMessage, ToolCallPart
    from pydantic_ai.agent import AbstractAgent
    from pydantic_ai.run import AgentRunResult

    from proveout.faces.carried import Reply

TAKES = frozenset({"prompt", "message_history"})


class Agent:
    """An agent without dependencies."""

    hears_no = True

    def __init__(self, agent: AbstractAgent[Any, Any]) -> None:
        self._agent = agent
        self.shape: Any = Annotated[str | dict[str, Any], AfterValidator(known)]

    async def begin(self, value: Any) -> Turn:
        """Return how far the agent comes from a prompt."""
        given = {"prompt": value} if isinstance(value, str) else value
        history = messages(given["message_history"]) if "message_history" in given else None
        return turn(await self._agent.run(given.get("prompt"), message_history=history))

    async def resume(self, left: Any, replies: Sequence[Reply]) -> Turn:
        """Return how far it comes with what people said of its tool calls."""
        said = zip(left["calls"], map(verdict, replies), strict=True)
        return turn(
            await self._agent.run(
                message_history=messages(left["messages"]),
                deferred_tool_results=DeferredToolResults(approvals=dict(said)),
            )
        )

    def check(self, asked: Any, edit: Any) -> None:
        """Leave quietly when nothing but the arguments was edited, and they are an object."""
        given = cast("dict[str, Any]", edit) if isinstance(edit, dict) else {}
        arguments = given.get("arguments")
        if not isinstance(arguments, dict) or given != {**asked, "arguments": arguments}:
            raise ValueError("only the arguments of a tool call can be edited, as an object")


def known(value: str | dict[str, Any]) -> str | dict[str, Any]:
    """Return an input that an agent takes.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str):
        return value
    if not value or value.keys() - TAKES:
        raise ValueError("an agent takes a text, or an object with prompt and message_history")
    if not isinstance(value.get("prompt", ""), str):
        raise ValueError("prompt is a text")  # noqa: TRY004 - pydantic tells only this kind
    if "message_history" in value:
        messages(value["message_history"])
    return value


def messages(given: Any) -> list[ModelMessage]:
    """Return the messages that `ModelMessagesTypeAdapter` wrote as JSON."""
    return ModelMessagesTypeAdapter.validate_json(json.dumps(given))


def turn(done: AgentRunResult[Any]) -> Turn:
    """Return how far an agent came.

    Raises:
        CannotCarry: it waits for the result of a tool that runs elsewhere.
    """
    asked: Any = done.output
    if not isinstance(asked, DeferredToolRequests):
        return Turn(result=asked)
    if asked.calls:
        names = ", ".join(sorted({call.tool_name for call in asked.calls}))
        raise CannotCarry(
            f"the agent waits for {names}, to be run elsewhere; a review can only approve a call."
            " Call the agent from a @workflow, and wait for the result with signal()"
        )
    return Turn(
        asks=tuple(question(call, asked.metadata) for call in asked.approvals),
        left={
            "calls": [call.tool_call_id for call in asked.approvals],
            "messages": json.loads(ModelMessagesTypeAdapter.dump_json(done.all_messages())),
        },
    )


def question(call: ToolCallPart, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person is asked about a tool call, with what the tool tells about it."""
    about = metadata.get(call.tool_call_id)
    asked = {"tool": call.tool_name, "arguments": call.args_as_dict()}
    return {**asked, "metadata": about} if about else asked


def verdict(reply: Reply) -> bool | ToolApproved | ToolDenied:
    """Return what a person said of a call, as the agent takes it."""
    if reply.approved:
        return ToolApproved(override_args=reply.value["arguments"] if reply.edited else None)
    return ToolDenied(reply.reason) if reply.reason else ToolDenied()


def carry(found: AbstractAgent[Any, Any], entry: str) -> Agent:
    """Return an agent as an entry.

    Raises:
        CannotCarry: it asks for dependencies, which no input can give.
    """
    needs: Any = found.deps_type
    if needs not in (object, type(None), Any):
        raise CannotCarry(
            f"{entry} asks for dependencies: deps_type={getattr(needs, '__name__', needs)}",
            why="an input is JSON, and cannot give them",
            fix=("write a function that makes them and runs the agent, and name it as the entry",),
        )
    return Agent(found)
