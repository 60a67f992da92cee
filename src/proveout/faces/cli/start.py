"""Commands that start a project: init, and one run on this machine."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proveout.domain.run import RunState
from proveout.faces.cli.operate import parse_input, run_v1
from proveout.faces.cli.output import answer, answer_json, clean, faint, next_step, say, sign

if TYPE_CHECKING:
    from proveout.domain.journal import Entry
    from proveout.domain.run import Run


@click.command()
@click.argument("name")
def init(name: str) -> None:
    """Write a project NAME that `proveout prove` runs at once, offline."""
    from proveout.faces.init import write_project

    written = write_project(name, Path.cwd())
    paths = [str(one.path.relative_to(Path.cwd())) for one in written]
    width = max(map(len, paths))
    for path, one in zip(paths, written, strict=True):
        answer(f"{sign('ok')} wrote {path.ljust(width)}   {faint(one.meaning)}")
    next_step(f"cd {name} && proveout prove", "offline, costs nothing")


@click.command()
@click.argument("value", metavar="INPUT")
@click.option("--json", "as_json", is_flag=True, help="Print a run.v1.")
@click.option(
    "--effects",
    type=click.Choice(["live", "captured"]),
    default="captured",
    show_default=True,
    help="Carry effects out, or only show them.",
)
def run(value: str, as_json: bool, effects: str) -> int:
    """Run the workflow once, here, on one INPUT of JSON; nothing is kept.

    It runs on the same engine, in a store of its own that is thrown away.
    """
    found, entries = asyncio.run(_run(value, captures=effects == "captured"))
    if as_json:
        answer_json(run_v1(found))
    else:
        _show(found, entries)
    return 0 if found.state is RunState.SUCCEEDED else 1


async def _run(value: str, *, captures: bool) -> tuple[Run, list[Entry]]:
    from proveout.faces.project import Project

    data, _ = parse_input(value, None, "INPUT")
    async with Project.aside() as project:
        made = await project.enqueue_json(project.name, data, None)
        await project.worker(concurrency=1, captures=captures).work(until_idle=True)
        run = await project.run(made.run.id)
        return run, await project.store.journal(run.id)


def _show(found: Run, entries: list[Entry]) -> None:
    for entry in entries:
        what = "captured" if entry.kind == "captured" else f"{entry.elapsed:.3f} s"
        say(f"  {entry.kind:8}  {entry.place}  {faint(what)}  {clean(entry.arguments)[:100]}")
    if found.result is not None:
        answer(json.dumps(json.loads(found.result), indent=2, ensure_ascii=False))
    elif found.failure is not None:
        say(
            f"{sign('no')} {found.state}: {clean(f'{found.failure.type}: {found.failure.message}')}"
        )
    elif found.state is RunState.WAITING:
        say(f"{sign('warn')} it waits for a person; enqueue it to answer: proveout enqueue")
    else:
        say(f"{sign('warn')} {found.state}  {clean(found.note)}")
