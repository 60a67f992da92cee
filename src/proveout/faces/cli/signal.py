"""Commands that reach a run from outside: signal, and what is known of an effect in doubt."""

from __future__ import annotations

import asyncio
import json

import click

from proveout.errors import Mistake
from proveout.faces.cli.output import answer, sign


@click.command()
@click.argument("run")
@click.argument("name")
@click.argument("value", metavar="JSON")
@click.option("--key", metavar="TEXT", help="Your own name for it: the same is sent once.")
def signal(run: str, name: str, value: str, key: str | None) -> None:
    """Send RUN the signal NAME with a value of JSON, whether it waits for it yet or not."""
    from proveout.faces.cli.operate import parse_input

    data, _ = parse_input(value, None, "JSON")
    asyncio.run(_signal(run, name, json.loads(data), key))
    answer(f"{sign('ok')} {run} has the signal {name}")


async def _signal(run: str, name: str, value: object, key: str | None) -> None:
    from proveout.domain.access import Right
    from proveout.faces.operating import acting, operating

    async with operating() as project:
        await acting(project, Right.OPERATE)
        await project.signal(run, name, value, key=key)


@click.command("resolve")
@click.argument("run")
@click.option("--happened", is_flag=True, help="It happened; its outcome is written.")
@click.option("--did-not-happen", is_flag=True, help="It did not; it is done again.")
@click.option(
    "--result", metavar="JSON", help="What it returned, with --happened.  [default: null]"
)
@click.option("--effect", metavar="NAME", help="Which one, where several are in doubt.")
def resolve_run(
    run: str, *, happened: bool, did_not_happen: bool, result: str | None, effect: str | None
) -> None:
    """Say whether an effect in doubt happened, and let its parked run go on."""
    from proveout.faces.cli.operate import parse_input
    from proveout.faces.resolve import Said, resolve

    if happened == did_not_happen:
        raise Mistake("say either --happened or --did-not-happen", why="nothing may be guessed")
    if result is not None and not happened:
        raise Mistake("--result goes with --happened", why="what did not happen returned nothing")
    value = None
    if happened:
        value, _ = parse_input("null" if result is None else result, None, "--result")
    place = asyncio.run(resolve(run, Said(effect=effect, value=value)))
    answer(f"{sign('ok')} {place} {'happened' if happened else 'is done again'}; {run} is queued")
