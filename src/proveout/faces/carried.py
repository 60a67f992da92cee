"""Carried objects: a graph or an agent of another package, run as one step.

Where it stops to ask people, the step ends with the questions and with all that the
object goes on from. Both are in the journal, so the next step goes on in any process,
however long the answers take.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic import RootModel, model_validator

from proveout.domain.workflow import Step, Workflow
from proveout.errors import Mistake
from proveout.run.ask import review
from proveout.run.wait import TRIAL

if TYPE_CHECKING:
    from collections.abc import Sequence


MOST_TURNS = 100
"""Times that an object may ask in one trial: more than any person would sit through."""


class AsksWithoutEnd(Mistake):
    """A graph or an agent asks again and again in a trial, where nobody answers."""

    code = "asks-without-end"


class CannotCarry(Mistake):
    """A graph or an agent of another package cannot be an entry as it is."""

    code = "cannot-carry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How far an object came.

    Attributes:
        result: what it gave, once it asks nothing.
        asks: what it asks people, as JSON.
        left: what it goes on from with their answers, as JSON.
    """

    result: Any = None
    asks: tuple[Any, ...] = ()
    left: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a person answered.

    Attributes:
        value: what was asked, or the person's edit of it; None where it was not approved.
        edited: whether it is an edit.
    """

    approved: bool
    value: Any = None
    edited: bool = False
    reason: str = ""


class Carried(Protocol):
    """An object of another package, in our terms.

    Attributes:
        shape: annotation of the inputs that it takes.
        hears_no: whether it goes on after a rejection, which else ends the run.
    """

    shape: Any
    hears_no: bool

    async def begin(self, value: Any) -> Turn:
        """Return how far it comes from an input."""
        ...

    async def resume(self, left: Any, replies: Sequence[Reply]) -> Turn:
        """Return how far it comes with one reply to each of its questions."""
        ...

    def check(self, asked: Any, edit: Any) -> None:
        """Leave quietly when `edit` may be the answer to what was asked.

        Raises:
            ValueError: it may not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """How the objects of a package are told: by a class that their own import has loaded.

    Attributes:
        package: as it is installed.
        witness: a module that a namesake of the package does not have.
        file: what carries them, in `faces/entries`.
    """

    package: str
    module: str
    name: str
    witness: str
    file: str

    def has(self, found: object) -> bool:
        """Whether `found` is one of them; imports nothing."""
        kind = getattr(sys.modules.get(self.module), self.name, None)
        known = isinstance(kind, type) and self.witness in sys.modules
        return known and isinstance(found, cast("type", kind))


_STATE = "langgraph.graph.state"
KINDS = (
    Kind("langgraph", _STATE, "CompiledStateGraph", "langgraph.pregel", "langgraph"),
    Kind("langgraph", _STATE, "StateGraph", "langgraph.pregel", "langgraph"),
    Kind("pydantic-ai", "pydantic_ai.agent", "AbstractAgent", "pydantic_ai.agent", "pydantic_ai"),
    Kind("openai-agents", "agents.agent", "Agent", "agents.run_state", "openai_agents"),
)


def carried(found: object, entry: str) -> Workflow[..., Any] | None:
    """Return an object of a package that we know as a workflow; None for anything else.

    Raises:
        CannotCarry: it needs what no input can give it, or its package is too old.
    """
    kind = next((kind for kind in KINDS if kind.has(found)), None)
    if kind is None:
        return None
    try:
        file = import_module(f"proveout.faces.entries.{kind.file}")
    except ImportError as error:
        raise CannotCarry(
            f"{entry} needs another {kind.package} than is installed: {error}",
            fix=(f"pip install --upgrade {kind.package}",),
        ) from error
    return workflow_of(cast("Carried", file.carry(found, entry)), entry)


def workflow_of(one: Carried, entry: str) -> Workflow[..., Any]:
    """Return the workflow that runs an object as one step, and once more after each review."""

    async def turn(given: Any, replies: list[Reply] | None) -> Turn:
        return await (one.begin(given) if replies is None else one.resume(given, replies))

    async def whole(value: Any) -> Any:
        turned = await step(value, None)
        by_nobody = 0
        while turned.asks:
            heard = await asyncio.gather(*(_reply(one, asked) for asked in turned.asks))
            by_nobody += all(by == TRIAL for _, by in heard)
            if by_nobody > MOST_TURNS:
                raise AsksWithoutEnd(
                    f"{entry} asked {MOST_TURNS} times in one trial, and each answer led to more",
                    why="a trial approves what is asked as it is; where people would edit or"
                    " reject it, nothing ends it",
                    fix=("end the loop in the graph after some turns",),
                )
            turned = await step(turned.left, [reply for reply, _ in heard])
        return turned.result

    turn.__name__ = whole.__name__ = entry.rpartition(":")[2].rpartition(".")[2]
    whole.__annotations__ = {"value": one.shape, "return": Any}
    step = Step(turn)
    return Workflow(whole)


async def _reply(one: Carried, asked: Any) -> tuple[Reply, str]:
    """Return what a person answers, and who it is.

    Raises:
        Rejected: they said no to an object that does not hear it.
    """
    decision = await review(_draft(one, asked))
    if one.hears_no and not decision.approved:
        return Reply(approved=False, reason=decision.reason), decision.by
    value = decision.value.root
    edited = not is_same(value, asked)
    reply = Reply(approved=True, value=value, edited=edited, reason=decision.reason)
    return reply, decision.by


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; Python takes 1 for true.

    >>> is_same({"urgent": 1}, {"urgent": True})
    False
    """
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _draft(one: Carried, asked: Any) -> RootModel[Any]:
    """Return a draft of which only edits that the object takes can be made."""

    class Draft(RootModel[Any]):
        @model_validator(mode="after")
        def check(self) -> Draft:
            if not is_same(self.root, asked):
                one.check(asked, self.root)
            return self

    return Draft(asked)
