"""The command `serve`: everything that a workflow in production needs, on one machine."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from proveout.faces import loop
from proveout.faces.cli.output import say, sign, strong

if TYPE_CHECKING:
    from proveout.faces.project import Project
    from proveout.faces.serve import Opened, Serving


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8484,
    show_default=True,
    help="Port to listen on; 0 for any that is free.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name by which browsers reach the console, behind a proxy; may be given again.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Worker processes for each release that has runs to do.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=16,
    show_default=True,
    help="Most runs in flight in each of them.",
)
def serve(host: str, port: int, hosts: tuple[str, ...], workers: int, concurrency: int) -> None:
    """Serve the console, the API and the webhooks, with supervised workers.

    Ctrl-C or SIGTERM drains: requests end, runs in flight finish or are handed back. Twice
    stops at once; nothing that was acknowledged is lost by it.
    """
    from proveout.faces.serve import Serving

    serving = Serving(host=host, port=port, hosts=hosts, workers=workers, concurrency=concurrency)
    loop.run(_serve(serving))


async def _serve(serving: Serving) -> None:
    from proveout.faces.log import logger
    from proveout.faces.operating import operating
    from proveout.faces.serve import serve as serve_until_told

    async with operating(log=logger(logging.WARNING)) as project:
        lines = await _standing(project, serving)

        def announce(opened: Opened) -> None:
            for line in (*lines, *_doors(opened)):
                say(line)

        await serve_until_told(project, serving, announce)
        say(f"{sign('ok')} drained")


async def _standing(project: Project, serving: Serving) -> list[str]:
    """Return what serves, a line each."""
    from proveout.domain.run import RunState
    from proveout.faces.cli.alerts import receiver_lines

    store, name = project.store, project.name
    pointer = await store.pointer(name)
    names = {one.digest: one.name for one in await store.releases(name)}
    live = [names.get(one, one[:12]) for one in pointer.live]
    if pointer.canary is not None:
        live[-1] += f" {pointer.canary.share}"
    serves = " · ".join(live) or "the draft, effects captured: a proof of concept"
    queued = (await store.count()).get(RunState.QUEUED, 0)
    sources = len(project.settings.sources)
    lines = [
        f"  {sign('ok')} release   {serves}",
        f"  {sign('ok')} workers   {serving.workers} each · queue {queued:,} · {sources} webhooks",
    ]
    lines += [f"  {line}" for line in receiver_lines(project)]
    lines += [f"  {sign('warn')} halted    {halt.scope}" for halt in await store.halts(name)]
    return lines


def _doors(opened: Opened) -> list[str]:
    lines: list[str] = []
    if opened.welcome is not None:
        lines.append(f"  {sign('warn')} no owner  {opened.address}/welcome/{opened.welcome}")
        lines.append("              open it once, within a day, and choose a password")
    lines.append(f"  {strong('console')}   {opened.address}          Ctrl-C drains, twice stops")
    return lines
