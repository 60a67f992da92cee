"""Resolving a doubt: a person says whether an unkeyed effect happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.access import Right
from proveout.domain.journal import EntryKind, Pending, Returned
from proveout.domain.unit import Resolve, Stale, UnitId
from proveout.errors import ProveoutError, Refusal
from proveout.faces.entering import enter
from proveout.faces.entry import effect_named
from proveout.faces.operating import acting, operating
from proveout.run.payload import signature

if TYPE_CHECKING:
    from proveout.domain.journal import Entry, Place
    from proveout.faces.project import Project


class NoDoubt(Refusal):
    """No effect of the run is in doubt, or not the one that was named."""

    code = "no-doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person says of an effect in doubt.

    Attributes:
        effect: which one, as the note of the run names it; None where only one is in doubt.
        value: what it returned, as bytes of JSON; None where it did not happen.
    """

    effect: str | None
    value: bytes | None


async def resolve(run: str, said: Said) -> Place:
    """Write what a person says of an effect in doubt, and queue its run; return which it was.

    Raises:
        NoDoubt: there is none, several and none was named, or the run is not parked.
        WrongShape: the value is not what the effect returns.
    """
    async with operating() as project:
        actor = await acting(project, Right.OPERATE)
        found = await project.run(run)
        place = _meant(run, said, await project.store.journal(found.id)).place
        if said.value is not None:
            _check_shape(project, place.name, said.value)
        unit = Resolve(
            id=UnitId(project.bench.ids.new()),
            run=found.id,
            place=place,
            outcome=None if said.value is None else Returned(said.value),
        )
        if isinstance(await project.store.write(unit), Stale):
            raise NoDoubt(
                f"run {run} is {found.state}",
                why="only an effect of a parked run is in doubt",
                fix=(f"proveout runs show {run}",),
            )
        facts = {"effect": str(place), "happened": said.value is not None}
        await enter(project.office, actor.name, "resolve effect", found, **facts)
    return place


def _meant(run: str, said: Said, entries: list[Entry]) -> Entry:
    doubtful = [
        entry
        for entry in entries
        if entry.kind is EntryKind.EFFECT and isinstance(entry.outcome, Pending)
    ]
    meant = [entry for entry in doubtful if said.effect in (None, str(entry.place))]
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(f'"{entry.place}"' for entry in doubtful) or "none"
    raise NoDoubt(
        f"run {run}: which effect?" if doubtful else f"nothing of run {run} is in doubt",
        why=f"in doubt: {names}",
        fix=tuple(f'--effect "{entry.place}"' for entry in doubtful)
        or (f"proveout runs show {run}",),
    )


def _check_shape(project: Project, name: str, value: bytes) -> None:
    """Leave quietly when `value` is what the effect returns, as far as its code can be read."""
    try:
        project.workflow()
        effect = effect_named(project.settings.workflow.entry, name)
    except (ProveoutError, ImportError):  # a doubt is resolved where the code is gone, too
        return
    if effect is not None:
        signature(effect.function).result.decode(value, f"the result of {name}")
