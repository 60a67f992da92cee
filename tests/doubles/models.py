"""Prices and calls of models, as tests make them up."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from proveout.domain.journal import Place
from proveout.domain.model_call import Caller, ModelCall, Tokens, usage_of
from proveout.domain.money import Usd
from proveout.domain.run import RunId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proveout.domain.model_call import Usage
    from proveout.ports.store import Store

ANSWER = Place("", "answer", 0)
TOKENS = Tokens(read=1_000, cached=0, written=500)


class ListedPrices:
    """What a million tokens of each listed model cost, read or written."""

    def __init__(self, prices: Mapping[str, str]) -> None:
        self._prices = prices

    def cost(
        self, provider: str, models: Sequence[str], tokens: Tokens, at: datetime
    ) -> Usd | None:
        """Return the price of a call; None where its model is not listed."""
        del provider, at
        for price in (self._prices[model] for model in models if model in self._prices):
            return Usd(Decimal(price) * (tokens.read + tokens.written) / 1_000_000)
        return None


def called(
    id_: str = "c1",
    *,
    cost: str | None = "0.01",
    fence: int = 1,
    place: Place | None = ANSWER,
    run: str = "r1",
) -> ModelCall:
    """Return a call of a model that was answered."""
    return ModelCall(
        id=id_,
        caller=Caller(run=RunId(run), fence=fence, place=place),
        provider="openai",
        asked="small",
        answered="small-2026",
        status=200,
        tokens=TOKENS,
        cost=None if cost is None else Usd(cost),
        started=datetime(2026, 1, 1, tzinfo=UTC),
        elapsed=0.5,
    )


async def calls_of(store: Store, run: RunId) -> list[ModelCall]:
    """Return the calls of models that a run made."""
    return (await store.model_calls(run)).get(run, [])


async def usage_by_run(store: Store, runs: Sequence[RunId]) -> dict[RunId, Usage]:
    """Return what the calls of each run took together."""
    return {run: usage_of(calls) for run, calls in (await store.model_calls(*runs)).items()}
