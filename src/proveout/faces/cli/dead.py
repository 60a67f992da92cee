"""Dead letters: runs that are DEAD, with all they had when they died."""

from __future__ import annotations

import click

from proveout.domain.run import RunState
from proveout.faces.cli.operate import list_found, print_run
from proveout.faces.cli.replay import How, Which, run_again


@click.group()
def dead() -> None:
    """List, show and replay runs that are DEAD."""


@dead.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Most runs to list.",
)
@click.option("--before", metavar="RUN", help="Go on after the last run of a page.")
@click.option("--json", "as_json", is_flag=True, help="Print one run.v1 a line.")
def list_dead(limit: int, before: str | None, as_json: bool) -> None:
    """List runs that are DEAD with their errors, newest first."""
    list_found(f"state:{RunState.DEAD.lower()}", limit, before, as_json=as_json)


@dead.command("show")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print a run.v1 with its journal.")
def show_dead(run: str, as_json: bool) -> None:
    """Show a run: input, journal and error."""
    print_run(run, as_json=as_json)


@dead.command("replay")
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All that are DEAD, instead of some.")
@click.option("--release", metavar="REL", help='A release that serves, or "draft".')
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one run.v1, or replay.v1, a line.")
def replay_dead(
    runs: tuple[str, ...], all_: bool, release: str | None, dry: bool, as_json: bool
) -> int:
    """Run again each RUN that is DEAD, or all: `proveout runs replay` can do more."""
    which = Which(runs=runs, state=RunState.DEAD.value if all_ else None, limit=10_000)
    return run_again(which, How(release=release, dry=dry, as_json=as_json))
