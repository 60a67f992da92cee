"""A candidate at an address: real sockets, and every way in which one may not answer."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from doubles.answering import Asked, Vendor, reply, vendor
from proveout.adapters.candidates import http
from proveout.adapters.candidates.http import OverHttp
from proveout.domain.experiment import Endpoint
from proveout.ports.elsewhere import (
    LARGEST_ANSWER,
    NoAnswer,
    NotAskable,
    PrivateAddress,
    TurnedAway,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from proveout.adapters.candidates.network import Resolve

SECRET = "Bearer sk-a1b2c3d4"  # noqa: S105 - nobody's
SOON = timedelta(seconds=0.3)
LONG = timedelta(seconds=30)


def knows(*addresses: str) -> Resolve:
    """Return a resolver that knows these addresses of every host."""

    async def resolve(host: str, port: int) -> list[str]:
        del host, port
        return list(addresses)

    return resolve


def endpoint(seen: Vendor, **changes: Any) -> Endpoint:
    usual: dict[str, Any] = {
        "url": f"http://127.0.0.1:{seen.port}/v1?a=b",
        "timeout": LONG,
        "allow_private": ("127.0.0.1",),
    }
    return Endpoint(**{**usual, **changes})


async def answer_of(
    answer: Callable[[Asked], bytes | None], *, closes: bool = False, **changes: Any
) -> Any:
    async with vendor(answer, closes=closes) as seen:
        return await put(endpoint(seen, **changes), {"n": 1})


async def put(
    asked: Endpoint, *values: Any, environ: dict[str, str] | None = None, **how: Any
) -> Any:
    """Return the answer to the last of some values."""
    over = OverHttp(asked, environ or {"KEY": SECRET}, **how)
    found = None
    try:
        await over.ready()
        for value in values:
            found = await over.answer(value)
    finally:
        await over.close()
    return found


async def failure_of(answer: Callable[[Asked], bytes | None], **changes: Any) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        await answer_of(answer, **changes)
    return caught.value


# What is sent, and what is taken


async def test_the_input_is_posted_and_the_answer_taken() -> None:
    """As JSON both ways, with the secrets of the environment, over one connection."""
    async with vendor(lambda asked: reply(json.dumps([asked.value]).encode())) as seen:
        asked = endpoint(seen, headers_env=(("Authorization", "KEY"),))

        found = await put(asked, {"n": "ä"}, 2)

    first = seen.asked[0]
    assert found == [2]
    assert (first.method, first.target, first.value) == ("POST", "/v1?a=b", {"n": "ä"})
    assert first.headers["host"] == f"127.0.0.1:{seen.port}"
    assert first.headers["content-type"] == "application/json"
    assert first.headers["authorization"] == SECRET
    assert (len(seen.asked), seen.connections) == (2, 1)


@pytest.mark.parametrize(
    ("body", "found"),
    [(b"null", None), (b" 1.5\n", 1.5), (b'"\\u00e4"', "ä"), (b'{"a": [true]}', {"a": [True]})],
)
async def test_any_json_is_an_answer(body: bytes, found: object) -> None:
    assert await answer_of(lambda _: reply(body, "201 Created")) == found


async def test_a_body_without_a_length_is_whole_when_its_chunks_are() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert await answer_of(lambda _: head + b"1\r\n[\r\n2\r\n1]\r\n0\r\n\r\n") == [1]


# What is no answer


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            reply(b"<html>\n <b>Sorry</b>", "502 Bad Gateway"),
            'status 502, then "<html> <b>Sorry</b>"',
        ),
        (reply(b"no such thing", "404 Not Found"), 'status 404, then "no such thing"'),
        (reply(b"<html>"), 'no JSON; status 200, then "<html>"'),
        (reply(b""), "no JSON; status 200, then nothing"),
        (reply(b"", "204 No Content"), "no JSON; status 204, then nothing"),
        (reply(b"[NaN]"), "no JSON"),
        (reply(b"1e999"), "no JSON"),
        (reply(b"[" * 100_000), "no JSON"),
        (reply(b"1" * 5_000), "no JSON"),
        (reply(b"\xff\xfe\x00"), "no JSON"),
        (reply(b"1 2"), "no JSON"),
        (
            reply(b'{"team": "a", "team": "b"}'),
            'no one value: the key "team" stands twice; status 200, then "{',
        ),
        (
            reply(b"", "302 Found", Location="http://127.0.0.1/x"),
            '; it leads to "http://127.0.0.1/x", and redirects are not followed',
        ),
        (reply(b"", "307 Temporary Redirect", Location="/x"), "redirects are not followed"),
        (
            reply(gzip.compress(b"1", mtime=0), Content_Encoding="gzip"),
            'encoded as "gzip", which was not asked for',
        ),
    ],
)
async def test_what_is_no_answer_is_told_with_its_status_and_beginning(
    sent: bytes, said: str
) -> None:
    """A vendor answers HTML, sends on, or sends nothing: all of it is one failed trial."""
    failure = await failure_of(lambda _: sent)

    assert said in failure.message
    assert not isinstance(failure, TurnedAway)


async def test_a_redirect_is_asked_for_once() -> None:
    """Where it leads to is never connected to, not even at the same host."""
    async with vendor(lambda _: reply(b"", "308 Permanent Redirect", Location="/v1?a=b")) as seen:
        with pytest.raises(NoAnswer, match="status 308"):
            await put(endpoint(seen), 1)

    assert len(seen.asked) == 1


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "nothing came"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "nothing came"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1]", 'status 200, then "[1]"'),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n", 'then "[1]"'),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "nothing came"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000, "nothing came"),
    ],
)
async def test_an_answer_that_is_cut_is_none(sent: bytes, said: str) -> None:
    """`[1]` would be JSON; what its length promised never came."""
    failure = await failure_of(lambda _: sent, closes=True)

    assert failure.message.startswith("no whole answer: ")
    assert said in failure.message


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (None, "nothing came"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1]", 'status 200, then "[1]"'),
    ],
)
async def test_an_answer_that_is_late_is_none(sent: bytes | None, said: str) -> None:
    failure = await failure_of(lambda _: sent, timeout=SOON)

    assert failure.message == f"no whole answer within 300 ms; {said}"


async def test_an_endless_body_is_cut_off() -> None:
    """Nobody waits for its end, nor keeps more of it than the limit and a little."""
    head = b"HTTP/1.1 200 OK\r\n\r\n"

    failure = await failure_of(lambda _: head + b" " * (LARGEST_ANSWER + 1))

    assert failure.message == "more than 1,048,576 bytes came; status 200, then nothing"


async def test_nobody_listens() -> None:
    async with vendor(lambda _: None) as seen:
        pass

    with pytest.raises(NoAnswer, match=r"no whole answer: .*; nothing came"):
        await put(endpoint(seen), 1)


async def test_after_a_failure_it_is_asked_as_before() -> None:
    """A connection that broke is not used again."""
    async with vendor(
        lambda asked: reply(b"1") if asked.value == 1 else b"nonsense\r\n\r\n"
    ) as seen:
        over = OverHttp(endpoint(seen), {})
        await over.ready()
        found = [await over.answer(1)]
        with pytest.raises(NoAnswer):
            await over.answer(2)
        found.append(await over.answer(1))
        await over.close()

    assert found == [1, 1]


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
async def test_who_asks_to_come_again_later_says_when(status: str) -> None:
    """The engine reads the header, as it does of every error."""
    failure = await failure_of(lambda _: reply(b"busy", status, Retry_After="7", Cookie="a=b"))

    assert isinstance(failure, TurnedAway)
    assert failure.headers == {"retry-after": "7"}
    assert failure.message == f'status {status[:3]}, then "busy"'


# Secrets


@pytest.mark.parametrize("value", [None, "", "two\nlines", "ends with a blank ", "\0", "käse"])
async def test_a_secret_that_no_header_can_hold_is_told_before_the_first_call(
    value: str | None,
) -> None:
    """By the name of its variable; what it holds is not shown."""
    environ = {"OTHER": "x"} | ({} if value is None else {"KEY": value})
    async with vendor(lambda _: reply(b"1")) as seen:
        asked = endpoint(seen, headers_env=(("Authorization", "KEY"),))
        with pytest.raises(NotAskable, match="the variable KEY ") as caught:
            await put(asked, 1, environ=environ)

    assert seen.connections == 0
    assert not value or value not in f"{caught.value} {caught.value.why} {caught.value.fix}"


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error", "429 Too Many"])
async def test_a_secret_that_is_sent_back_is_not_kept(status: str) -> None:
    """Error pages show headers; neither the whole value nor the key in it goes on."""

    def echo(asked: Asked) -> bytes:
        sent = asked.headers["authorization"]
        return reply(f"<p>{sent}, {sent.split()[1]}</p>".encode(), status, Location=f"/{sent}")

    failure = await failure_of(echo, headers_env=(("Authorization", "KEY"),))

    assert "sk-a1b2" not in repr(failure.__dict__)
    assert "<p>[secret], [secret]</p>" in failure.message


async def test_a_secret_is_not_kept_in_an_answer_either() -> None:
    """The scheme before it is no secret: answers may speak of a Bearer."""

    def echo(asked: Asked) -> bytes:
        return reply(json.dumps(asked.headers | {"word": "Bearer"}).encode())

    found = await answer_of(echo, headers_env=(("Authorization", "KEY"),))

    assert (found["authorization"], found["word"]) == ("[secret]", "Bearer")


async def test_a_secret_in_a_broken_status_line_is_not_kept() -> None:
    failure = await failure_of(
        lambda asked: f"ECHO {asked.headers['authorization']}\r\n\r\n".encode(),
        headers_env=(("Authorization", "KEY"),),
    )

    assert "sk-a1b2" not in failure.message
    assert "[secret]" in failure.message


# Addresses


async def test_a_private_address_is_refused_before_anything_is_sent() -> None:
    """By what the name resolves to, whatever it is called."""
    async with vendor(lambda _: reply(b"1")) as seen:
        asked = endpoint(seen, url=f"http://vendor.example:{seen.port}/", allow_private=())
        with pytest.raises(PrivateAddress, match=r"vendor.example stands at 127.0.0.1"):
            await put(asked, 1, resolve=knows("127.0.0.1"))

    assert seen.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::1]"])
async def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    async with vendor(lambda _: reply(b"1")) as seen:
        asked = endpoint(seen, url=f"http://{host}:{seen.port}/", allow_private=())
        with pytest.raises(PrivateAddress):
            await put(asked, 1)

    assert seen.connections == 0


async def test_a_name_that_moves_to_a_private_address_is_refused_in_the_trial() -> None:
    """DNS may say one thing when it is checked and another when it is called."""
    answers = iter([["192.0.2.1", "1.1.1.1"], ["127.0.0.1"]])

    async def resolve(host: str, port: int) -> list[str]:
        del host, port
        return next(answers)

    async with vendor(lambda _: reply(b"1")) as seen:
        asked = endpoint(seen, url=f"http://vendor.example:{seen.port}/", allow_private=())
        over = OverHttp(asked, {}, resolve)
        await over.ready()
        with pytest.raises(PrivateAddress):
            await over.answer(1)
        await over.close()

    assert seen.connections == 0


async def test_what_was_checked_is_what_is_connected_to() -> None:
    """The name is resolved once a connection, and by nobody else: it exists nowhere."""
    resolved: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        resolved.append(f"{host}:{port}")
        return ["127.0.0.1"]

    async with vendor(lambda _: reply(b"1")) as seen:
        url = f"http://vendor.example:{seen.port}/"
        asked = endpoint(seen, url=url, allow_private=("Vendor.Example",))
        found = await put(asked, 1, resolve=resolve)

    assert found == 1
    assert seen.asked[0].headers["host"] == f"vendor.example:{seen.port}"
    assert resolved == [f"vendor.example:{seen.port}"] * 2  # when it was checked, and called


async def test_a_host_with_several_addresses_is_asked_at_one_that_answers() -> None:
    async with vendor(lambda _: reply(b"1")) as seen:
        asked = endpoint(seen, url=f"http://localhost:{seen.port}/", allow_private=("localhost",))

        assert await put(asked, 1, resolve=knows("::1", "127.0.0.1")) == 1


async def test_a_host_that_nobody_knows_is_an_outage_before_the_first_call() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError(f"{host}:{port} is unknown")

    asked = Endpoint(url="https://nowhere.invalid/", timeout=LONG)

    with pytest.raises(NoAnswer, match=r"nowhere.invalid cannot be found") as caught:
        await put(asked, 1, resolve=resolve)

    assert caught.value.why == "nowhere.invalid:443 is unknown"


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect to whatever it is told, behind the check of addresses."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert await answer_of(lambda _: reply(b"1")) == 1


# TLS


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a certificate for vendor.example, with its key, that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor.example")])
    now = datetime.now(UTC)  # noqa: TID251 - OpenSSL reads the real clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("vendor.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "vendor.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def speaks(certificate: Path, names: list[str | None]) -> ssl.SSLContext:
    """Return the vendor's side of TLS, which notes the names that it is called by."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)

    def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        names.append(name)

    tls.sni_callback = note
    return tls


