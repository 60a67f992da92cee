"""`[models]`: whether calls of models are metered, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proveout.domain.money import Usd
from proveout.domain.record import decode, encode
from proveout.faces.released_worker import Orders
from proveout.faces.settings import load
from proveout.faces.settings_models import Metering, ModelPrice, ModelSettings
from proveout.faces.settings_reader import SettingsMistake

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = '[workflow]\nname = "toy"\nentry = "app:answer"\n'
PRICE = '[[models.prices]]\nmodel = "own"\nread = "1 USD"\nwritten = "2 USD"\n'
PROVE = """
[prove]
dataset = "cases.jsonl"
time_box = "1 day"
budget = { calls = 20 }
criteria = [{ score = "exact", floor = 0.8, target = 0.9 }]
candidates = { vendor = { entry = "app:vendor", price_per_call = "0.01 USD" } }
"""


def read(folder: Path, text: str) -> ModelSettings:
    """Return what a file says of models."""
    (folder / "proveout.toml").write_text(WORKFLOW + text, "utf-8")
    return load(folder / "proveout.toml").models


def test_nothing_is_metered_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Prices alone turn nothing on."""
    assert not read(tmp_path, "").is_on
    assert not read(tmp_path, PRICE).is_on


def test_prices_are_read_to_the_last_digit(tmp_path: Path) -> None:
    """What comes from a cache and what is put into one may have prices of their own."""
    found = read(
        tmp_path, f'[models]\nmeter = "proxy"\n{PRICE}cached = "0.0001 USD"\nstored = "4 USD"\n'
    )

    assert found == ModelSettings(
        meter=Metering.PROXY,
        prices=(
            ModelPrice(
                model="own", read=Usd(1), written=Usd(2), cached=Usd("0.0001"), stored=Usd(4)
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[models]\nmeter = "on"\n', 'meter cannot be "on"'),
        ("[models]\nmeter = true\n", "meter"),
        (PRICE + PRICE, 'the price of "own" is declared twice'),
        (PRICE.replace("1 USD", "-1 USD"), "read"),
        (PRICE.replace("1 USD", "1 EUR"), "read"),
        (PRICE.replace('written = "2 USD"', ""), "written"),
        (PRICE.replace('"own"', '""'), "model"),
        ("[models]\nprice = 1\n", "price"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """In words that name the key."""
    with pytest.raises(SettingsMistake, match=message) as caught:
        read(tmp_path, text)

    assert caught.value.line is not None


def test_what_has_a_price_is_not_metered(tmp_path: Path) -> None:
    """Nor what answers elsewhere; the lock names only what is."""
    (tmp_path / "cases.jsonl").write_text('{"input": 1}\n', "utf-8")
    (tmp_path / "proveout.toml").write_text(
        f'{WORKFLOW}[models]\nmeter = "proxy"\n{PROVE}', "utf-8"
    )

    [experiment] = load(tmp_path / "proveout.toml").experiments

    assert [one.is_metered for one in experiment.plan.candidates] == [True, False]


def test_a_workers_orders_say_how_models_are_metered() -> None:
    """They go to another process, which reads them as they were written."""
    models = ModelSettings(
        meter=Metering.PROXY,
        prices=(ModelPrice(model="own", read=Usd("0.10"), written=Usd(2)),),
    )
    orders = Orders(store="s", workflow="w", release="r", root="/", entry="a:b", models=models)

    assert decode(Orders, encode(orders)) == orders
