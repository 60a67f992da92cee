"""Which wire format is read by what."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from proveout.adapters.models import anthropic, openai
from proveout.adapters.models.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

OPENAI = Wire(question=openai.question, error=openai.error)
ANTHROPIC = Wire(question=anthropic.question, error=anthropic.error)

WIRES: Mapping[str, Wire] = MappingProxyType({openai.NAME: OPENAI, anthropic.NAME: ANTHROPIC})
"""Every wire format, by the name of its provider."""
