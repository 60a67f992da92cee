"""What vendors answered is kept without a key, and answered again without a vendor."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import openai
import pytest

from doubles.clock import CountedIds
from doubles.models import ListedPrices
from doubles.vendor import (
    CHAT,
    MESSAGE,
    MESSAGE_STREAM,
    RESPONSE,
    RESPONSE_STREAM,
    Answer,
    Heard,
    Vendor,
    chat_stream,
    events,
    squeezed,
    whole,
)
from proveout.adapters.models.callers import named_callers
from proveout.adapters.models.environment import Upstreams
from proveout.adapters.models.proxy import Proxy
from proveout.adapters.models.transport import MeteredTransport
from proveout.domain.model_call import Caller, Tokens
from proveout.domain.money import Usd
from proveout.domain.run import RunId
from proveout.run import meter as meters
from proveout.run.meter import ModelMeter, Unpriced
from proveout.run.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Generator

    from doubles.postgres import WatchedClock
    from proveout.domain.model_answer import Recording
    from proveout.ports.store import Store

RUN = RunId("r1")
SOMEBODY = Caller(run=RUN, fence=1, place=None)
KEY = "sk-known-to-nobody"
COOKIE = "a-cookie-of-the-vendor"
HI: Any = [{"role": "user", "content": "Grüß dich"}]


def answer(heard: Heard) -> Answer:
    """Answer as the vendor and the path that were asked, with headers that are nobody's affair."""
    streams = heard.json.get("stream")
    if "messages" in heard.path:
        found = events(*MESSAGE_STREAM) if streams else whole(MESSAGE)
    elif "responses" in heard.path:
        found = events(*RESPONSE_STREAM) if streams else whole(RESPONSE)
    else:
        found = events(*chat_stream(heard)) if streams else squeezed(whole(CHAT))
    return replace(found, headers={**found.headers, "set-cookie": COOKIE, "x-request-id": "req-1"})


@pytest.fixture
def vendor() -> Generator[Vendor]:
    """Return a vendor of both kinds."""
    with Vendor(answer) as vendor:
        yield vendor


@contextmanager
def clients(route: str, meter: ModelMeter, url: str) -> Generator[tuple[Any, Any]]:
    """Give both vendors' clients, metered through the proxy or through the transport."""
    own: dict[str, Any] = {"api_key": KEY, "max_retries": 0}
    with ExitStack() as stack:
        if route == "proxy":
            proxy = stack.enter_context(Proxy(meter, Upstreams(openai=url, anthropic=url)))
            stack.enter_context(named_callers(proxy.address, lambda: SOMEBODY))
            first, other = proxy.bases.openai, proxy.bases.anthropic
        else:
            around: Any = MeteredTransport(meter, lambda: SOMEBODY, httpx2.HTTPTransport())
            own["http_client"] = stack.enter_context(httpx2.Client(transport=around))
            first = other = url
        yield (
            stack.enter_context(openai.OpenAI(base_url=first, **own)),
            stack.enter_context(anthropic.Anthropic(base_url=other, **own)),
        )


def ask(first: Any, other: Any) -> list[Any]:
    """Return all that the vendors' clients make of whole answers and of streams."""
    chat, response, message = (
        first.chat.completions.create,
        first.responses.create,
        other.messages.create,
    )
    usage = {"stream": True, "stream_options": {"include_usage": True}}
    return [
        chat(model="small", messages=HI).model_dump(),
        [one.model_dump() for one in chat(model="small", messages=HI, stream=True)],
        [one.model_dump() for one in chat(model="small", messages=HI, **usage)],
        response(model="small", input="Hi").model_dump(),
        [one.model_dump() for one in response(model="small", input="Hi", stream=True)],
        message(model="small", max_tokens=9, messages=HI).model_dump(),
        [
            one.model_dump()
            for one in message(model="small", max_tokens=9, messages=HI, stream=True)
        ],
    ]


class Recorder:
    """Makes meters on one store."""

    def __init__(self, store: Store, clock: WatchedClock) -> None:
        self.store = store
        self._clock = clock
        self._ids = CountedIds()

    def meter(self, *, records: bool = True) -> ModelMeter:
        """Return a meter that asks vendors."""
        prices = ListedPrices({"small": "1"})
        return ModelMeter(self.store, self._clock, self._ids, prices, records=records)

    async def replaying(self) -> ModelMeter:
        """Return a meter that answers from all that was recorded."""
        answers = {one.digest: [one.answer] for one in await self.recordings()}
        recorded = Recorded(answers, is_live=False)
        return ModelMeter(self.store, self._clock, self._ids, Unpriced(), substitute=recorded)

    async def recordings(self) -> list[Recording]:
        """Return what the store keeps."""
        return await self.store.model_answers(RUN)