async def test_tls_is_spoken_with_the_name_and_not_with_the_address(certificate: Path) -> None:
    names: list[str | None] = []
    async with vendor(lambda _: reply(b"1"), speaks(certificate, names)) as seen:
        url = f"https://vendor.example:{seen.port}/"
        asked = endpoint(seen, url=url, allow_private=("vendor.example",))

        found = await put(asked, 1, resolve=knows("127.0.0.1"))

    assert (found, names) == (1, ["vendor.example"])


async def test_who_shows_the_certificate_of_another_is_not_asked(certificate: Path) -> None:
    async with vendor(lambda _: reply(b"1"), speaks(certificate, [])) as seen:
        url = f"https://other.example:{seen.port}/"
        asked = endpoint(seen, url=url, allow_private=("other.example",))
        with pytest.raises(NoAnswer, match="certificate verify failed"):
            await put(asked, 1, resolve=knows("127.0.0.1"))

    assert seen.asked == []


async def test_many_are_asked_at_once() -> None:
    """No connection waits for another: as many as there are trials in flight."""
    arrived = asyncio.Event()
    count = 0

    def answer(_: Asked) -> bytes:
        nonlocal count
        count += 1
        if count == 20:
            arrived.set()
        return b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" if count < 20 else reply(b"1")

    async with vendor(answer) as seen:
        over = OverHttp(endpoint(seen, timeout=SOON * 10), {})
        await over.ready()
        asking = [asyncio.create_task(over.answer(n)) for n in range(20)]
        await asyncio.wait_for(arrived.wait(), 10)
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await over.close()

    assert seen.connections == 20


def test_idle_connections_go_before_the_vendor_closes_them() -> None:
    """The shortest time that a usual server keeps one is five seconds."""
    assert http.IDLE < 5
