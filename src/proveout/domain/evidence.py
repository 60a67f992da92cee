"""Evidence: a recorded fact about one release, with its digest and its negative control."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - a record is read by its annotations
from enum import StrEnum
from typing import Any


class DrillResult(StrEnum):
    """How a drill ended."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"


class ControlResult(StrEnum):
    """How the same drill ended with its protection switched off; it must fail."""

    FAILED = "failed"
    DID_NOT_FAIL = "did not fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a drill showed.

    Attributes:
        claim: the claim of the bar that it speaks of.
        bar: version of the bar.
        release: digest of the release that was drilled.
        environment: digest of the packages that it ran among.
        engine: version of Proveout.
        depends: digest of each further thing that it depends on, by name ("sources", "people" …).
        figures: what was counted, plain numbers and texts.
        summary: one line for people: "recovery off: 14 lost; on: 0".
        log: hexadecimal SHA-256 of the raw log.
    """

    claim: str
    bar: int
    workflow: str
    release: str
    code: str
    environment: str
    engine: str
    seed: int
    started: datetime
    ended: datetime
    result: DrillResult
    control: ControlResult
    summary: str
    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    depends: dict[str, str] = field(default_factory=dict[str, str])
    log: str = ""
    by: str = ""
