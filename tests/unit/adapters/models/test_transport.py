"""A client with a metered transport is counted without a proxy, whichever library it is of."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anthropic
import httpx
import httpx2
import openai
import pytest

from doubles.meter import NotedMeter
from doubles.vendor import (
    CHAT,
    MESSAGE,
    MESSAGE_STREAM,
    Answer,
    Heard,
    Vendor,
    chat_stream,
    events,
    squeezed,
    whole,
)
from proveout.adapters.models.transport import AsyncMeteredTransport, MeteredTransport
from proveout.domain.model_call import Caller, Tokens
from proveout.domain.run import RunId
from proveout.ports.meter import Denied, Said

if TYPE_CHECKING:
    from collections.abc import Generator

SOMEBODY = Caller(run=RunId("r1"), fence=2, place=None)
TOKENS = Tokens(read=1000, cached=200, written=100)
GPT = Said(model="gpt-4o-2024-08-06", status=200, tokens=TOKENS)
CLAUDE = Said(model="claude-answered", status=200, tokens=replace(TOKENS, stored=100))
HI: Any = [{"role": "user", "content": "Hi"}]
TEXT = "Grüße 🙂"


def answer(heard: Heard) -> Answer:
    """Answer as the vendor that was asked, whole or as a stream, squeezed where that is asked."""
    if heard.method == "GET":
        return whole({"object": "list", "data": []})
    streams = heard.json.get("stream")
    if "messages" in heard.path:
        return events(*MESSAGE_STREAM) if streams else whole(MESSAGE)
    found = events(*chat_stream(heard)) if streams else whole(CHAT)
    return squeezed(found) if heard.json.get("user") == "squeeze" else found


@pytest.fixture
def vendor() -> Generator[Vendor]:
    """Return a vendor of both kinds."""
    with Vendor(answer) as vendor:
        yield vendor


def clients(vendor: Vendor, meter: NotedMeter) -> tuple[openai.OpenAI, anthropic.Anthropic]:
    """Return both vendors' clients, metered."""
    transport: Any = MeteredTransport(meter, lambda: SOMEBODY, httpx2.HTTPTransport())
    given: Any = {"api_key": "sk-x", "http_client": httpx2.Client(transport=transport)}
    return (
        openai.OpenAI(base_url=vendor.url, **given),
        anthropic.Anthropic(base_url=vendor.url, **given),
    )


def test_vendors_clients_are_counted(vendor: Vendor) -> None:
    """Whole answers and streams, and what a client did not ask for it does not see."""
    meter = NotedMeter()
    first, other = clients(vendor, meter)

    with first, other:
        chat = first.chat.completions.create(model="m", messages=HI)
        packed = first.chat.completions.create(model="m", messages=HI, user="squeeze")
        chunks = list(first.chat.completions.create(model="m", messages=HI, stream=True))
        first.models.list()
        message: Any = other.messages.create(model="m", max_tokens=1, messages=HI)
        with other.messages.stream(model="m", max_tokens=1, messages=HI) as stream:
            text = "".join(stream.text_stream)

    assert chat.choices[0].message.content == packed.choices[0].message.content == TEXT
    assert [chunk.usage for chunk in chunks] == [None] * 3
    assert (message.content[0].text, text) == (TEXT, TEXT)
    assert meter.callers == [SOMEBODY] * 5
    assert meter.said == [GPT, GPT, GPT, CLAUDE, CLAUDE]


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_both_libraries_are_served(vendor: Vendor, library: Any) -> None:
    """By the transport for asynchronous clients too."""
    meter = NotedMeter()
    url = f"{vendor.url}/chat/completions"
    plain = MeteredTransport(meter, lambda: SOMEBODY, library.HTTPTransport())
    other = AsyncMeteredTransport(meter, lambda: SOMEBODY, library.AsyncHTTPTransport())

    with library.Client(transport=plain) as client:
        got = client.post(url, json={"model": "m"}).json()
    async with library.AsyncClient(transport=other) as client:
        streamed = await client.post(url, json={"model": "m", "stream": True})

    assert got == CHAT
    assert b"usage" not in streamed.content
    assert streamed.content.endswith(b"data: [DONE]\n\n")
    assert meter.said == [GPT, GPT]


def test_what_is_denied_is_not_sent(vendor: Vendor) -> None:
    """It is raised at once, as by the proxy."""
    first, other = clients(vendor, NotedMeter(Denied(code="over-budget", message="it is spent")))

    with first, other:
        with pytest.raises(openai.PermissionDeniedError, match="it is spent"):
            first.chat.completions.create(model="m", messages=HI)
        with pytest.raises(anthropic.PermissionDeniedError, match="it is spent"):
            other.messages.create(model="m", max_tokens=1, messages=HI)

    assert vendor.heard == []


def test_a_compressed_request_is_not_sent(vendor: Vendor) -> None:
    """Nobody could say which model it asks for."""
    transport = MeteredTransport(NotedMeter(), lambda: None, httpx.HTTPTransport())

    with httpx.Client(transport=transport) as client:
        got = client.post(vendor.url, content=b"x", headers={"content-encoding": "gzip"})

    assert (got.status_code, vendor.heard) == (415, [])


def test_a_call_that_does_not_end_well_is_ended_once(vendor: Vendor) -> None:
    """Cut by the vendor, left by the client, or never answered."""
    meter, hold = NotedMeter(), threading.Event()

    def cut(heard: Heard) -> Answer:
        return events(*chat_stream(heard)[:2], is_cut=True)

    def held(heard: Heard) -> Answer:
        return events(*chat_stream(heard), hold=hold)

    first, other = clients(vendor, meter)
    nowhere = first.with_options(base_url="http://127.0.0.1:1", max_retries=0)

    with first, other:
        vendor.answer = cut
        with pytest.raises((openai.APIError, httpx2.HTTPError)):
            list(first.chat.completions.create(model="m", messages=HI, stream=True))
        vendor.answer = held
        stream = first.chat.completions.create(model="m", messages=HI, stream=True)
        next(iter(stream))
        stream.close()
        with pytest.raises(openai.APIConnectionError):
            nowhere.chat.completions.create(model="m", messages=HI)

    assert [(said.status, said.tokens) for said in meter.said] == [(0, None)] * 3
    assert [said.is_sent for said in meter.said] == [True, True, False]
    assert vendor.left.wait(30)
