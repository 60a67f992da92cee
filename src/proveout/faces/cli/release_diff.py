"""The command `release diff`: what one release executes otherwise than another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from proveout.errors import Mistake
from proveout.faces.cli.output import answer, answer_json, clean, faint, paint, sign, strong, table
from proveout.faces.cli.release import find_release

if TYPE_CHECKING:
    from proveout.domain.release import Release
    from proveout.release.difference import Changed, Difference, FileChange

COLOURS = {"+": "green", "-": "red", "@": "cyan"}
"""Of a line of a diff, by its first sign."""


class _Pair(NamedTuple):
    before: Release
    after: Release
    found: Difference


@click.command()
@click.argument("name", metavar="REL")
@click.argument("other", metavar="[OTHER]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one release-diff.v1.")
def diff(name: str, other: str | None, as_json: bool) -> None:
    """Show what REL executes otherwise than OTHER: files line by line, packages, the entry.

    Without OTHER it is compared with what serves now, or else with the release before it.
    """
    pair = asyncio.run(_pair(name, other))
    if as_json:
        answer_json(release_diff_v1(pair.before, pair.after, pair.found))
        return
    _show(pair)


async def _pair(name: str, other: str | None) -> _Pair:
    from proveout.faces.differing import compared_with, differing
    from proveout.faces.operating import operating

    async with operating() as project:
        after = await find_release(project, name)
        if other is None:
            pointer = await project.store.pointer(project.name)
            before = compared_with(after, pointer, await project.store.releases(project.name))
        else:
            before = await find_release(project, other)
        if before is None:
            raise Mistake(
                f"there is nothing to compare {after.name} with",
                why="it is the first release",
                fix=(f"proveout release show {after.name}",),
            )
        return _Pair(before, after, await differing(project.store, before, after))


def release_diff_v1(before: Release, after: Release, found: Difference) -> dict[str, Any]:
    """Return a difference as the object that callers outside rely on."""
    packages = found.packages
    return {
        "schema": "release-diff.v1",
        "before": before.name,
        "after": after.name,
        "same": found.is_empty,
        "declared": [_changed_words(one) for one in found.declared],
        "packages": None if packages is None else [_changed_words(one) for one in packages],
        "files": [
            {"name": one.name, "act": one.act, "lines": list(one.lines), "note": one.note}
            for one in found.files
        ],
    }


def _changed_words(one: Changed) -> dict[str, Any]:
    return {"name": one.name, "before": one.before or None, "after": one.after or None}


def _show(pair: _Pair) -> None:
    before, after, found = pair
    if found.is_empty:
        answer(f"{sign('ok')} {after.name} executes the same as {before.name}")
        return
    answer(f"{strong(after.name)} beside {strong(before.name)}")
    _list("declared", found.declared)
    if found.packages is None:
        answer()
        answer("The packages differ; which ones is known on a machine that keeps those of both.")
    else:
        _list("package", found.packages)
    for one in found.files:
        _show_file(one)


def _list(what: str, changed: tuple[Changed, ...]) -> None:
    if not changed:
        return
    answer()
    rows = [(one.name, one.before or "none", one.after or "none") for one in changed]
    table([tuple(map(clean, row)) for row in rows], (what, "before", "after"))


def _show_file(one: FileChange) -> None:
    answer()
    counts = (
        f"  {one.act.value}, +{one.added} -{one.removed}" if one.lines else f"  {one.act.value}"
    )
    answer(f"{strong(clean(one.name))}{faint(counts)}")
    for line in one.lines:
        shown = clean(line.expandtabs(4))
        answer(f"    {paint(shown, COLOURS[line[0]]) if line[:1] in COLOURS else shown}")
    if one.note:
        answer(f"    {faint(one.note)}")
