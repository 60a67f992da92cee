"""Tools, and the choice of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool on offer, as its owner describes it."""

    name: str
    description: str

    @property
    def text(self) -> str:
        """The name in plain words, and the description: what a ranking reads."""
        words = self.name.replace("_", " ").replace(".", " ")
        return f"{words}: {self.description}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The tool that suits a request best.

    Attributes:
        tool: its name.
        confidence: how far its score is ahead of the second best, 0 to 1; scores are
            cosines. 0 is a toss-up. It orders choices by how safe they are; it is not the
            probability of being right.
    """

    tool: str
    confidence: float


def best(tools: Sequence[Tool], scores: Sequence[float]) -> Ranked:
    """Choose the tool with the highest score; of equals, the one named first.

    Args:
        tools: at least one.
        scores: cosine between the request and each tool, -1 to 1, in the same order.

    >>> mail, chat = Tool(name="mail", description=""), Tool(name="chat", description="")
    >>> best([mail, chat], [0.25, 0.75])
    Ranked(tool='chat', confidence=0.5)
    """
    first = max(range(len(tools)), key=lambda place: scores[place])
    others = [score for place, score in enumerate(scores) if place != first]
    lead = scores[first] - max(others) if others else 1.0
    return Ranked(tool=tools[first].name, confidence=min(lead, 1.0))
