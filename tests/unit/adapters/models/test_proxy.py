"""Vendors' own clients call through the proxy, and get what the vendor sends."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import anthropic
import httpx
import openai
import pytest

from doubles.meter import NotedMeter
from doubles.vendor import (
    CHAT,
    EMBEDDING,
    MESSAGE,
    MESSAGE_STREAM,
    RESPONSE,
    RESPONSE_STREAM,
    Answer,
    Heard,
    Vendor,
    chat_chunk,
    chat_says,
    chat_stream,
    events,
    squeezed,
    whole,
)
from proveout.adapters.models.environment import Upstreams
from proveout.adapters.models.proxy import Proxy
from proveout.domain.caller import CALLER_HEADER
from proveout.domain.model_call import Tokens
from proveout.errors import Mistake
from proveout.ports.meter import Denied, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

TOKENS = Tokens(read=1000, cached=200, written=100)
GPT = Said(model="gpt-4o-2024-08-06", status=200, tokens=TOKENS)
CLAUDE = Said(model="claude-answered", status=200, tokens=replace(TOKENS, stored=100))
NOBODY = Said(model="", status=0, tokens=None)
UNREACHED = Said(model="", status=0, tokens=None, is_sent=False)
KEY = "sk-known-to-nobody"
HI: Any = [{"role": "user", "content": "Grüß dich"}]
TEXT = "Grüße 🙂"


class Place:
    """A vendor, the proxy before it, and the clients of both vendors."""

    def __init__(self, stack: ExitStack, vendor: Vendor, meter: NotedMeter, **given: Any) -> None:
        self.vendor = vendor
        self.meter = meter
        upstreams = Upstreams(openai=f"{vendor.url}/v1", anthropic=vendor.url)
        self.proxy = stack.enter_context(Proxy(meter, upstreams, **given))
        own = {"api_key": KEY, "max_retries": 0}
        self.openai = stack.enter_context(
            openai.OpenAI(base_url=self.proxy.bases.openai, **own)  # pyright: ignore[reportArgumentType] - two kinds of value
        )
        self.anthropic = stack.enter_context(
            anthropic.Anthropic(base_url=self.proxy.bases.anthropic, **own)  # pyright: ignore[reportArgumentType] - two kinds of value
        )

    def chat(self, **given: Any) -> Any:
        """Ask for a chat."""
        create: Any = self.openai.chat.completions.create
        return create(model="gpt-4o", messages=HI, **given)

    def message(self, **given: Any) -> Any:
        """Ask for a message."""
        create: Any = self.anthropic.messages.create
        return create(model="claude-asked", max_tokens=500, messages=HI, **given)


class Opens(Protocol):
    """What opens a place before a vendor that answers so."""

    def __call__(
        self,
        answer: Answer | Callable[[Heard], Answer],
        denied: Denied | None = None,
        **given: Any,
    ) -> Place: ...


@pytest.fixture
def place() -> Generator[Opens]:
    """Return what opens a place before a vendor that answers so."""
    with ExitStack() as stack:

        def open_(
            answer: Answer | Callable[[Heard], Answer], denied: Denied | None = None, **given: Any
        ) -> Place:
            vendor = stack.enter_context(Vendor(answer))
            return Place(stack, vendor, NotedMeter(denied), **given)

        yield open_


def says(chunks: Any) -> str:
    """Return the text that a stream of a chat gave."""
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def test_a_chat_is_counted(place: Opens) -> None:
    """Model and tokens of question and answer, and nothing of ours reaches the vendor."""
    here = place(whole(CHAT))

    answer = here.chat(max_tokens=50, n=2, extra_headers={CALLER_HEADER: '["r1",2,null]'})

    assert answer.choices[0].message.content == TEXT
    [asked], [heard], [caller] = here.meter.asked, here.vendor.heard, here.meter.callers
    assert (asked.provider, asked.model, asked.most) == ("openai", "gpt-4o", 100)
    assert asked.size == len(heard.body)
    assert caller is not None
    assert (caller.run, caller.fence, caller.place) == ("r1", 2, None)
    assert (heard.method, heard.path) == ("POST", "/v1/chat/completions")
    assert heard.headers["authorization"] == f"Bearer {KEY}"
    assert CALLER_HEADER not in heard.headers
    assert heard.headers["host"] == here.vendor.url.removeprefix("http://")
    assert here.meter.said == [GPT]


def test_a_message_is_counted(place: Opens) -> None:
    """Tokens read are all of them, those from a cache and those put into one too."""
    here = place(whole(MESSAGE))

    answer = here.message()

    assert answer.content[0].text == TEXT
    assert here.vendor.heard[0].path == "/v1/messages"
    assert here.vendor.heard[0].headers["authorization"] == f"Bearer {KEY}"
    assert (here.meter.asked[0].provider, here.meter.asked[0].most) == ("anthropic", 500)
    assert here.meter.said == [CLAUDE]


def test_other_calls_of_openai_are_counted(place: Opens) -> None:
    """Responses and embeddings tell their tokens in other words."""
    here = place(lambda heard: whole(EMBEDDING if "embed" in heard.path else RESPONSE))

    response = here.openai.responses.create(model="gpt-4o", input="Hi", max_output_tokens=9)
    embedding = here.openai.embeddings.create(model="text-embedding-3-small", input="Hi")

    assert response.output_text == "Grüße"
    assert embedding.data[0].embedding == [0.5, 0.25]
    assert [asked.most for asked in here.meter.asked] == [9, 0]
    assert here.meter.said == [
        GPT,
        Said(model=EMBEDDING["model"], status=200, tokens=Tokens(read=8, cached=0, written=0)),
    ]


def test_a_stream_tells_tokens_although_nobody_asked(place: Opens) -> None:
    """The vendor is asked for them, and the client sees the chunks it asked for, and no other."""
    here = place(lambda heard: events(*chat_stream(heard)))

    chunks = list(here.chat(stream=True))
    raw = httpx.post(
        f"{here.proxy.bases.openai}/chat/completions",
        content=json.dumps({"model": "gpt-4o", "stream": True}),
    ).content

    assert says(chunks) == TEXT
    assert [chunk.usage for chunk in chunks] == [None, None, None]
    assert here.vendor.heard[0].json["stream_options"] == {"include_usage": True}
    assert raw == b"".join(events(*chat_stream(heard_plain())).chunks)
    assert here.meter.said == [GPT, GPT]


def heard_plain() -> Heard:
    """Return a request that does not ask for tokens."""
    return Heard(method="POST", path="", headers={}, body=b"{}")


def test_a_stream_that_asks_for_tokens_gets_them(place: Opens) -> None:
    """What the client asked for passes untouched, both ways."""
    here = place(lambda heard: events(*chat_stream(heard)))

    chunks = list(here.chat(stream=True, stream_options={"include_usage": True}))

    assert (len(chunks), chunks[-1].usage.total_tokens) == (4, 1100)
    assert here.meter.said == [GPT]


def test_other_streams_are_counted(place: Opens) -> None:
    """Responses and messages end with their tokens."""
    here = place(
        lambda heard: events(*(MESSAGE_STREAM if "messages" in heard.path else RESPONSE_STREAM))
    )

    response = list(here.openai.responses.create(model="gpt-4o", input="Hi", stream=True))
    with here.anthropic.messages.stream(model="claude-asked", max_tokens=9, messages=HI) as stream:
        message = stream.get_final_message()

    assert response[-1].type == "response.completed"
    assert message.content[0].text == TEXT  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - it is a text
    assert here.meter.said == [GPT, CLAUDE]


async def test_asynchronous_clients_are_counted(place: Opens) -> None:
    """Their streams too."""
    here = place(
        lambda heard: events(*(MESSAGE_STREAM if "messages" in heard.path else chat_stream(heard)))
    )
    theirs: Any = {"api_key": KEY, "max_retries": 0}

    async with openai.AsyncOpenAI(base_url=here.proxy.bases.openai, **theirs) as client:
        stream = await client.chat.completions.create(model="gpt-4o", messages=HI, stream=True)
        text = says([chunk async for chunk in stream])
    async with (
        anthropic.AsyncAnthropic(base_url=here.proxy.bases.anthropic, **theirs) as client,
        client.messages.stream(model="claude-asked", max_tokens=9, messages=HI) as stream,
    ):
        said = "".join([text async for text in stream.text_stream])

    assert (text, said) == (TEXT, TEXT)
    assert here.meter.said == [GPT, CLAUDE]


async def test_a_client_that_blocks_the_loop_is_answered(place: Opens) -> None:
    """The proxy runs beside the loop that a plain client stands still."""
    here = place(whole(CHAT))

    assert here.chat().choices[0].message.content == TEXT


def test_calls_of_tools_pass_byte_for_byte(place: Opens) -> None:
    """Neither spaces nor escapes nor numbers change, in a question or in an answer."""
    tools = b'{"stream" :true,"tools":[{"a":1.0, "b":1e400,"c":"\\u00e9"}],"model":"gpt-4o"}'
    call = (
        b'data: {"model":"m","choices":[{"delta":{"tool_calls":[{"function":{"arguments":'
        b'"{\\"usage\\":null,  \\"x\\": 1.50}"}}]}}], "usage": null}\r\n\r\n'
    )
    here = place(
        Answer(headers={"content-type": "text/event-stream"}, chunks=(call, b"data: [DONE]\n\n"))
    )

    got = httpx.post(f"{here.proxy.bases.openai}/chat/completions", content=tools).content

    assert got == call.replace(b', "usage": null', b"") + b"data: [DONE]\n\n"
    added = b'"stream_options":{"include_usage":true},'
    assert here.vendor.heard[0].body == b"{" + added + tools[1:]


def test_64_calls_at_once_are_each_counted(place: Opens) -> None:
    """None waits for another."""
    together = threading.Barrier(64, timeout=30)

    def answer(heard: Heard) -> Answer:
        together.wait()
        return events(*chat_stream(heard))

    here = place(answer)

    async def all_of_them() -> list[str]:
        async with openai.AsyncOpenAI(
            base_url=here.proxy.bases.openai, api_key=KEY, max_retries=0
        ) as client:

            async def one() -> str:
                stream = await client.chat.completions.create(
                    model="gpt-4o", messages=HI, stream=True
                )
                return says([chunk async for chunk in stream])

            return await asyncio.gather(*(one() for _ in range(64)))

    assert asyncio.run(all_of_them()) == [TEXT] * 64
    assert here.meter.said == [GPT] * 64


def test_a_stream_passes_as_it_comes(place: Opens) -> None:
    """The client has the first part while the vendor still holds the last one back."""
    hold = threading.Event()
    here = place(lambda heard: events(*chat_stream(heard), hold=hold))

    stream = iter(here.chat(stream=True))
    first = next(stream)

    assert says([first]) == "Grü"
    assert not hold.is_set()
    hold.set()
    assert says(stream) == "ße 🙂"
    assert here.meter.said == [GPT]


@pytest.mark.parametrize("streams", [True, False])
def test_a_client_that_leaves_ends_the_call(place: Opens, streams: bool) -> None:
    """The vendor sees it go, and the end is told once."""
    hold = threading.Event()
    first = chat_says("Grü")
    here = place(
        lambda _: events(first, first, hold=hold) if streams else Answer(chunks=(b"{}",), hold=hold)
    )

    if streams:
        stream = here.chat(stream=True)
        next(iter(stream))
        stream.response.close()
    else:
        with pytest.raises(openai.APITimeoutError):
            here.chat(timeout=0.3)

    assert here.vendor.left.wait(30)
    [said] = here.meter.when_ended()
    assert (said.status, said.tokens) == (0, None)


def test_what_is_denied_is_raised_at_once(place: Opens) -> None:
    """Both vendors' clients raise it with code and words, and do not try again."""
    denied = Denied(code="over-budget", message="the budget of 20 USD is spent")
    here = place(whole(CHAT), denied)
    here.openai.max_retries = here.anthropic.max_retries = 5

    with pytest.raises(openai.PermissionDeniedError, match="20 USD is spent") as raised:
        here.chat(stream=True)
    with pytest.raises(anthropic.PermissionDeniedError, match="20 USD is spent") as other:
        here.message()

    assert raised.value.code == "over-budget"
    body: Any = other.value.body
    assert body["error"] == {
        "type": "permission_error",
        "code": denied.code,
        "message": denied.message,
    }
    assert len(here.meter.asked) == 2
    assert here.vendor.heard == []


