"""Metering begins and ends beside the event loop, which goes on with other work."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from doubles.vendor import Answer, Vendor
from proveout.adapters.system import SystemClock
from proveout.domain.caller import CALLER_HEADER, written
from proveout.domain.model_call import Caller
from proveout.domain.money import Usd
from proveout.domain.run import RunId
from proveout.faces.log import logger
from proveout.faces.project import metered, system_bench, throwaway_store
from proveout.faces.settings_models import Metering, ModelPrice, ModelSettings
from proveout.run.work import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

SETTINGS = ModelSettings(
    meter=Metering.PROXY, prices=(ModelPrice(model="m", read=Usd(1), written=Usd(1)),)
)
SOMEBODY = Caller(run=RunId("r1"), fence=1, place=None)
PATIENCE = 20


class LoopClock(SystemClock):
    """A clock that asks the event loop, from whichever thread it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def monotonic(self) -> float:
        if threading.get_ident() != self._thread:
            asyncio.run_coroutine_threadsafe(super().sleep(0), self._loop).result(PATIENCE)
        return super().monotonic()


@pytest.fixture
async def bench() -> AsyncGenerator[Bench]:
    """Return a bench whose clock needs the event loop to turn."""
    async with throwaway_store() as store:
        whole = system_bench(store, logger())
        yield Bench(store=store, clock=LoopClock(), ids=whole.ids, dice=whole.dice, log=whole.log)


async def test_the_loop_goes_on_while_a_proxy_starts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something else gets its turn before the block begins."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)

    async with metered(bench, SETTINGS):
        had_a_turn = turned.is_set()

    assert had_a_turn


async def test_the_loop_goes_on_while_a_proxy_stops(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is under way ends meanwhile, and its end needs the loop."""
    hold = threading.Event()
    with Vendor(Answer(chunks=(b"{}",), hold=hold)) as vendor:
        monkeypatch.setenv("OPENAI_BASE_URL", vendor.url)
        async with metered(bench, SETTINGS) as inner:
            asking = asyncio.create_task(_ask())
            while not vendor.heard:  # the call is on its way, over a real wire
                await bench.clock.sleep(0.01)
        with pytest.raises(httpx.RequestError):
            await asking
        assert vendor.left.wait(PATIENCE)

    assert inner.meter is not None
    await inner.meter.charge(SOMEBODY.run)
    [call] = (await bench.store.model_calls(SOMEBODY.run))[SOMEBODY.run]
    assert call.status == 0


async def _ask() -> None:
    headers = {CALLER_HEADER: written(SOMEBODY)}
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        url = f"{os.environ['OPENAI_BASE_URL']}/responses"
        await client.post(url, json={"model": "m"}, headers=headers)
