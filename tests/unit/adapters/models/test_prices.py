"""What calls cost: by prices of one's own, else by the table; exactly, and without a network."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from proveout.adapters.models.prices import Price, Prices
from proveout.domain.model_call import Tokens
from proveout.domain.money import Usd
from proveout.errors import Mistake

AT = datetime(2026, 6, 1, tzinfo=UTC)
TOKENS = Tokens(read=1000, cached=200, written=100)
OWN = {"mine": Price(read=Usd(3), written=Usd("0.1"), cached=Usd("0.000001"))}


@pytest.fixture(scope="module")
def prices() -> Prices:
    """Return the table with one price of our own."""
    return Prices(OWN)


@pytest.mark.parametrize(
    ("provider", "models", "cost"),
    [
        ("openai", ["gpt-4o-2024-08-06", "gpt-4o"], "0.00325"),
        ("openai", ["", "gpt-4o"], "0.00325"),
        ("openai", ["unknown", "gpt-4o"], "0.00325"),
        ("anthropic", ["claude-opus-4-5-20251101"], "0.0066"),
        ("openai", ["text-embedding-3-small"], "0.00002"),
        ("openai", ["mine"], "0.0024100002"),
        ("elsewhere", ["gpt-4o", "mine"], "0.0024100002"),
    ],
)
def test_a_call_costs_what_its_model_costs(
    prices: Prices, provider: str, models: list[str], cost: str
) -> None:
    """The one that answered, else the one that was asked for; our own prices win."""
    assert prices.cost(provider, models, TOKENS, AT) == Usd(cost)


@pytest.mark.parametrize(
    ("provider", "models"),
    [("openai", ["unknown"]), ("elsewhere", ["gpt-4o"]), ("openai", []), ("openai", [""])],
)
def test_a_model_that_nobody_lists_costs_nobody_knows_what(
    prices: Prices, provider: str, models: list[str]
) -> None:
    """It is not taken to be free."""
    assert prices.cost(provider, models, TOKENS, AT) is None


def test_a_cache_without_a_price_costs_as_much() -> None:
    """Tokens from it are tokens read."""
    price = Price(read=Usd(3), written=Usd(15))

    assert price.of(TOKENS) == Usd("0.0045")


def test_what_is_put_into_a_cache_costs_what_its_vendor_asks(prices: Prices) -> None:
    """A quarter more than reading for minutes, and twice as much for an hour, of $5 a million."""
    opus = ["claude-opus-4-5-20251101"]
    minutes = Tokens(read=1000, cached=0, written=0, stored=1000)
    hour = Tokens(read=1000, cached=0, written=0, stored=1000, stored_hour=1000)
    both = Tokens(read=1000, cached=200, written=100, stored=500, stored_hour=200)

    assert prices.cost("anthropic", opus, minutes, AT) == Usd("0.00625")
    assert prices.cost("anthropic", opus, hour, AT) == Usd("0.01")
    # 300 plain, 200 from the cache at a tenth, 300 and 200 into it, and 100 written at $25.
    assert prices.cost("anthropic", opus, both, AT) == Usd("0.007975")


def test_a_price_of_our_own_may_name_what_a_cache_costs() -> None:
    """As reading, where it does not."""
    tokens = Tokens(read=1000, cached=200, written=100, stored=500, stored_hour=200)

    assert Price(read=Usd(3), written=Usd(15)).of(tokens) == Usd("0.0045")
    assert Price(read=Usd(3), written=Usd(15), stored=Usd(6)).of(tokens) == Usd("0.006")


@pytest.mark.parametrize("name", ["read", "written", "cached", "stored"])
def test_a_price_is_not_below_nothing(name: str) -> None:
    """A call would earn money."""
    with pytest.raises(Mistake, match="below nothing"):
        Price(**{"read": Usd(1), "written": Usd(1), name: Usd(-1)})


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is the one that was installed."""

    def refuse(*_: object) -> None:
        raise AssertionError("it went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert Prices({}).cost("openai", ["gpt-4o"], TOKENS, AT) is not None


def test_a_table_that_is_missing_is_named_with_what_brings_it() -> None:
    """In a Python that cannot import it."""
    code = """
import sys
sys.modules["genai_prices"] = None
from proveout.adapters.models.prices import NoPriceTable, Prices
try:
    Prices({})
except NoPriceTable as error:
    print(error.code, *error.fix)
"""

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout == "no-price-table pip install 'proveout[models]'\n"
