"""The command `enqueue`: who comes in, when, and in which order."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from proveout.domain.duration import duration
from proveout.domain.release import Stage
from proveout.errors import Mistake, ProveoutError
from proveout.faces.cli.operate import BadInput, named_field, parse_input, run_v1
from proveout.faces.cli.output import answer, answer_json, next_step, sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proveout.faces.project import Project

WORKED_BY = {
    Stage.PROOF_OF_CONCEPT: ("proveout work --until-idle", "works on the draft, unless serve does"),
    Stage.PRODUCTION: ("proveout serve", "supervises a worker for each release that has runs"),
}

BATCH = 500
"""Runs that are handed to the store at once."""


@click.command()
@click.argument("workflow")
@click.option(
    "--input",
    "values",
    multiple=True,
    metavar="JSON",
    help="The input of a run; several make several.",
)
@click.option("--file", type=click.Path(path_type=Path), help="JSON Lines: one input a line.")
@click.option("--key", metavar="FIELD", help="Field of the input that names the request.")
@click.option(
    "--priority",
    type=click.IntRange(-100, 100),
    default=0,
    show_default=True,
    help="The highest is claimed first.",
)
@click.option(
    "--order-by",
    metavar="FIELD",
    help="Field of the input; runs with one value of it go one at a time, in order.",
)
@click.option("--delay", metavar="TIME", help='Begin no sooner than after this, such as "10 min".')
@click.option("--json", "as_json", is_flag=True, help="Print one run.v1 a line.")
def enqueue(
    workflow: str,
    values: tuple[str, ...],
    file: Path | None,
    *,
    key: str | None,
    priority: int,
    order_by: str | None,
    delay: str | None,
    as_json: bool,
) -> None:
    """Make runs of WORKFLOW durable; returns when they are.

    With --key, the same key with the same input gives the same run, and with another
    input it is refused. When as many runs wait as the settings allow, no more are taken:
    exit code 6, and those before are durable. Who may ask, and until when, is as at the API.
    """
    if bool(values) == (file is not None):
        raise Mistake("give either --input JSON or --file FILE")
    line = Line(
        key=key,
        order_by=order_by,
        priority=priority,
        delay=timedelta(0) if delay is None else duration(delay),
    )
    asyncio.run(_enqueue(workflow, values, file, line, as_json=as_json))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How runs are to enter.

    Attributes:
        key: the field of each input that names the request.
        order_by: the field whose value is the ordering key.
    """

    key: str | None
    order_by: str | None
    priority: int
    delay: timedelta


class Entering(NamedTuple):
    """An input as JSON, where it stands, and its key and its ordering key."""

    where: str
    data: bytes
    key: str | None
    ordering: str | None


async def _enqueue(
    workflow: str, values: tuple[str, ...], file: Path | None, line: Line, *, as_json: bool
) -> None:
    from proveout.faces.project import Project

    new = known = 0
    async with Project.open() as project:
        stage = await _checked_stage(project)
        inputs = (
            _lines(file, line)
            if file is not None
            else (_entering(one, line, where) for where, one in _named(values))
        )
        while batch := list(islice(inputs, BATCH)):
            done = await asyncio.gather(
                *(
                    project.enqueue_json(
                        workflow,
                        one.data,
                        one.key,
                        priority=line.priority,
                        ordering=one.ordering,
                        delay=line.delay,
                    )
                    for one in batch
                ),
                return_exceptions=True,
            )
            for one in done:
                if isinstance(one, BaseException):
                    continue
                new, known = new + one.created, known + (not one.created)
                if as_json:
                    answer_json({**run_v1(one.run), "created": one.created})
                elif file is None:
                    answer(one.run.id)
            _check_entered(batch, done)
    if not as_json and file is not None:
        answer(f"{sign('ok')} {new:,} runs of {workflow} are durable" + _known(known))
    if not as_json:
        next_step(*WORKED_BY[stage])


def _check_entered(batch: Sequence[Entering], done: Sequence[object]) -> None:
    """Raise the first of what kept one of a batch out; of several it says which one."""
    for entering, one in zip(batch, done, strict=True):
        if isinstance(one, ProveoutError) and len(batch) > 1:
            one.message = f"{entering.where}: {one.message}"
        if isinstance(one, BaseException):
            raise one


async def _checked_stage(project: Project) -> Stage:
    """Return the stage of the workflow; whoever asks may enqueue in it."""
    from proveout.faces.api.stage import check_enqueue
    from proveout.faces.operating import who

    settings, store = project.settings, project.store
    stage = (await store.pointer(settings.workflow.name)).stage
    await check_enqueue(await who(project), stage, settings, store, project.bench.clock.now())
    return stage


def _known(count: int) -> str:
    return f", {count:,} were known by their key" if count else ""


def _named(values: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each input with what an error calls it."""
    for number, one in enumerate(values, 1):
        yield ("--input" if len(values) == 1 else f"--input number {number}"), one


def _lines(file: Path, line: Line) -> Iterator[Entering]:
    """Yield the inputs of a file of JSON Lines."""
    try:
        with file.open("rb") as lines:
            for number, text in enumerate(lines, 1):
                if text.strip():
                    yield _entering(text.decode("utf-8"), line, f"{file}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}") from error


def _entering(text: str, line: Line, where: str) -> Entering:
    data, key = parse_input(text, line.key, where)
    if line.order_by is None:
        return Entering(where, data, key, None)
    ordering = named_field(json.loads(text), line.order_by, "--order-by", where)
    return Entering(where, data, key, ordering)
