"""What models answered, kept so that drills can answer the same again without asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proveout.domain.run import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """An answer of a vendor that came to its end.

    Attributes:
        status: the HTTP status.
        headers: those that a client reads, names in lower case; none that holds a key.
        body: without an encoding.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What was answered to one call.

    Attributes:
        call: id of the call, as `ModelCall` has it.
        run: that made it.
        digest: of what was asked; what was asked is not kept.
    """

    call: str
    run: RunId
    digest: str
    answer: ModelAnswer
