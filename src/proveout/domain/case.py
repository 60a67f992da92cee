"""Cases: inputs with what is known of their right answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An input, and what is known of its right answer.

    Attributes:
        id: unique within its dataset.
        value: the workflow's input, as JSON.
        expected: what a right answer looks like, as JSON; None where nothing is known.
        cluster: the source that this case shares with others, or "".
        tags: slices that inform and do not decide.
    """

    id: str
    value: Json
    expected: Json = None
    cluster: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named set of cases, known by the digest of what they say.

    Attributes:
        digest: hexadecimal SHA-256 over the cases in file order.
    """

    name: str
    digest: str
    cases: tuple[Case, ...]
