"""Proveout takes one AI workflow from proof of concept to production, and proves each step."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.domain.breaker import Breaker
    from proveout.domain.case import Case
    from proveout.domain.guardrail import Finding
    from proveout.domain.review import Review
    from proveout.errors import Mistake, Outage, ProveoutError, Refusal
    from proveout.faces.notebook import prove
    from proveout.faces.project import Project, metered_transport
    from proveout.faces.synchronous import SyncProject
    from proveout.prove.score import score
    from proveout.run.ask import Decision, Rejected, review, sleep
    from proveout.run.caller import caller_headers
    from proveout.run.change import changed
    from proveout.run.define import effect, step, workflow
    from proveout.run.failure import StepFailed
    from proveout.run.limit import limit
    from proveout.run.race import Winner, race
    from proveout.run.signal import NoSignal, signal

__all__ = [
    "Breaker",
    "Case",
    "Decision",
    "Finding",
    "Mistake",
    "NoSignal",
    "Outage",
    "Project",
    "ProveoutError",
    "Refusal",
    "Rejected",
    "Review",
    "StepFailed",
    "SyncProject",
    "Winner",
    "caller_headers",
    "changed",
    "effect",
    "limit",
    "metered_transport",
    "prove",
    "race",
    "review",
    "score",
    "signal",
    "sleep",
    "step",
    "workflow",
]

_HOMES = {
    "Breaker": "domain.breaker",
    "Case": "domain.case",
    "Decision": "run.ask",
    "Finding": "domain.guardrail",
    "Mistake": "errors",
    "NoSignal": "run.signal",
    "Outage": "errors",
    "Project": "faces.project",
    "ProveoutError": "errors",
    "Refusal": "errors",
    "Rejected": "run.ask",
    "Review": "domain.review",
    "StepFailed": "run.failure",
    "SyncProject": "faces.synchronous",
    "effect": "run.define",
    "limit": "run.limit",
    "Winner": "run.race",
    "caller_headers": "run.caller",
    "changed": "run.change",
    "metered_transport": "faces.project",
    "race": "run.race",
    "review": "run.ask",
    "score": "prove.score",
    "signal": "run.signal",
    "sleep": "run.ask",
    "step": "run.define",
    "workflow": "run.define",
}


def __getattr__(name: str) -> object:
    """Import a public name from its home on first use, so that start-up stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'proveout' has no attribute '{name}'")
    value = getattr(import_module(f"proveout.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


class _FrontDoor(ModuleType):
    """Keeps the name `prove` for the function.

    The chapter is called the same, and importing any part of it would put the chapter
    in the function's place.
    """

    @property
    def prove(self) -> object:
        return import_module("proveout.faces.notebook").prove

    @prove.setter
    def prove(self, chapter: ModuleType) -> None:
        """Leave the chapter to `sys.modules`, where imports look for it."""


sys.modules[__name__].__class__ = _FrontDoor
