"""The kill switch: halt and resume."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from proveout.domain.access import Right
from proveout.domain.release import WORKFLOW_SCOPE, effect_scope, release_scope
from proveout.errors import Mistake
from proveout.faces.cli.output import answer, answer_json, next_step, sign
from proveout.faces.cli.release import find_release

if TYPE_CHECKING:
    from proveout.faces.project import Project

WHAT = ("workflow", "release", "effect")
"""What can be halted; the last two by name, also written as one word: "effect:send"."""


@click.command()
@click.argument("what", default="workflow")
@click.argument("name", required=False)
@click.option("--reason", default="", help="Why, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print one halt.v1.")
def halt(what: str, name: str | None, reason: str, as_json: bool) -> None:
    """Stop WHAT: the workflow, "release REL" or "effect NAME".

    Within two seconds live workers begin nothing of it any more. An effect in flight is
    not stopped.
    """
    scope = asyncio.run(_switch(what, name, reason, halts=True))
    if as_json:
        answer_json({"schema": "halt.v1", "scope": scope, "halted": True})
        return
    answer(f"{sign('ok')} halted: {scope}")
    answer("    within 2 s live workers begin nothing of it; effects in flight are not stopped")
    next_step(f"proveout resume {words_of(what, name)}", "needs an operator")


@click.command()
@click.argument("what", default="workflow")
@click.argument("name", required=False)
@click.option("--reason", default="", help="Why, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print one halt.v1.")
def resume(what: str, name: str | None, reason: str, as_json: bool) -> None:
    """Let WHAT was halted begin again; needs an operator."""
    scope = asyncio.run(_switch(what, name, reason, halts=False))
    if as_json:
        answer_json({"schema": "halt.v1", "scope": scope, "halted": False})
        return
    answer(f"{sign('ok')} {scope} may begin again")
    next_step("proveout status")


def words_of(what: str, name: str | None) -> str:
    """Return what a scope is called on the command line."""
    return what if name is None else f"{what} {name}"


async def _switch(what: str, name: str | None, reason: str, *, halts: bool) -> str:
    from proveout.faces.operating import acting, operating
    from proveout.release.halt import halt, resume

    async with operating() as project:
        actor = await acting(project, Right.OPERATE)
        scope = await _scope(project, what, name)
        if halts:
            await halt(project.office, project.name, scope, actor.name, reason)
        else:
            await resume(project.office, project.name, scope, actor.name, reason)
    return scope


async def _scope(project: Project, what: str, name: str | None) -> str:
    if name is None and ":" in what:
        what, _, name = what.partition(":")
    if what not in WHAT or (name is None) != (what == "workflow"):
        raise Mistake(
            f"what is {words_of(what, name)!r}?",
            why='what is halted is "workflow", "release REL" or "effect NAME"',
            fix=("proveout halt", "proveout halt release REL", "proveout halt effect NAME"),
        )
    if name is None:
        return WORKFLOW_SCOPE
    if what == "effect":
        return effect_scope(name)
    return release_scope((await find_release(project, name)).digest)