@pytest.mark.parametrize("status", [400, 429, 500, 529])
def test_an_error_of_the_vendor_passes(place: Opens, status: int) -> None:
    """Status, headers and body are the vendor's own."""
    told = {"type": "error", "error": {"type": "overloaded_error", "message": "too much"}}
    here = place(whole(told, status, retry_after="7", request_id="req_1"))

    with pytest.raises(openai.APIStatusError) as raised:
        here.chat()
    with pytest.raises(anthropic.APIStatusError) as other:
        here.message()

    for error in (raised.value, other.value):
        assert (error.status_code, error.response.headers["retry-after"]) == (status, "7")
        assert error.response.json() == told
    assert here.meter.said == [Said(model="", status=status, tokens=None)] * 2


def test_a_vendor_that_nobody_reaches_is_a_502() -> None:
    """The meter is told that no answer came, and that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    meter = NotedMeter()
    upstreams = Upstreams(openai=f"http://127.0.0.1:{port}", anthropic=f"http://127.0.0.1:{port}")

    with Proxy(meter, upstreams) as proxy, httpx.Client() as client:
        first = client.post(f"{proxy.bases.openai}/responses", json={"model": "m"})
        other = client.post(f"{proxy.bases.anthropic}/v1/messages", json={"model": "m"})

    assert (first.status_code, other.status_code) == (502, 502)
    assert first.json()["error"]["code"] == "upstream-unreachable"
    assert other.json()["error"]["type"] == "api_error"
    assert meter.said == [UNREACHED, UNREACHED]


def test_a_request_that_cannot_be_written_is_a_502() -> None:
    """An address that is too long with the vendor's own before it is no error of the proxy's."""
    meter = NotedMeter()
    upstreams = Upstreams(openai=f"http://127.0.0.1:1/{'v' * 1_000}")

    with Proxy(meter, upstreams) as proxy, httpx.Client() as client:
        url = f"{proxy.bases.openai}/{'x' * 65_000}"
        answer = client.post(url, json={"model": "m"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream-unreachable")
    assert meter.said == [UNREACHED]


def test_a_vendor_that_is_silent_is_a_504() -> None:
    """It is given up after the proxy's patience."""
    silent = socket.create_server(("127.0.0.1", 0))
    meter = NotedMeter()
    upstreams = Upstreams(openai=f"http://127.0.0.1:{silent.getsockname()[1]}")

    with silent, Proxy(meter, upstreams, patience=0.2) as proxy, httpx.Client() as client:
        answer = client.post(f"{proxy.bases.openai}/responses", json={"model": "m"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream-timed-out")
    assert meter.said == [NOBODY]


@pytest.mark.parametrize("streams", [True, False])
def test_an_answer_that_is_cut_stays_cut(place: Opens, streams: bool) -> None:
    """The client cannot take it for a whole one, and neither does the meter."""
    cut = Answer(chunks=(b'{"id":',), is_cut=True)
    here = place(lambda heard: events(*chat_stream(heard)[:2], is_cut=True) if streams else cut)

    with pytest.raises((openai.APIConnectionError, openai.APIError, Exception)) as raised:
        list(here.chat(stream=True)) if streams else here.chat()

    assert "ProtocolError" in repr([raised.value, raised.value.__cause__])
    [said] = here.meter.when_ended()
    assert (said.status, said.tokens) == (0, None)


def test_an_error_within_a_stream_is_no_answer(place: Opens) -> None:
    """Both vendors' clients raise it, and the meter knows that no answer came."""
    broken = {"error": {"message": "overloaded", "type": "server_error"}}
    failed = {"type": "error", "error": {"type": "overloaded_error", "message": "too much"}}
    here = place(
        lambda heard: (
            events(*MESSAGE_STREAM[:2], failed)
            if "messages" in heard.path
            else events(chat_says("Gr"), broken, "[DONE]")
        )
    )

    with pytest.raises(openai.APIError, match="overloaded"):
        list(here.chat(stream=True))
    with pytest.raises(anthropic.APIStatusError, match="too much"):
        list(here.message(stream=True))

    assert [(said.status, said.tokens) for said in here.meter.when_ended()] == [(0, None)] * 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(headers={"content-type": "text/html"}, chunks=(b"<html>",)),
        Answer(),
        Answer(chunks=(b"[1]",)),
        Answer(chunks=(b'{"model":7,"usage":{"prompt_tokens":-1}}',)),
        Answer(chunks=(b'{"model":null,"usage":{"prompt_tokens":true}}',)),
        Answer(chunks=(b"[" * 100_000,)),
        Answer(chunks=(b'{"model":"\xff"}',)),
    ],
)
def test_an_answer_that_says_nothing_passes(place: Opens, answer: Answer) -> None:
    """It is counted, with a model and tokens that nobody knows."""
    here = place(answer)

    got = httpx.post(f"{here.proxy.bases.openai}/chat/completions", json={"model": "gpt-4o"})

    assert got.content == b"".join(answer.chunks)
    assert got.headers["content-type"] == answer.headers["content-type"]
    assert here.meter.when_ended() == [Said(model="", status=200, tokens=None)]


