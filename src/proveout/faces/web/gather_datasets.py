"""From the disk to the pages: the datasets that the settings name."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from proveout.errors import ProveoutError
from proveout.faces import dataset_file
from proveout.faces.report.untrusted import excerpt
from proveout.faces.web.datasets import CaseRow, DatasetCard, DatasetsPage

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.domain.case import Case
    from proveout.faces.web.visit import Console

FIRST = 8
"""Cases of a dataset that its card shows."""

EXAMPLE = 400
"""Characters of an input that can stand in an example."""

TAGS = 12
"""Tags that a card shows."""


async def datasets_page(console: Console) -> DatasetsPage:
    """Return every dataset of the settings as it stands now."""
    project = console.project
    used: dict[Path, list[str]] = {}
    for one in project.settings.experiments:
        used.setdefault(one.dataset, []).append(one.name)
    looks = Counter(one.dataset for one in await project.store.experiments(project.name))
    cards = [await _card(console, path) for path in used]
    return DatasetsPage(
        cards=tuple(
            replace(card, used_by=tuple(names), looked_at=looks[card.digest])
            for card, names in zip(cards, used.values(), strict=True)
        )
    )


async def _card(console: Console, path: Path) -> DatasetCard:
    """Return a dataset; one that has not changed since is not read again."""
    kept = console.known.datasets
    try:
        stat = await asyncio.to_thread(path.stat)
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if path not in kept or kept[path][0] != state:
            kept[path] = (state, await asyncio.to_thread(_read, path))
        return kept[path][1]
    except OSError as error:
        return DatasetCard(file=path.name, problem=error.strerror or str(error))


async def first_input(console: Console) -> str:
    """Return the input of the first case, as JSON; an empty text where none is short enough."""
    found = '""'
    for one in console.project.settings.experiments[:1]:
        with suppress(ProveoutError, OSError):
            cases = (await asyncio.to_thread(dataset_file.load, one.dataset)).cases
            values = (json.dumps(case.value, ensure_ascii=False) for case in cases[:FIRST])
            found = next((value for value in values if len(value) <= EXAMPLE), found)
    return found


def _read(path: Path) -> DatasetCard:
    try:
        found = dataset_file.load(path)
    except ProveoutError as error:
        said = f"{error.message}; {error.why}" if error.why else error.message
        return DatasetCard(file=path.name, problem=said)
    tags = Counter(tag for case in found.cases for tag in case.tags)
    return DatasetCard(
        file=path.name,
        digest=found.digest,
        cases=len(found.cases),
        expected=sum(case.expected is not None for case in found.cases),
        sources=len({case.cluster for case in found.cases if case.cluster}),
        tags=tuple(tags.most_common(TAGS)),
        first=tuple(_row(case) for case in found.cases[:FIRST]),
    )


def _row(case: Case) -> CaseRow:
    return CaseRow(
        id=case.id,
        value=excerpt(_text(case.value)),
        expected=None if case.expected is None else excerpt(_text(case.expected)),
        tags=case.tags,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
