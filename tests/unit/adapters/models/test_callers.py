"""Calls through the proxy carry who makes them, whichever client makes them."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import anthropic
import httpx
import httpx2
import openai
import pytest

from doubles.meter import NotedMeter
from doubles.shop import Shop, top
from doubles.vendor import CHAT, MESSAGE, Vendor, whole
from proveout.adapters.models.callers import named_callers
from proveout.adapters.models.environment import Upstreams
from proveout.adapters.models.proxy import Proxy
from proveout.domain.caller import CALLER_HEADER, read_caller, written
from proveout.domain.journal import Place
from proveout.domain.model_call import Caller
from proveout.domain.run import RunId, RunState
from proveout.run.caller import caller_headers, current_caller
from proveout.run.define import effect, step, workflow

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.clock import CountedIds, ManualClock
    from proveout.ports.store import Store

SOMEBODY = Caller(run=RunId("r1"), fence=2, place=Place("0.1", "größe", 3))
HI: Any = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def vendor() -> Generator[Vendor]:
    """Return a vendor of both kinds."""
    with Vendor(lambda heard: whole(MESSAGE if "messages" in heard.path else CHAT)) as vendor:
        yield vendor


@pytest.fixture
def meter() -> NotedMeter:
    """Return a meter that lets every call be made."""
    return NotedMeter()


@pytest.fixture
def proxy(vendor: Vendor, meter: NotedMeter) -> Generator[Proxy]:
    """Return a proxy before the vendor."""
    with Proxy(meter, Upstreams(openai=vendor.url, anthropic=vendor.url)) as proxy:
        yield proxy


class OwnClient(httpx.Client):
    """A subclass, made before anything is named."""

    def send(self, request: httpx.Request, **given: Any) -> httpx.Response:
        return super().send(request, **given)


def test_every_client_says_who_calls(proxy: Proxy, meter: NotedMeter) -> None:
    """Of both libraries, synchronous or not, made before or within, and of subclasses."""
    url = f"{proxy.bases.openai}/responses"

    async def asynchronously() -> None:
        async with httpx.AsyncClient() as client:
            await client.post(url, json={})
        async with httpx2.AsyncClient() as client, client.stream("POST", url, json={}) as answer:
            await answer.aread()

    with httpx.Client() as early, OwnClient() as own:
        with named_callers(proxy.address, lambda: SOMEBODY), httpx2.Client() as late:
            early.post(url, json={})
            own.post(url, json={})
            late.post(url, json={})
            asyncio.run(asynchronously())
        early.post(url, json={})

    assert meter.callers == [SOMEBODY] * 5 + [None]


def test_only_the_proxy_is_told(vendor: Vendor, proxy: Proxy) -> None:
    """Neither another server nor the vendor behind the proxy sees who calls."""
    with named_callers(proxy.address, lambda: SOMEBODY):
        httpx.post(f"{vendor.url}/elsewhere")
        httpx.post(f"{proxy.bases.openai}/responses", json={})

    assert [CALLER_HEADER in heard.headers for heard in vendor.heard] == [False, False]


def test_what_was_given_by_hand_stays(proxy: Proxy, meter: NotedMeter) -> None:
    """And where nobody is found, nobody is named."""
    url, by_hand = f"{proxy.bases.openai}/responses", Caller(run=RunId("r9"), fence=1, place=None)

    with named_callers(proxy.address, lambda: SOMEBODY):
        httpx.post(url, json={}, headers={CALLER_HEADER: written(by_hand)})
    with named_callers(proxy.address, lambda: None):
        httpx.post(url, json={})

    assert meter.callers == [by_hand, None]


def test_clients_are_left_as_they_were(proxy: Proxy) -> None:
    """Nothing of ours is left in their classes."""
    classes: list[Any] = [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient]
    before = [one.send for one in classes]

    with named_callers(proxy.address, lambda: SOMEBODY):
        within = [one.send for one in classes]

    assert [one.send for one in classes] == before
    assert not set(within) & set(before)


def test_blocks_may_end_in_any_order(
    proxy: Proxy, meter: NotedMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that has ended says nothing more."""
    for one in (httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient):
        monkeypatch.setattr(one, "send", one.send)
    other = Caller(run=RunId("r2"), fence=1, place=None)
    first, second = ExitStack(), ExitStack()

    first.enter_context(named_callers(proxy.address, lambda: SOMEBODY))
    second.enter_context(named_callers(proxy.address, lambda: other))
    first.close()
    httpx.post(f"{proxy.bases.openai}/responses", json={})
    second.close()
    httpx.post(f"{proxy.bases.openai}/responses", json={})

    assert meter.callers == [other, None]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "[" * 9999,
        '["r",1]',
        '["r","1",null]',
        "[1,1,null]",
        '["r",1,["",1,0]]',
        '["r",1,["","a"]]',
        '["r",true,null]',
        '["r",1,["","a",false]]',
    ],
)
def test_a_header_that_names_nobody_is_nobody(text: str) -> None:
    """Whatever it holds."""
    assert read_caller(text) is None


@pytest.mark.parametrize("caller", [SOMEBODY, Caller(run=RunId("r"), fence=0, place=None)])
def test_a_header_names_whom_it_was_written_for(caller: Caller) -> None:
    """In ASCII, as headers are."""
    assert written(caller).isascii()
    assert read_caller(written(caller)) == caller


def test_outside_a_run_nobody_calls() -> None:
    """There are no headers to send."""
    assert (current_caller(), caller_headers()) == (None, {})


async def test_each_call_is_of_its_step(
    store: Store, clock: ManualClock, ids: CountedIds, proxy: Proxy, meter: NotedMeter
) -> None:
    """Plain steps, asynchronous ones, effects, the workflow itself, and threads given headers."""
    shop = Shop(store, clock, ids)
    bases, key = proxy.bases, {"api_key": "sk-x", "max_retries": 0}

    @step
    @top
    async def read() -> None:
        async with openai.AsyncOpenAI(base_url=bases.openai, **key) as client:  # pyright: ignore[reportArgumentType] - two kinds of value
            await client.chat.completions.create(model="m", messages=HI)

    @step
    @top
    async def write() -> None:
        with anthropic.Anthropic(base_url=bases.anthropic, **key) as client:  # pyright: ignore[reportArgumentType] - two kinds of value
            client.messages.create(model="m", max_tokens=1, messages=HI)

    @effect
    @top
    async def send(*, idempotency_key: str = "") -> None:
        assert idempotency_key
        headers = caller_headers()
        thread = threading.Thread(
            target=lambda: httpx.post(f"{bases.openai}/responses", json={}, headers=headers)
        )
        thread.start()
        thread.join()

    @workflow
    @top
    async def triage() -> None:
        async with httpx.AsyncClient() as client:
            await client.post(f"{bases.openai}/responses", json={})
        await read()
        await write()
        await read()
        await send()

    with named_callers(proxy.address, current_caller):
        done = await shop.done(triage)

    assert done.state is RunState.SUCCEEDED, done.failure
    steps = (("read", 0), ("write", 0), ("read", 1), ("send", 0))
    places = [None, *(Place("", name, occurrence) for name, occurrence in steps)]
    assert meter.callers == [Caller(run=done.id, fence=done.fence, place=at) for at in places]
