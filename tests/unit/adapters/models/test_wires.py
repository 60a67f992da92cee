"""An answer is read the same however it is cut, and the client gets the same bytes."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles.vendor import MESSAGE, MESSAGE_STREAM, RESPONSE_STREAM, chat_stream, event
from proveout.adapters.models import answer as answers
from proveout.adapters.models.answer import Answer
from proveout.adapters.models.anthropic import AnthropicFacts
from proveout.adapters.models.anthropic import question as ask_anthropic
from proveout.adapters.models.openai import OpenAiFacts, without_usage
from proveout.adapters.models.openai import question as ask_openai
from proveout.adapters.models.sse import Events
from proveout.domain.model_call import Tokens
from proveout.ports.meter import Said

SSE = "text/event-stream"
ENDS = (b"\n", b"\r\n", b"\r")
STREAMS: dict[str, tuple[tuple[Any, ...], Any, Any]] = {
    "chat": (chat_stream(None), OpenAiFacts, without_usage),
    "chat whole": (chat_stream(None), OpenAiFacts, None),
    "responses": (RESPONSE_STREAM, OpenAiFacts, None),
    "messages": (MESSAGE_STREAM, AnthropicFacts, None),
}


def read(stream: bytes, cuts: list[int], facts: Any, trim: Any) -> tuple[bytes, Said]:
    """Return what the client gets and what the meter is told, of a stream cut at `cuts`."""
    one = Answer(200, SSE, facts(), trim)
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    passed = b"".join(one.feed(stream[a:b]) for a, b in pairwise(edges))
    return passed + one.rest(), one.said(complete=True)


@given(
    name=st.sampled_from(sorted(STREAMS)),
    end=st.sampled_from(ENDS),
    length=st.integers(0, 4000),
    cuts=st.lists(st.integers(0, 4000)),
)
def test_chunks_make_no_difference(name: str, end: bytes, length: int, cuts: list[int]) -> None:
    """Within a character, an event or a line's end, of a whole stream or of one that is cut."""
    values, facts, trim = STREAMS[name]
    stream = b"".join(map(event, values)).replace(b"\n", end)[:length]

    assert read(stream, cuts, facts, trim) == read(stream, [], facts, trim)


@given(text=st.text("ab:\r\n").map(str.encode), cuts=st.lists(st.integers(0, 200)))
def test_events_lose_no_byte(text: bytes, cuts: list[int]) -> None:
    """Whatever comes is in an event or is held, in its order."""
    events, edges = Events(), [0, *sorted(c % (len(text) + 1) for c in cuts), len(text)]

    found = [one for a, b in pairwise(edges) for one in events.feed(text[a:b])]

    whole = Events()
    assert (found, events.held) == (whole.feed(text), whole.held)
    assert b"".join(found) + events.held == text


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_each_stream_is_whole_only_at_its_end(name: str) -> None:
    """Whatever is missing, the call did not come to its end, unless only a mark is missing."""
    values, facts, trim = STREAMS[name]
    events = [event(value) for value in values]
    stored = 100 if name == "messages" else 0
    tokens = Tokens(read=1000, cached=200, written=100, stored=stored)

    statuses = [read(b"".join(events[:n]), [], facts, trim)[1].status for n in range(len(events))]
    passed, said = read(b"".join(events), [], facts, trim)

    assert not any(statuses[:-3])
    assert (said.status, said.tokens) == (200, tokens)
    assert trim is not None or passed == b"".join(events)


def test_what_a_cache_keeps_for_an_hour_is_told_apart() -> None:
    """It costs more than what is kept for minutes; never more tokens than were put into it."""
    facts = AnthropicFacts()
    usage = {**MESSAGE["usage"], "cache_creation": {"ephemeral_1h_input_tokens": 60}}

    facts.note({**MESSAGE, "usage": usage})
    assert facts.tokens == Tokens(read=1000, cached=200, written=100, stored=100, stored_hour=60)

    usage["cache_creation"] = {"ephemeral_1h_input_tokens": 999}
    facts.note({**MESSAGE, "usage": usage})
    assert facts.tokens is not None
    assert facts.tokens.stored_hour == 100


@pytest.mark.parametrize(
    ("control", "stores"),
    [
        (None, (False, False)),
        ({"type": "ephemeral"}, (True, False)),
        ({"type": "ephemeral", "ttl": "1h"}, (True, True)),
    ],
)
def test_a_request_that_fills_a_cache_says_so(control: Any, stores: tuple[bool, bool]) -> None:
    """What it may cost is estimated by it."""
    system = [{"type": "text", "text": "Be brief", "cache_control": control}]
    body = json.dumps({"model": "m", "max_tokens": 1, "system": system if control else "Be brief"})

    found = ask_anthropic("POST", "/v1/messages", body.encode())

    assert found is not None
    assert (found.asked.stores, found.asked.stores_hour) == stores