def test_a_squeezed_answer_is_read(place: Opens) -> None:
    """A vendor is asked for plain content, and one that squeezes it all the same is understood."""
    here = place(
        lambda heard: squeezed(
            events(*chat_stream(heard)) if heard.json.get("stream") else whole(CHAT)
        )
    )

    answer = here.chat()
    chunks = list(here.chat(stream=True))

    assert (answer.choices[0].message.content, says(chunks)) == (TEXT, TEXT)
    assert here.vendor.heard[0].headers["accept-encoding"] == "identity"
    assert here.meter.said == [GPT, GPT]


def test_what_cannot_be_unsqueezed_is_cut(place: Opens) -> None:
    """Content that is not what its header says is no answer."""
    here = place(Answer(headers={"content-encoding": "gzip"}, chunks=(b"no gzip",)))

    with pytest.raises(openai.APIConnectionError):
        here.chat()

    assert here.meter.said == [NOBODY]


def test_an_encoding_that_we_cannot_read_passes(place: Opens) -> None:
    """The client may know it; its tokens are not known."""
    here = place(Answer(headers={"content-encoding": "snappy"}, chunks=(b"odd",)))

    got = httpx.post(f"{here.proxy.bases.openai}/responses", json={"model": "m"})

    assert (got.headers["content-encoding"], got.content) == ("snappy", b"odd")
    assert here.meter.said == [Said(model="", status=200, tokens=None)]


