"""From the store to the pages: the frame, runs, reviews and the ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from proveout.domain.release import DRAFT, WORKFLOW_SCOPE
from proveout.domain.review import ReviewId
from proveout.faces.api.call import checked_id
from proveout.faces.api.problems import BadRequest
from proveout.faces.cli.operate import pruned_words
from proveout.faces.project import NoSuch
from proveout.faces.queried import asked_for
from proveout.faces.web.frame import Frame
from proveout.faces.web.gather_alerts import NONE_OPEN, Open, open_alerts
from proveout.faces.web.ledger import LedgerPage, LedgerRow
from proveout.faces.web.run_detail import run_page
from proveout.faces.web.runs import RunRow, RunsPage
from proveout.ports.reviews import ReviewFilter
from proveout.release.create import NoSuchRelease
from proveout.run.query import BadQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.domain.release import Halt, Pointer
    from proveout.domain.review import Review
    from proveout.domain.run import Run
    from proveout.faces.project import Project
    from proveout.faces.web.run_detail import RunPage
    from proveout.faces.web.visit import Visit

MOST = 100
"""Rows of one page."""

START = 90
"""Characters of an input that a list shows."""

PARSED = 10_000
"""Bytes up to which an input is parsed for its beginning; longer ones are shown as they are."""

SHORT = 10
"""Characters of a digest that stand for a release whose name is not known."""

LARGEST_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What every page needs to know of the workflow.

    Attributes:
        reviews: those that are open, up to `MOST`, the nearest deadline first.
        alerts: how many are not over.
    """

    pointer: Pointer
    halts: tuple[Halt, ...]
    reviews: tuple[Review, ...]
    alerts: Open = NONE_OPEN


async def standing(project: Project) -> Standing:
    """Return what every page needs to know."""
    store, name = project.store, project.name
    return Standing(
        pointer=await store.pointer(name),
        halts=tuple(await store.halts(name)),
        reviews=tuple(await store.waiting(ReviewFilter(limit=MOST))),
        alerts=await open_alerts(project),
    )


def frame(visit: Visit, found: Standing) -> Frame:
    """Return what stands around the pages of who is signed in."""
    project, console = visit.console.project, visit.console
    console.known.stage = found.pointer.stage
    whole = next((one for one in found.halts if one.scope == WORKFLOW_SCOPE), None)
    return Frame(
        workflow=project.name,
        stage=found.pointer.stage,
        experiment=experiment_of(project),
        now=project.bench.clock.now(),
        zone=console.zone,
        csrf=visit.csrf,
        actor=visit.actor,
        flash=visit.flash,
        halt=whole,
        waiting=len(found.reviews),
        alerting=found.alerts.waiting,
        claims=console.known.claims,
    )


async def door_frame(visit: Visit) -> Frame:
    """Return what stands around the pages outside the door."""
    project, known = visit.console.project, visit.console.known
    known.stage = (await project.store.pointer(project.name)).stage
    return Frame(
        workflow=project.name,
        stage=known.stage,
        experiment=experiment_of(project),
        now=project.bench.clock.now(),
        zone=visit.console.zone,
        csrf=visit.csrf,
    )


def experiment_of(project: Project) -> str:
    """Return the experiment that the navigation leads to."""
    experiments = project.settings.experiments
    return experiments[0].name if experiments else project.name


async def names_of(project: Project) -> Mapping[str, str]:
    """Return the names of all releases, and of the draft, by what runs are marked with."""
    releases = await project.store.releases(project.name)
    return {DRAFT: DRAFT, **{one.digest: one.name for one in releases}}


def name_in(names: Mapping[str, str], release: str | None) -> str:
    """Return the name of a release; "" for none."""
    return "" if release is None else names.get(release, release[:SHORT])


# Runs


async def runs_page(project: Project, query: str, before: str) -> RunsPage:
    """Return a page of the runs that a query asks for, the newest first; or why it cannot."""
    cursor = checked_id(before, "page") if before else ""
    now = project.bench.clock.now()
    try:
        which = await asked_for(
            project.store, query, project.name, now, before=cursor, limit=MOST + 1
        )
    except (BadQuery, NoSuchRelease) as error:
        return RunsPage(rows=(), query=query, problem=f"{error.message}; {error.why}.")
    found = await project.store.runs(which)
    return RunsPage(
        rows=await run_rows(project, found[:MOST]),
        query=query,
        before=before,
        older=found[MOST - 1].id if len(found) > MOST else "",
    )


async def run_rows(project: Project, runs: list[Run]) -> tuple[RunRow, ...]:
    """Return runs as lists show them."""
    names = await names_of(project)
    return tuple(
        RunRow(
            id=run.id,
            state=run.state,
            release=name_in(names, run.release),
            created=run.created,
            elapsed=run.elapsed,
            start=start_of(run.value) if run.pruned is None else pruned_words(run.pruned),
        )
        for run in runs
    )


def start_of(value: bytes) -> str:
    """Return the beginning of an input in one line: its longest text, for that says most.

    >>> start_of(b'{"from": "ana", "text": "Where is my parcel?"}'), start_of(b"[1, 2]")
    ('Where is my parcel?', '[1, 2]')
    """
    text = value[: START * 8].decode("utf-8", "replace")
    if len(value) <= PARSED:
        found: Any = json.loads(value)
        parts = [found]
        if isinstance(found, dict):
            parts = list(cast("dict[str, Any]", found).values())
        text = max((one for one in parts if isinstance(one, str)), key=len, default=text)
    line = " ".join(text[: START * 4].split())
    return line if len(line) <= START else f"{line[:START].rstrip()}…"


async def run_detail(visit: Visit, run: str) -> RunPage:
    """Return the page of a run.

    Raises:
        NoSuch: there is none.
    """
    project = visit.console.project
    found = await find_run(project, run)
    page = run_page(
        found,
        await project.store.journal(found.id),
        name_in(await names_of(project), found.release),
        project.bench.clock.now(),
        visit.console.zone,
        calls=(await project.store.model_calls(found.id)).get(found.id, ()),
        reviews=(await project.store.reviews_of(found.id)).get(found.id, ()),
    )
    return replace(page, trace=project.settings.telemetry.link(quote(found.id, safe="")))


async def find_run(project: Project, run: str) -> Run:
    """Return a run by its id.

    Raises:
        NoSuch: there is none.
    """
    return await project.run(checked_id(run, "run"))


# Reviews


async def find_review(project: Project, review: str) -> Review:
    """Return a review by its id.

    Raises:
        NoSuch: there is none.
    """
    found = await project.store.review(ReviewId(checked_id(review, "review")))
    if found is None:
        raise NoSuch(f"there is no review {review}", fix=("proveout review list",))
    return found


# The ledger


async def ledger_page(project: Project, before: str) -> LedgerPage:
    """Return a page of the ledger, the newest entries first.

    Raises:
        BadRequest: `before` is no number of an entry.
    """
    found = await project.store.ledger(_seq(before), MOST + 1)
    return LedgerPage(
        rows=tuple(
            LedgerRow(
                seq=one.seq,
                at=one.at,
                actor=one.actor,
                act=one.act,
                subject=one.subject,
                hash=one.hash,
            )
            for one in found[:MOST]
        ),
        before=before,
        older=str(found[MOST - 1].seq) if len(found) > MOST else "",
    )


def _seq(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > LARGEST_SEQ:
        raise BadRequest("that is no entry of the ledger", fix=("proveout ledger list",))
    return int(text)
