"""The command `work`: a worker process, for the draft or for one release."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

import click

from proveout.domain.run import RunState
from proveout.errors import Refusal
from proveout.faces import loop
from proveout.faces.cli.output import say, sign, strong

if TYPE_CHECKING:
    from collections import Counter

    from proveout.faces.project import Project


class InProduction(Refusal):
    """Real requests run on releases; the draft takes none."""

    code = "in-production"


@click.command()
@click.option("--release", metavar="REL", help="Work for a release instead of the draft.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=16,
    show_default=True,
    help="Most runs in flight at once.",
)
@click.option("--until-idle", is_flag=True, help="Stop when nothing is left to do.")
@click.option(
    "--effects",
    type=click.Choice(["live", "captured"]),
    help="Carry effects out, or only journal them; a release's are live, the draft's captured.",
)
@click.option("--suspects", metavar="WORKER", hidden=True, help="Try suspects under this id.")
def work(
    release: str | None,
    concurrency: int,
    until_idle: bool,
    effects: str | None,
    suspects: str | None,
) -> int:
    """Work on queued runs of the draft, the working tree as it is, or of a release.

    SIGTERM or Ctrl-C drains: runs in flight finish or are handed back. Runs that were in
    flight when their worker died are tried one at a time in a process of their own. A
    release's worker loads the release's own files, in the environment that was kept for it.
    """
    if release is not None:
        captures = effects == "captured"
        command, environ = asyncio.run(
            _orders(release, concurrency, until_idle=until_idle, captures=captures)
        )
        os.execve(command[0], command, environ)  # noqa: S606 - our own module, no shell
    captures = effects != "live"
    if suspects is not None:
        return loop.run(_work_on_suspects(suspects, captures=captures))
    loop.run(_work(concurrency, until_idle=until_idle, captures=captures))
    return 0


async def _orders(
    name: str, concurrency: int, *, until_idle: bool, captures: bool
) -> tuple[list[str], dict[str, str]]:
    """Return the words and variables that start the worker of a release."""
    from proveout.domain.release import Stage
    from proveout.faces.operating import operating
    from proveout.faces.project import lease
    from proveout.faces.released import launch
    from proveout.faces.released_worker import Orders
    from proveout.release.create import named
    from proveout.release.route import NotPromoted

    async with operating() as project:
        release = named(await project.store.releases(project.name), name)
        pointer = await project.store.pointer(project.name)
        if pointer.stage is not Stage.PRODUCTION:
            raise NotPromoted(
                f"{project.name} is a proof of concept: {release.name} serves nothing yet",
                why="the gate stands before the first real request",
                fix=(f"proveout promote {release.name}", "proveout work    works on the draft"),
            )
        start = await launch(project.store, release)
        orders = Orders(
            store=project.url,
            workflow=project.name,
            release=release.digest,
            root=str(start.root),
            entry=start.entry,
            concurrency=concurrency,
            captures=captures,
            until_idle=until_idle,
            lease=lease().total_seconds(),
            most_running=project.settings.workflow.concurrency,
            queues=project.settings.queues,
            models=project.settings.models,
        )
        effects = "captured" if captures else "LIVE"
        say(
            f"{sign('ok')} working on {project.name}, {release.name}, effects {effects},"
            f" {concurrency} at once"
        )
    return start.command("proveout.faces.released_worker"), {**start.environ(), **orders.environ()}


async def _work(concurrency: int, *, until_idle: bool, captures: bool) -> None:
    from proveout.faces.cli.suspects import apart, stop_on_signals, worker_of
    from proveout.faces.log import logger
    from proveout.faces.project import Project

    async with Project.open(log=logger(logging.INFO)) as project:
        await _check_draft(project)
        if not captures:
            await _enter_live_effects(project)
        async with project.metering():  # its workflow is imported in here
            worker = worker_of(project, concurrency=concurrency, captures=captures, suspects=False)
            told = asyncio.Event()
            stop_on_signals(worker.stop, told.set)
            say(
                f"{sign('ok')} working on {project.name}, draft,"
                f" effects {'captured' if captures else 'LIVE'}, {concurrency} at once"
            )
            arguments = ("work", "--effects", "captured" if captures else "live")
            async with apart(project, arguments, told):
                await worker.work(until_idle=until_idle)
            say(f"{sign('ok')} {_settled(worker.settled)}")
    if worker.settled[RunState.WAITING]:
        say(f"{strong('Next')}  proveout review list")


async def _check_draft(project: Project) -> None:
    """Leave quietly unless the draft has nothing to do: real requests run on releases.

    Raises:
        InProduction: it has.
    """
    from proveout.domain.release import DRAFT, Stage

    pointer = await project.store.pointer(project.name)
    if pointer.stage is not Stage.PRODUCTION or pointer.stable is None:
        return
    if (await project.store.in_flight(project.name, DRAFT)).runs:
        return
    raise InProduction(
        f"{project.name} is in production: its requests run on releases",
        why="the draft was neither drilled nor let through the gate",
        fix=("proveout serve", "proveout work --release REL", "proveout release list"),
    )


async def _enter_live_effects(project: Project) -> None:
    """Enter in the ledger that effects of a draft are carried out, and by whose order."""
    from proveout.domain.access import Right
    from proveout.domain.ledger import Deed
    from proveout.faces.operating import acting
    from proveout.release.decide import amend

    actor = await acting(project, Right.OPERATE)
    facts = {"workflow": project.name, "what": "the draft, with effects carried out"}
    deed = Deed(actor=actor.name, act="work with live effects", subject=project.name, facts=facts)
    await amend(project.office, deed, ())


async def _work_on_suspects(name: str, *, captures: bool) -> int:
    """Try suspects one at a time, as the child of a worker, until there are none."""
    from proveout.faces.cli.suspects import (
        WENT,
        die_with_parent,
        stop_on_signals,
        want_of,
        worker_of,
    )
    from proveout.faces.log import logger
    from proveout.faces.project import Project
    from proveout.run.suspect import go_when_idle

    die_with_parent()
    async with Project.open(log=logger(logging.INFO)) as project, project.metering():
        worker = worker_of(project, concurrency=1, captures=captures, suspects=True)
        worker.id = name
        stop_on_signals(worker.stop)
        going = asyncio.create_task(go_when_idle(project.bench, want_of(project), worker))
        try:
            await worker.work()
        finally:
            going.cancel()
    return WENT


def _settled(settled: Counter[RunState]) -> str:
    """Return how many runs a worker settled, and to what."""
    states = ", ".join(f"{count:,} {state.lower()}" for state, count in settled.most_common())
    return f"settled {states}" if states else "nothing to do"
