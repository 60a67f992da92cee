"""A candidate at an address: the input is posted as JSON, the answer is taken as JSON."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpcore
import httpx

from proveout.adapters.candidates.network import PublicNetwork, resolve
from proveout.adapters.candidates.reading import SHOWN, NoJson, beginning, read_json
from proveout.domain.duration import say_duration, shown
from proveout.ports.elsewhere import LARGEST_ANSWER, NoAnswer, NotAskable, TurnedAway

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.adapters.candidates.network import Resolve
    from proveout.domain.case import Json
    from proveout.domain.experiment import Endpoint

LATER = {429, 503}
"""Statuses that ask to be called again later."""

IDLE = 2.0
"""Seconds for which a connection is kept; servers close theirs after five or more."""

LEAST_SECRET = 8
"""Characters; what is shorter stands in answers by chance."""

_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class OverHttp:
    """Asks an endpoint.

    Redirects are not followed and proxies of the environment not used: what answers is what
    stands in the settings.
    """

    def __init__(
        self, endpoint: Endpoint, environ: Mapping[str, str], resolve: Resolve = resolve
    ) -> None:
        self._endpoint = endpoint
        self._environ = environ
        self._network = PublicNetwork(endpoint.allow_private, resolve)
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def ready(self) -> None:
        """Leave quietly when its secrets and its host are there."""
        self._secrets()
        url = urlsplit(self._endpoint.url)
        host = url.hostname or ""
        try:
            await self._network.addresses(host, url.port or 443)
        except OSError as error:
            raise NoAnswer(
                f"{host} cannot be found",
                why=str(error),
                fix=("try again when the network is back", "mend url in proveout.toml"),
            ) from None
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context() if url.scheme == "https" else None,
            max_connections=None,
            keepalive_expiry=IDLE,
            network_backend=self._network,
        )

    async def answer(self, value: Json) -> Json:
        """Return what the endpoint answers to an input."""
        secrets = self._secrets()
        came = Came(secrets=tuple(secrets.values()))
        try:
            async with asyncio.timeout(self._endpoint.timeout.total_seconds()):
                await self._post(value, secrets, came)
        except TimeoutError:
            within = say_duration(self._endpoint.timeout)
            raise NoAnswer(f"no whole answer within {within}; {came.said}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            trouble = came.clean(str(error).encode()).decode()[:SHOWN] or type(error).__name__
            raise NoAnswer(f"no whole answer: {trouble}; {came.said}") from None
        return taken(came)

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.aclose()

    def _secrets(self) -> dict[str, str]:
        """Return the headers that the environment holds; nothing else ever sees them."""
        found: dict[str, str] = {}
        for header, variable in self._endpoint.headers_env:
            value = self._environ.get(variable, "")
            if not _VALUE.fullmatch(value):
                what = "holds what no header can" if value else "is not set"
                raise NotAskable(
                    f"the variable {variable} {what}",
                    why=f"the header {header} of {shown(self._endpoint.url)} is read from it: one "
                    "line of plain characters, no blanks around them",
                    fix=(f"export {variable}=…",),
                )
            found[header] = value
        return found

    async def _post(self, value: Json, secrets: Mapping[str, str], came: Came) -> None:
        """Post an input; note what comes as it comes, up to just over the limit."""
        assert self._pool is not None  # noqa: S101 - nothing is asked before it is ready
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "proveout",
            **secrets,
        }
        async with self._pool.stream(
            "POST",
            self._endpoint.url,
            headers=list(headers.items()),
            content=json.dumps(value).encode(),
        ) as response:
            came.status = response.status
            came.headers = {
                name.decode("latin-1").lower(): text.decode("latin-1")
                for name, text in response.headers
            }
            async for part in response.aiter_stream():
                came.body += part
                if len(came.body) > LARGEST_ANSWER:
                    return


@dataclass(slots=True, kw_only=True)
class Came:
    """What came so far.

    Attributes:
        status: None before there was any.
        headers: by their names in small letters.
        secrets: what must not be kept, should it be sent back.
    """

    secrets: tuple[str, ...] = ()
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytearray = field(default_factory=bytearray)

    @property
    def said(self) -> str:
        """The status and the beginning of the body, in words."""
        if self.status is None:
            return "nothing came"
        return f"status {self.status}, then {beginning(self.clean(bytes(self.body)))}"

    def clean(self, data: bytes) -> bytes:
        """Return `data` without the secrets that were sent along, whole or after their scheme."""
        words = {word for one in self.secrets for word in (one, one.split()[-1])}
        for word in sorted(words, key=len, reverse=True):
            if len(word) >= LEAST_SECRET:
                data = data.replace(word.encode(), b"[secret]")
        return data


def taken(came: Came) -> Json:
    """Return the answer that came.

    Raises:
        TurnedAway: it asks to be called again later.
        NoAnswer: it is no answer that can be read.
    """
    if len(came.body) > LARGEST_ANSWER:
        raise NoAnswer(f"more than {LARGEST_ANSWER:,} bytes came; {came.said}")
    if came.status in LATER:
        headers = {name: text for name, text in came.headers.items() if name == "retry-after"}
        raise TurnedAway(came.said, headers)
    if came.status is None or not 200 <= came.status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
        raise NoAnswer(f"{came.said}{_redirected(came)}")
    if (coding := came.headers.get("content-encoding", "identity").lower()) != "identity":
        raise NoAnswer(f"status {came.status}, encoded as {shown(coding)}, which was not asked for")
    try:
        return read_json(came.clean(bytes(came.body)))
    except NoJson as error:
        raise NoAnswer(f"{error}; {came.said}") from None


def _redirected(came: Came) -> str:
    place = came.headers.get("location")
    if place is None:
        return ""
    words = came.clean(place.encode("latin-1")).decode("latin-1")
    return f"; it leads to {shown(words)}, and redirects are not followed"
