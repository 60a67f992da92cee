"""A fault reaches a workflow as its vendor's would: behind the vendor's own client."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anthropic
import httpx
import httpx2
import openai
import pytest

from doubles.clock import CountedIds
from doubles.meter import NotedMeter
from doubles.models import ListedPrices, calls_of
from doubles.vendor import (
    CHAT,
    MESSAGE,
    MESSAGE_STREAM,
    Answer,
    Heard,
    Vendor,
    chat_says,
    chat_stream,
    events,
    whole,
)
from proveout.adapters.models.callers import named_callers
from proveout.adapters.models.environment import Upstreams
from proveout.adapters.models.proxy import Proxy
from proveout.adapters.models.transport import AsyncMeteredTransport, MeteredTransport
from proveout.domain.model_call import Caller
from proveout.domain.model_fault import Fault, FaultKind, Faults
from proveout.domain.money import Usd
from proveout.domain.run import RunId
from proveout.errors import Mistake
from proveout.ports.meter import Denied
from proveout.run.faults import Injected
from proveout.run.meter import ModelMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from doubles.postgres import WatchedClock
    from proveout.ports.meter import Meter
    from proveout.ports.store import Store

SOMEBODY = Caller(run=RunId("r1"), fence=1, place=None)
HI: Any = [{"role": "user", "content": "Hi"}]
BROKEN = b'{"id": "'
BRIEFLY = 0.3
"""Seconds that a client waits for an answer that must not come."""


class Clients:
    """Both vendors' clients before one vendor, metered."""

    def __init__(self, stack: ExitStack, url: str, base: str, **given: Any) -> None:
        own: dict[str, Any] = {"api_key": "sk-x", "max_retries": 0, **given}
        self.openai = stack.enter_context(openai.OpenAI(base_url=f"{base or url}", **own))
        other = base.replace("/openai/v1", "/anthropic") or url
        self.anthropic = stack.enter_context(anthropic.Anthropic(base_url=other, **own))

    def chat(self, **given: Any) -> Any:
        """Ask for a chat, read to its end."""
        create: Any = self.openai.chat.completions.create
        answer = create(model="small", messages=HI, **given)
        return list(answer) if given.get("stream") else answer

    def message(self, **given: Any) -> Any:
        """Ask for a message, read to its end."""
        create: Any = self.anthropic.messages.create
        answer = create(model="small", max_tokens=10, messages=HI, **given)
        return list(answer) if given.get("stream") else answer


class Opens(Protocol):
    """What gives clients whose calls a meter sees."""

    def __call__(self, meter: Meter, **given: Any) -> Clients: ...


def answer(heard: Heard) -> Answer:
    """Answer well."""
    streams = heard.json.get("stream")
    if "messages" in heard.path:
        return events(*MESSAGE_STREAM) if streams else whole(MESSAGE)
    return events(*chat_stream(heard)) if streams else whole(CHAT)


@pytest.fixture
def vendor() -> Generator[Vendor]:
    """Return a vendor that answers well, until a test says otherwise."""
    with Vendor(answer) as vendor:
        yield vendor


@pytest.fixture(params=["proxy", "transport"])
def clients(request: pytest.FixtureRequest, vendor: Vendor) -> Generator[Opens]:
    """Return what gives clients that call through the proxy, or through the transport."""
    with ExitStack() as stack:

        def through_proxy(meter: Meter, **given: Any) -> Clients:
            upstreams = Upstreams(openai=vendor.url, anthropic=vendor.url)
            proxy = stack.enter_context(Proxy(meter, upstreams))
            stack.enter_context(named_callers(proxy.address, lambda: SOMEBODY))
            return Clients(stack, vendor.url, proxy.bases.openai, **given)

        def through_transport(meter: Meter, **given: Any) -> Clients:
            around: Any = MeteredTransport(meter, lambda: SOMEBODY, httpx2.HTTPTransport())
            client = stack.enter_context(httpx2.Client(transport=around))
            return Clients(stack, vendor.url, "", http_client=client, **given)

        yield through_proxy if request.param == "proxy" else through_transport


def injecting(kind: FaultKind, **given: Any) -> NotedMeter:
    """Return a meter whose calls meet a fault."""
    meter = NotedMeter()
    meter.substitute = Injected(Faults(fault=Fault(kind=kind, retry_after=0), **given))
    return meter


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [
        (FaultKind.SLOW_DOWN, openai.RateLimitError, anthropic.RateLimitError),
        (FaultKind.ERROR, openai.InternalServerError, anthropic.InternalServerError),
        (FaultKind.TIMEOUT, openai.APITimeoutError, anthropic.APITimeoutError),
    ],
)
def test_a_fault_is_raised_as_what_it_is(
    clients: Opens,
    vendor: Vendor,
    kind: FaultKind,
    ours: type[Exception],
    theirs: type[Exception],
    *,
    streams: bool,
) -> None:
    """By both vendors' clients, and the vendor hears nothing."""
    meter = injecting(kind)
    here = clients(meter)
    given = {"timeout": BRIEFLY} if kind is FaultKind.TIMEOUT else {}

    with pytest.raises(ours):
        here.chat(stream=streams, **given)
    with pytest.raises(theirs):
        here.message(stream=streams, **given)

    assert vendor.heard == []
    said = meter.when_ended()
    status = {FaultKind.SLOW_DOWN: 429, FaultKind.ERROR: 500}.get(kind, 0)
    assert [(one.status, one.tokens, one.is_sent) for one in said] == [(status, None, False)] * 2