@pytest.fixture
def recorder(store: Store, clock: WatchedClock) -> Recorder:
    """Return what makes meters."""
    return Recorder(store, clock)


@pytest.mark.parametrize("route", ["proxy", "transport"])
async def test_what_was_recorded_is_answered_again(
    recorder: Recorder, vendor: Vendor, route: str
) -> None:
    """To the last chunk that a client sees, without a vendor and without a cost."""
    meter = recorder.meter()
    with clients(route, meter, vendor.url) as (first, other):
        before = ask(first, other)
    await meter.charge(RUN)
    heard = len(vendor.heard)

    replaying = await recorder.replaying()
    with clients(route, replaying, "http://127.0.0.1:1") as (first, other):
        after = ask(first, other)
    await replaying.charge(RUN)

    assert after == before
    assert len(vendor.heard) == heard == len(before)
    calls = (await recorder.store.model_calls(RUN))[RUN]
    again = calls[heard:]
    assert [(one.status, one.cost) for one in again] == [(200, Usd(0))] * heard
    assert {one.tokens for one in again} == {
        Tokens(read=1000, cached=200, written=100),
        Tokens(read=1000, cached=200, written=100, stored=100),
    }
    assert len(await recorder.recordings()) == heard  # nothing is recorded a second time


@pytest.mark.parametrize("route", ["proxy", "transport"])
async def test_no_key_is_recorded(
    recorder: Recorder, vendor: Vendor, route: str, manual_url: str
) -> None:
    """Neither the client's nor the vendor's secrets are in a recording, nor what was asked."""
    meter = recorder.meter()
    with clients(route, meter, vendor.url) as (first, other):
        ask(first, other)
    await meter.charge(RUN)

    kept = repr(await recorder.recordings())

    assert vendor.heard[0].headers["authorization"] == f"Bearer {KEY}"
    assert "Grüße".encode().decode("latin-1") in kept or "Gr\\xc3\\xbc\\xc3\\x9fe" in kept
    assert "req-1" in kept
    for secret in (KEY, COOKIE, "Bearer", "x-api-key", "Grüß dich"):
        assert secret not in kept
    if manual_url.startswith("sqlite"):
        path = Path(manual_url.removeprefix("sqlite:///"))
        assert KEY.encode() not in b"".join(
            one.read_bytes() for one in path.parent.glob(f"{path.name}*")
        )


async def test_nothing_is_recorded_unless_it_is_asked_for(
    recorder: Recorder, vendor: Vendor
) -> None:
    """Production keeps what calls took, and not what was answered."""
    meter = recorder.meter(records=False)
    with clients("proxy", meter, vendor.url) as (first, other):
        ask(first, other)
    await meter.charge(RUN)

    assert await recorder.recordings() == []


@pytest.mark.parametrize("route", ["proxy", "transport"])
@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (whole({"error": {"message": "no such model"}}, 404), 1),
        (whole({"error": {"message": "slow down"}}, 429), 0),
        (whole({"error": {"message": "who are you"}}, 401), 0),
        (whole({"error": {"message": "broken"}}, 500), 0),
        (events(*chat_stream(None)[:2], is_cut=True), 0),
        (whole({**CHAT, "model": "x" * meters.MOST_OF_ONE}), 0),
    ],
    ids=["404", "429", "401", "500", "cut", "too long"],
)
async def test_what_another_try_might_not_get_is_not_recorded(
    recorder: Recorder,
    vendor: Vendor,
    route: str,
    answer: Answer,
    kept: int,
) -> None:
    """Only what the same request gets again; and nothing that is too large."""
    vendor.answer = answer
    meter = recorder.meter()
    with clients(route, meter, vendor.url) as (first, _):
        try:
            streams: Any = {"stream": True} if answer.is_cut else {}
            list(first.chat.completions.create(model="small", messages=HI, **streams))
        except (openai.APIError, httpx2.HTTPError):
            pass
    await meter.charge(RUN)

    assert len(await recorder.recordings()) == kept


async def test_a_process_records_up_to_a_bound(
    recorder: Recorder, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit any more is counted, and not kept."""
    vendor.answer = whole(CHAT)
    size = len(whole(CHAT).chunks[0])
    monkeypatch.setattr(meters, "MOST_OF_ALL", 2 * size + 1)
    meter = recorder.meter()
    with clients("proxy", meter, vendor.url) as (first, _):
        for _number in range(4):
            first.chat.completions.create(model="small", messages=HI)
    await meter.charge(RUN)

    assert len(await recorder.recordings()) == 2
    assert len((await recorder.store.model_calls(RUN))[RUN]) == 4
