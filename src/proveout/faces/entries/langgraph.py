"""Compiled graphs of LangGraph: the state as JSON in and out, interrupts as reviews."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Annotated, Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph.state import (  # pyright: ignore[reportMissingTypeStubs] - it has types of its own
    CompiledStateGraph,
    StateGraph,
)
from langgraph.types import Command
from pydantic import AfterValidator

from proveout.faces.carried import CannotCarry, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph.types import Interrupt

    from proveout.faces.carried import Reply

    Compiled = CompiledStateGraph[Any, Any, Any, Any]

THREAD = "run"
"""Each step has a keeper of its own, so that one name is enough."""

CONFIG = {"configurable": {"thread_id": THREAD}}

INTERRUPTS = "__interrupt__"


class Graph:
    """A compiled graph.

    Its checkpoints are kept by the step, never by the graph's own checkpointer: that one
    may be gone when the answer comes, or know more than the journal does.
    """

    hears_no = False

    def __init__(self, graph: Compiled) -> None:
        self._graph: Any = graph  # its types say less than they should
        own: Any = self._graph.checkpointer
        self._serde = own.serde if isinstance(own, BaseCheckpointSaver) else JsonPlusSerializer()
        builder: Any = graph.builder
        self._takes: frozenset[str] = frozenset(builder.schemas[builder.input_schema])
        self.shape: Any = Annotated[dict[str, Any], AfterValidator(self._known)]
        if "__root__" in self._takes:  # its state is one value, whatever that is
            self.shape = Any

    def _known(self, state: dict[str, Any]) -> dict[str, Any]:
        takes = ", ".join(sorted(self._takes))
        if not state:
            raise ValueError(f"the state is empty; the graph takes {takes}")
        if strange := sorted(state.keys() - self._takes):
            raise ValueError(f"the graph knows no {', '.join(strange)}; it takes {takes}")
        return state

    async def begin(self, value: Any) -> Turn:
        """Return how far the graph comes from a state."""
        return await self._go(value, InMemorySaver(serde=self._serde))

    async def resume(self, left: Any, replies: Sequence[Reply]) -> Turn:
        """Return how far it comes with the answers to its interrupts.

        Raises:
            CannotCarry: it asks something else by now; LangGraph itself would drop the answers.
        """
        answers = {id_: reply.value for id_, reply in zip(left["ids"], replies, strict=True)}
        keeper = self._restored(left["checkpoints"])
        state: Any = await self._graph.copy({"checkpointer": keeper}).aget_state(CONFIG)
        if not answers.keys() <= {one.id for one in state.interrupts}:
            raise CannotCarry(
                "the graph was changed while it waited, and no longer has the node that asked;"
                " replay the run to begin again"
            )
        return await self._go(Command(resume=answers), keeper)

    def check(self, asked: Any, edit: Any) -> None:
        """Leave quietly: whatever a person makes of it is what `interrupt` returns."""

    async def _go(self, given: Any, keeper: InMemorySaver) -> Turn:
        graph = self._graph.copy({"checkpointer": keeper})
        found: Any = await graph.ainvoke(given, CONFIG, durability="exit")
        if not isinstance(found, dict):
            return Turn(result=found)
        state = cast("dict[str, Any]", found)
        interrupts: Sequence[Interrupt] = state.pop(INTERRUPTS, ())
        if not interrupts:
            return Turn(result=state)
        return Turn(
            asks=tuple(one.value for one in interrupts),
            left={"ids": [one.id for one in interrupts], "checkpoints": self._written(keeper)},
        )

    def _written(self, keeper: InMemorySaver) -> Mapping[str, str]:
        """Return all checkpoints in the words of the graph's own serializer, oldest first."""
        found = [
            [one.config, one.checkpoint, one.metadata, one.parent_config, one.pending_writes or []]
            for one in keeper.list(None)
        ]
        kind, data = self._serde.dumps_typed(found[::-1])
        return {"kind": kind, "data": b64encode(data).decode()}

    def _restored(self, written: Mapping[str, str]) -> InMemorySaver:
        """Return a keeper of what `_written` wrote."""
        keeper = InMemorySaver(serde=self._serde)
        found = self._serde.loads_typed((written["kind"], b64decode(written["data"])))
        for config, checkpoint, metadata, parent, writes in found:
            space = {"checkpoint_ns": config["configurable"]["checkpoint_ns"]}
            before: Any = parent or {"configurable": {"thread_id": THREAD, **space}}
            keeper.put(before, checkpoint, metadata, checkpoint["channel_versions"])
            for task, own in of_each_task(writes).items():
                keeper.put_writes(config, own, task)
        return keeper


def of_each_task(writes: Iterable[tuple[str, str, Any]]) -> dict[str, list[tuple[str, Any]]]:
    """Return each task's writes together: a keeper counts them, and drops what it counts twice."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for task, channel, value in writes:
        found.setdefault(task, []).append((channel, value))
    return found


def carry(found: Compiled | StateGraph[Any, Any, Any, Any], entry: str) -> Graph:
    """Return a graph as an entry.

    Raises:
        CannotCarry: it is not compiled, stops where no `interrupt` asks, or has a part that
            keeps checkpoints of its own.
    """
    if not isinstance(found, CompiledStateGraph):
        name = entry.rpartition(":")[2]
        raise CannotCarry(
            f"{entry} is a StateGraph that was not compiled",
            why="only a compiled graph can run",
            fix=(f"{name} = {name}.compile()", 'and set entry = "module:attribute" to that'),
        )
    if found.interrupt_before_nodes or found.interrupt_after_nodes:
        raise CannotCarry(
            f"{entry} is compiled with interrupt_before or interrupt_after",
            why="such a stop asks nothing that a person could answer",
            fix=("call interrupt(…) with what is to be decided in the node instead",),
        )
    parts: Any = cast("Any", found).get_subgraphs(recurse=True)
    for name, part in parts:
        if isinstance(getattr(part, "checkpointer", None), BaseCheckpointSaver):
            raise CannotCarry(
                f"{entry} has a subgraph with a checkpointer of its own: {name}",
                why="what it keeps there is not in the journal, and may be gone when a run goes on",
                fix=("compile the subgraph without checkpointer",),
            )
    return Graph(found)
