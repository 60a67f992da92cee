"""Choose a tool by meaning: the cosine between sentence vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from request_routing.embed import embed, embed_tools
from request_routing.tool import Ranked, Tool, best

if TYPE_CHECKING:
    from collections.abc import Sequence


def rank(request: str, tools: Sequence[Tool]) -> Ranked:
    """Choose the tool whose text is nearest in meaning to the request."""
    [asked] = embed([request])
    offered = embed_tools(tool.text for tool in tools)
    return best(tools, (offered @ asked).tolist())
