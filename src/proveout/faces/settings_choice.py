"""Building or buying: what is granted, and what each candidate asks for and offers."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.domain.experiment import OWN
from proveout.ready.decision import Met, Need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.faces.settings_reader import Reader

EXCEPTIONAL = "exceptional"
"""The tag of cases that are judged apart, where no other is named."""

HAS_NOT = "no"

NO_EVIDENCE = frozenset({"yes", "true", "ok", "y", "?", "tbd", "todo", "unknown"})
"""What says that a need is met, or open, without saying how anybody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What somebody has found out about a candidate.

    Attributes:
        permissions: the access it asks for; None where nobody has said.
        needs: those that somebody has answered.
    """

    permissions: tuple[str, ...] | None = None
    needs: tuple[Met, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSettings:
    """What a decision between building and buying rests on beside the experiment.

    Attributes:
        exceptional: tag of the cases that are judged apart.
        permissions: the access that is granted to whoever is chosen; None where nobody has said.
        offers: by name of candidate.
    """

    exceptional: str = EXCEPTIONAL
    permissions: tuple[str, ...] | None = None
    offers: tuple[tuple[str, Offer], ...] = ()

    def offer(self, candidate: str) -> Offer:
        """Return what is known of a candidate."""
        return dict(self.offers).get(candidate, Offer())


def read_choice(row: Reader | None, candidates: Sequence[str]) -> ChoiceSettings:
    """Return what the file says of building or buying.

    Args:
        row: the table, or None where there is none.
        candidates: names of the candidates of all experiments.

    Raises:
        SettingsMistake: it speaks of no candidate of any experiment, or gives no evidence.
    """
    if row is None:
        return ChoiceSettings()
    known = [OWN, *(one for one in candidates if one != OWN)]
    offers: list[tuple[str, Offer]] = []
    for name, inner in row.named("candidates"):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1) or known[-1:]
            raise row.mistake(
                f"no experiment has a candidate called {name}",
                "candidates",
                name,
                why=f"its candidates are {', '.join(known)}",
                fix=(f"[choice.candidates.{near[0]}]",),
            )
        offers.append((name, _offer(inner)))
    return ChoiceSettings(
        exceptional=row.text("exceptional").strip() or EXCEPTIONAL,
        permissions=_permissions(row),
        offers=tuple(offers),
    )


def _offer(row: Reader) -> Offer:
    keys = {one: str(one).replace(" ", "_") for one in Need}
    return Offer(
        permissions=_permissions(row),
        needs=tuple(_met(row, need, key) for need, key in keys.items() if row.has(key)),
    )


def _permissions(row: Reader) -> tuple[str, ...] | None:
    return row.texts("permissions") if row.has("permissions") else None


def _met(row: Reader, need: Need, key: str) -> Met:
    said = row.text(key).strip()
    if said.casefold() == HAS_NOT:
        return Met(need=need, is_met=False, evidence="it has none")
    if not said or said.casefold() in NO_EVIDENCE:
        raise row.mistake(
            f"{key} names no evidence",
            key,
            why="a need is met where somebody can look: an address, a contract, a test; what "
            "nobody knows is left out",
            fix=(row.example(key), f'{key} = "{HAS_NOT}"    where it has none'),
        )
    return Met(need=need, is_met=True, evidence=said)
