"""Datasets: the cases that experiments run, as they stand on the disk now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from proveout.faces.web.frame import Section

if TYPE_CHECKING:
    from proveout.faces.report.untrusted import Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case, as far as a list shows it."""

    id: str
    value: Excerpt
    expected: Excerpt | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCard:
    """One dataset.

    Attributes:
        file: its name in the project's folder.
        cases: count of them.
        expected: how many have a right answer.
        sources: how many sources the cases come from; 0 where none is named.
        tags: each with its count, the most frequent first.
        first: some cases of the beginning.
        used_by: names of the experiments that read it.
        looked_at: how many looks have been taken at these very cases.
        problem: why it cannot be read; "" where it can.
    """

    file: str
    digest: str = ""
    cases: int = 0
    expected: int = 0
    sources: int = 0
    tags: tuple[tuple[str, int], ...] = ()
    first: tuple[CaseRow, ...] = ()
    used_by: tuple[str, ...] = ()
    looked_at: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetsPage:
    """All datasets that the settings name, in their order."""

    template: ClassVar[str] = "datasets.html.j2"
    section: ClassVar[Section] = Section.DATASETS

    cards: tuple[DatasetCard, ...]

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Datasets"