def test_what_is_no_call_passes_uncounted(place: Opens) -> None:
    """Lists, files and counts of tokens are not counted; their answers are the vendor's."""
    models = {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "created": 1}]}
    file = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "purpose": "batch"}
    given = {"/v1/models?limit=2": models, "/v1/files": file}
    here = place(lambda heard: whole(given.get(heard.path, {"input_tokens": 7})))

    listed = here.openai.models.list(extra_query={"limit": 2})
    uploaded = here.openai.files.create(file=("a.jsonl", b"{}\n"), purpose="batch")
    counted = here.anthropic.messages.count_tokens(model="claude-asked", messages=HI)

    assert (listed.data[0].id, uploaded.id, counted.input_tokens) == ("gpt-4o", "file-1", 7)
    assert here.meter.asked == []
    assert b'name="file"; filename="a.jsonl"' in here.vendor.heard[1].body


def test_what_names_a_model_is_counted_on_any_path(place: Opens) -> None:
    """A new kind of call does not go past the meter; what it took is not known."""
    here = place(whole({"model": "gpt-image-1", "usage": {"input_tokens": 3, "output_tokens": 9}}))

    httpx.post(f"{here.proxy.bases.openai}/images/generations", json={"model": "gpt-image-1"})

    assert here.meter.asked[0].model == "gpt-image-1"
    assert here.meter.said == [Said(model="gpt-image-1", status=200, tokens=None)]