def test_a_client_sees_no_tokens_that_it_did_not_ask_for() -> None:
    """The chunk that holds only them is taken out, and their empty place in the others."""
    passed, _ = read(b"".join(map(event, chat_stream(None))), [], OpenAiFacts, without_usage)

    assert b"usage" not in passed
    assert passed.endswith(b"data: [DONE]\n\n")
    assert passed.count(b"data: ") == 4


@pytest.mark.parametrize(
    "kept",
    [
        b'data: {"choices":[],"usage":null,"y":{"a":1,"usage":null}}\n\n',
        b'data: {"choices":[{"index":0}],"usage":{"total_tokens":3}}\n\n',
        b'data: {"usage"\n\n',
        b": usage\n\n",
    ],
)
def test_an_event_that_holds_more_is_kept(kept: bytes) -> None:
    """Only what is surely ours is taken out."""
    assert without_usage(kept) == kept


def test_what_is_too_large_to_be_read_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte of it, and nothing is known of its tokens."""
    monkeypatch.setattr(answers, "LARGEST", 10)
    whole = Answer(200, "application/json", AnthropicFacts())
    stream = Answer(200, SSE, OpenAiFacts(), without_usage)
    body = json.dumps(MESSAGE).encode()

    got = whole.feed(body) + whole.feed(b" ") + whole.rest()
    streamed = stream.feed(b"data: 1234567890") + stream.feed(b"1\n\n") + stream.rest()

    assert (got, streamed) == (body + b" ", b"data: 12345678901\n\n")
    assert whole.said(complete=True) == Said(model="", status=200, tokens=None)


@pytest.mark.parametrize(
    ("path", "value", "most"),
    [
        ("/chat/completions", {"max_tokens": 5, "max_completion_tokens": 7}, 7),
        ("/chat/completions", {"max_tokens": 5, "n": 3}, 15),
        ("/chat/completions", {"max_tokens": -5}, None),
        ("/chat/completions", {"max_tokens": True}, None),
        ("/chat/completions", {}, None),
        ("/chat/completions/", {"max_tokens": 5}, 5),
        ("/completions", {"max_tokens": 5, "best_of": 4, "prompt": ["a", "b"]}, 40),
        ("/completions", {"max_tokens": 5, "prompt": [1, 2, 3]}, 5),
        ("/responses", {"max_output_tokens": 5}, 5),
        ("/embeddings", {"input": "x"}, 0),
    ],
)
def test_a_question_says_how_long_its_answers_may_be(
    path: str, value: dict[str, Any], most: int | None
) -> None:
    """All of them together; it is not known where the request does not say."""
    found = ask_openai("POST", path, json.dumps({"model": "m", **value}).encode())

    assert found is not None
    assert found.asked.most == most


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"include_usage": False}, {}),
        ({"include_obfuscation": False}, {"include_obfuscation": False}),
        ({}, {}),
        (None, {}),
        (7, {}),
    ],
)
def test_tokens_are_asked_for_beside_what_the_client_asks(options: Any, kept: Any) -> None:
    """Its other options stay."""
    given = {"model": "m", "stream": True, "stream_options": options, "seed": 1.5}

    found = ask_openai("POST", "/chat/completions", json.dumps(given).encode())

    assert found is not None
    assert found.trim is without_usage
    assert json.loads(found.body) == {
        **given,
        "stream_options": {**kept, "include_usage": True},
    }


@pytest.mark.parametrize("more", [{"stream_options": {"include_usage": True}}, {"stream": 1}])
def test_a_question_that_needs_nothing_is_sent_as_it_is(more: dict[str, Any]) -> None:
    """Neither one that asks for its tokens, nor one that does not stream, is changed."""
    body = json.dumps({"model": "m", "stream": True, **more}).encode()

    found = ask_openai("POST", "/chat/completions", body)

    assert found is not None
    assert (found.body, found.trim) == (body, None)


@pytest.mark.parametrize("ask", [ask_openai, ask_anthropic])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/responses/resp_1", b""),
        ("GET", "/v1/messages", b""),
        ("POST", "/files", b"--x"),
        ("POST", "/moderations", b"{}"),
    ],
)
def test_what_asks_no_model_is_no_question(ask: Any, method: str, path: str, body: bytes) -> None:
    """It is not counted."""
    assert ask(method, path, body) is None
