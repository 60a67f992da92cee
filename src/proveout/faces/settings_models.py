"""Models: whether their calls are metered, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from proveout.domain.duration import shown
from proveout.domain.money import Usd  # noqa: TC001 - a worker's orders are read by it

if TYPE_CHECKING:
    from proveout.faces.settings_reader import Reader


class Metering(StrEnum):
    """How calls of models are seen."""

    OFF = ""
    PROXY = "proxy"
    TRANSPORT = "transport"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrice:
    """What a million tokens of a model cost.

    Attributes:
        read: tokens of the request.
        written: tokens of the answer.
        cached: tokens of the request that came from a cache; None where they cost as much.
        stored: tokens of the request that were put into one; None where they cost as much.
    """

    model: str
    read: Usd
    written: Usd
    cached: Usd | None = None
    stored: Usd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """How models are metered.

    Attributes:
        prices: what the file declares; they win over the public price list.
        record: whether answers in trials are kept, for drills to answer from.
    """

    meter: Metering = Metering.OFF
    prices: tuple[ModelPrice, ...] = ()
    record: bool = True

    @property
    def is_on(self) -> bool:
        """Whether calls of models are metered."""
        return self.meter is not Metering.OFF


def read_models(row: Reader | None) -> ModelSettings:
    """Return what the file says of models; without the table nothing is metered.

    Raises:
        SettingsMistake: a price is declared twice, or is none.
    """
    if row is None:
        return ModelSettings()
    found: dict[str, ModelPrice] = {}
    for inner in row.each("prices"):
        price = ModelPrice(
            model=inner.text("model"),
            read=cast("Usd", inner.money("read")),
            written=cast("Usd", inner.money("written")),
            cached=inner.money("cached"),
            stored=inner.money("stored"),
        )
        if not price.model.strip():
            raise inner.mistake("model is empty", "model", fix=(inner.example("model"),))
        if price.model in found:
            raise inner.mistake(
                f"the price of {shown(price.model)} is declared twice",
                "model",
                why="only one of them could hold",
                fix=("remove one of the two",),
            )
        found[price.model] = price
    return ModelSettings(
        meter=Metering(row.choice("meter")),
        prices=tuple(found.values()),
        record=row.is_true("record") or not row.has("record"),
    )