def test_a_call_is_not_redirected_past_the_meter(place: Opens) -> None:
    """It ends in words that say what to set; what is no call is followed."""

    def answer(heard: Heard) -> Answer:
        if heard.path == "/v1/elsewhere":
            return whole({"found": True})
        return Answer(status=307, headers={"location": "/v1/elsewhere"})

    here = place(answer)

    with pytest.raises(openai.InternalServerError, match="redirects elsewhere"):
        here.chat()
    found = httpx.get(f"{here.proxy.bases.openai}/files/1/content").json()

    assert found == {"found": True}
    assert here.meter.said == [NOBODY]


@pytest.mark.parametrize(
    "path", ["", "/", "/wrong/openai/v1/models", "/{token}", "/{token}/openai/v1x"]
)
def test_nobody_calls_without_the_secret(place: Opens, path: str) -> None:
    """Another path reaches no vendor."""
    here = place(whole({}))
    root, _, token = here.proxy.address.rpartition("/")

    got = httpx.post(root + path.format(token=token), json={"model": "m"})

    assert (got.status_code, got.json()["error"]["code"]) == (404, "no-such-path")
    assert (here.vendor.heard, here.meter.asked) == ([], [])


def test_a_body_past_the_bound_is_refused(place: Opens) -> None:
    """In the vendor's words, and nothing is asked or sent."""
    here = place(whole(CHAT), largest=200_000)

    with pytest.raises(openai.APIStatusError, match="more than 200000 bytes") as raised:
        here.chat(user="x" * 5_000_000)
    with pytest.raises(anthropic.APIStatusError, match="more than 200000 bytes"):
        here.message(system="x" * 300_000)

    assert raised.value.status_code == 413
    assert (here.vendor.heard, here.meter.asked) == ([], [])