def broken(kind: FaultKind, heard: Heard) -> Answer:
    """Return what a vendor sends that is broken in the same way."""
    streams, is_cut = heard.json.get("stream"), kind is FaultKind.CUT
    if not streams:
        return Answer(chunks=() if kind is FaultKind.EMPTY else (BROKEN,), is_cut=is_cut)
    if is_cut:
        started = MESSAGE_STREAM[:2] if "messages" in heard.path else (chat_says("The"),)
        return events(*started, is_cut=True)
    chunks = () if kind is FaultKind.EMPTY else (b'data: {"id": "\n\n',)
    return Answer(headers={"content-type": "text/event-stream"}, chunks=chunks)


def outcome(call: Callable[..., Any], **given: Any) -> object:
    """Return what a call raises, as its kind and that of its cause, or the count of its parts."""
    try:
        got = call(**given)
    except Exception as error:  # noqa: BLE001 - whatever the vendor's client makes of it
        below = "httpcore" in type(error.__cause__).__module__  # of a wire, which we have none of
        return type(error), type(None) if below else type(error.__cause__)
    return len(got) if given.get("stream") else got


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", [FaultKind.MALFORMED, FaultKind.EMPTY, FaultKind.CUT])
def test_a_broken_answer_is_met_as_the_vendors_own(
    clients: Opens, vendor: Vendor, kind: FaultKind, *, streams: bool
) -> None:
    """Whatever the client makes of it, it makes the same of what a vendor breaks."""
    here, meter = clients(NotedMeter()), injecting(kind)
    vendor.answer = partial(broken, kind)
    real = [outcome(call, stream=streams) for call in (here.chat, here.message)]
    heard = len(vendor.heard)

    there = clients(meter)
    injected = [outcome(call, stream=streams) for call in (there.chat, there.message)]

    assert injected == real
    assert len(vendor.heard) == heard == 2
    assert [one.is_sent for one in meter.when_ended()] == [False, False]


def test_a_client_tries_again_as_it_was_told(clients: Opens, vendor: Vendor) -> None:
    """Two faults and no more: the third try of the client itself is answered."""
    meter = injecting(FaultKind.SLOW_DOWN, calls=2)
    here = clients(meter, max_retries=2)

    chat = here.chat()

    assert chat.model == CHAT["model"]
    assert [one.status for one in meter.said] == [429, 429, 200]
    assert len(vendor.heard) == 1


def test_a_client_that_was_told_for_how_long_knows_it(clients: Opens) -> None:
    """The header is the vendor's."""
    meter = NotedMeter()
    meter.substitute = Injected(Faults(fault=Fault(kind=FaultKind.SLOW_DOWN, retry_after=7)))

    with pytest.raises(openai.RateLimitError) as raised:
        clients(meter).chat()

    assert raised.value.response.headers["retry-after"] == "7"


def test_a_share_of_the_calls_meets_a_fault(clients: Opens, vendor: Vendor) -> None:
    """Exactly so many, evenly spread."""
    meter = injecting(FaultKind.ERROR, share=0.25)
    here = clients(meter)

    kinds = [type(outcome(here.chat)) for _ in range(8)]

    assert [one.status for one in meter.said] == [200, 200, 200, 500] * 2
    assert kinds.count(tuple) == 2
    assert len(vendor.heard) == 6


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_an_asynchronous_client_meets_them_too(library: Any) -> None:
    """No answer at all within its time, and one that is cut."""
    for kind, expected in (
        (FaultKind.TIMEOUT, library.ReadTimeout),
        (FaultKind.CUT, library.RemoteProtocolError),
    ):
        meter = injecting(kind)
        transport = AsyncMeteredTransport(meter, lambda: SOMEBODY, library.AsyncHTTPTransport())
        async with library.AsyncClient(transport=transport, timeout=0.1) as client:
            with pytest.raises(expected):
                await client.post("http://127.0.0.1:1/chat/completions", json={"model": "m"})
        assert [(one.status, one.is_sent) for one in meter.said] == [(0, False)]


async def test_the_account_stays_right(clients: Opens, store: Store, clock: WatchedClock) -> None:
    """A fault costs nothing, and what was reserved for it buys the next call."""
    fault = Faults(fault=Fault(kind=FaultKind.TIMEOUT), calls=3)
    prices = ListedPrices({"small": "10", CHAT["model"]: "10"})
    meter = ModelMeter(
        store, clock, CountedIds(), prices, cap=Usd("0.012"), substitute=Injected(fault)
    )
    here = clients(meter)

    for _ in range(3):
        with pytest.raises(openai.APITimeoutError):
            here.chat(max_tokens=1_000, timeout=BRIEFLY)
    here.chat(max_tokens=1_000)
    with pytest.raises(openai.PermissionDeniedError, match="cap_per_call"):
        here.chat(max_tokens=1_000)
    await meter.charge(SOMEBODY.run)

    calls = await calls_of(store, SOMEBODY.run)
    assert [(one.status, one.cost) for one in calls] == [(0, Usd(0))] * 3 + [(200, Usd("0.011"))]


@pytest.mark.parametrize("given", [{"share": 0.0}, {"share": 1.5}, {"calls": 0}])
def test_what_meets_nobody_is_a_mistake(given: Any) -> None:
    """A drill that injects nothing would prove nothing."""
    with pytest.raises(Mistake):
        Faults(fault=Fault(kind=FaultKind.ERROR), **given)


def test_a_denied_call_meets_no_fault(clients: Opens) -> None:
    """It is told why it is denied."""
    meter = injecting(FaultKind.ERROR)
    meter.denied = Denied(code="over-budget", message="it is spent")

    with pytest.raises(openai.PermissionDeniedError, match="it is spent"):
        clients(meter).chat()
