"""Money of a call: by prices of one's own, else by the table that genai-prices ships."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, cast

from proveout.domain.money import Usd
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from proveout.domain.model_call import Tokens

ONE_TOKEN = Decimal("0.000001")
"""The share of a price, which is for a million tokens, that one of them costs."""


class NoPriceTable(Mistake):
    """The package that holds the prices of models is not installed."""

    code = "no-price-table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens of a model cost.

    Attributes:
        read: of a request.
        written: of an answer.
        cached: of a request, from a cache; None where they cost as much as others.
        stored: of a request, put into a cache; None where they cost as much as others.
    """

    read: Usd
    written: Usd
    cached: Usd | None = None
    stored: Usd | None = None

    def __post_init__(self) -> None:
        given = (self.read, self.written, self.cached, self.stored)
        if min(one for one in given if one is not None) < Usd(0):
            raise Mistake("a price is below nothing", why="it is what a million tokens cost")

    def of(self, tokens: Tokens) -> Usd:
        """Return what `tokens` cost, exactly.

        >>> from proveout.domain.model_call import Tokens
        >>> price = Price(read=Usd(3), written=Usd(15), cached=Usd("0.30"))
        >>> str(price.of(Tokens(read=1000, cached=200, written=100)))
        '$0.00396'
        """
        cached = self.read if self.cached is None else self.cached
        stored = self.read if self.stored is None else self.stored
        plain = self.read * (tokens.read - tokens.cached - tokens.stored)
        kept = cached * tokens.cached + stored * tokens.stored
        return (plain + kept + self.written * tokens.written) * ONE_TOKEN


class Prices:
    """What calls cost; nothing is fetched from anywhere."""

    def __init__(self, own: Mapping[str, Price]) -> None:
        """Read the table; it takes about half a second.

        Args:
            own: prices by name of the model; they win over the table.

        Raises:
            NoPriceTable: there is none.
        """
        try:
            self._table = import_module("genai_prices")
        except ModuleNotFoundError as error:
            raise NoPriceTable(
                "the prices of models are not known",
                why="they come with genai-prices, which is not installed",
                fix=("pip install 'proveout[models]'",),
            ) from error
        import_module("genai_prices.data_snapshot").get_snapshot()
        self._own = dict(own)

    def cost(
        self, provider: str, models: Sequence[str], tokens: Tokens, at: datetime
    ) -> Usd | None:
        """Return what a call cost; None where no price of its model is known.

        A vendor's tools, and tiers of service other than the usual, are not in it.

        Args:
            provider: whose wire format was spoken.
            models: the names of the model, the one that answered before the one asked for.
            tokens: what it took.
            at: when; prices change.
        """
        own = next((self._own[model] for model in models if model in self._own), None)
        if own is not None:
            return own.of(tokens)
        found = (self._listed(provider, model, tokens, at) for model in models if model)
        return next((cost for cost in found if cost is not None), None)

    def _listed(self, provider: str, model: str, tokens: Tokens, at: datetime) -> Usd | None:
        counts = {
            "input_tokens": tokens.read,
            "cache_read_tokens": tokens.cached,
            "cache_write_tokens": tokens.stored,
            "output_tokens": tokens.written,
        }
        if tokens.stored_hour:  # older lists know of no hour, and are not asked for it
            counts["cache_write_1h_tokens"] = tokens.stored_hour
        usage = self._table.Usage(**counts)
        try:
            price = self._table.calc_price(
                usage, model, provider_id=provider, genai_request_timestamp=at
            )
        except (LookupError, ValueError):
            return None
        return Usd(cast("Decimal", price.total_price))