def test_a_compressed_request_is_refused(place: Opens) -> None:
    """Nobody could say which model it asks for."""
    here = place(whole(CHAT))

    got = httpx.post(
        f"{here.proxy.bases.openai}/responses",
        content=b"\x1f\x8b",
        headers={"content-encoding": "gzip"},
    )

    assert (got.status_code, got.json()["error"]["code"]) == (415, "compressed-request")
    assert (here.vendor.heard, here.meter.asked) == ([], [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model":7}', b'{"model":"\xff"}'])
def test_a_call_that_cannot_be_read_is_counted(place: Opens, body: bytes) -> None:
    """The vendor says what is wrong with it; the model is not known."""
    here = place(whole({"error": {"message": "no"}}, 400))

    got = httpx.post(f"{here.proxy.bases.openai}/chat/completions", content=body)

    assert (got.status_code, here.vendor.heard[0].body) == (400, body)
    assert (here.meter.asked[0].model, here.meter.asked[0].size) == ("", len(body))
    assert here.meter.said == [Said(model="", status=400, tokens=None)]


def test_stopping_leaves_nothing() -> None:
    """Neither thread nor port, and a call under way has ended."""
    meter, hold = NotedMeter(), threading.Event()
    failed: list[Exception] = []
    with Vendor(Answer(chunks=(b"{}",), hold=hold)) as vendor:
        proxy = Proxy(meter, Upstreams(openai=vendor.url))
        proxy.start()
        url = f"{proxy.bases.openai}/responses"

        def call() -> None:
            try:
                httpx.post(url, json={"model": "m"})
            except httpx.HTTPError as error:
                failed.append(error)

        caller = threading.Thread(target=call)
        caller.start()
        while not vendor.heard:
            time.sleep(0.01)  # noqa: TID251 - the call is on its way, over a real wire
        proxy.stop()
        proxy.stop()
        caller.join()

        assert vendor.left.wait(30)
    assert len(failed) == 1
    assert [said.status for said in meter.said] == [0]
    assert "proveout-models" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_proxy_is_started_once() -> None:
    """It says so; and it has no address before."""
    proxy = Proxy(NotedMeter())
    with pytest.raises(Mistake, match="no address yet"):
        _ = proxy.bases

    with proxy, pytest.raises(Mistake, match="started before"):
        proxy.start()


def test_the_key_is_in_no_log(place: Opens, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is logged of a call, its key is not."""
    caplog.set_level("DEBUG")
    here = place(Answer(chunks=(b"x",), is_cut=True))

    with pytest.raises(openai.APIConnectionError):
        here.chat()
    here.meter.when_ended()

    assert KEY not in caplog.text
    assert "ASGI" not in caplog.text
    assert chat_chunk()["id"] not in caplog.text
