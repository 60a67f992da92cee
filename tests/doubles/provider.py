"""A real identity provider on this machine, which can also lie."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from proveout.faces.serving import Server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request
    from starlette.responses import Response

    from proveout.ports.clock import Clock

CLIENT, SECRET = "proveout", "the-secret-of-the-client"


@cache
def key_called(name: str) -> RSAKey:
    """Return a key of that name; making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": name})


@dataclass
class IdProvider:
    """Who signs in there, and how what it says is wrong.

    Attributes:
        claims: of who signs in, beside those of the protocol.
        lies: claims of the token that are replaced; None leaves one out.
        signs: "own key", "foreign key", "none" or "our secret".
        redirects: fields of the way back that are replaced.
        metadata: fields of what it says of itself that are replaced.
        asked: paths, in order.
    """

    clock: Clock
    address: str = ""
    claims: dict[str, Any] = field(default_factory=dict[str, Any])
    lies: dict[str, Any] = field(default_factory=dict[str, Any])
    signs: str = "own key"
    redirects: dict[str, str] = field(default_factory=dict[str, str])
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    asked: list[str] = field(default_factory=list[str])
    key: RSAKey = field(default_factory=lambda: key_called("one"))
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def app(self) -> Starlette:
        """Return its four doors."""
        routes = {
            "/.well-known/openid-configuration": self.described,
            "/authorize": self.authorize,
            "/token": self.token,
            "/keys": self.keys,
        }
        return Starlette(
            routes=[Route(path, door, methods=["GET", "POST"]) for path, door in routes.items()]
        )

    async def described(self, _: Request) -> Response:
        """Say where its doors are."""
        self.asked.append("described")
        told = {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse({**told, **self.metadata})

    async def authorize(self, request: Request) -> Response:
        """Take whoever comes for the person, and send them back."""
        asked = {name: values[0] for name, values in parse_qs(request.url.query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.address, **self.redirects}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    async def token(self, request: Request) -> Response:
        """Give a token for a code, once, to the client that asked for it."""
        self.asked.append("token")
        sent = dict(parse_qsl((await request.body()).decode()))
        asked = self.codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != sent.get("redirect_uri")
            or (sent.get("client_id"), sent.get("client_secret")) != (CLIENT, SECRET)
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"id_token": self.signed(asked), "token_type": "Bearer"})

    def signed(self, asked: dict[str, str]) -> str:
        """Return the token for a question."""
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.address,
            "sub": "person-1",
            "aud": asked["client_id"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.claims,
            **self.lies,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.signs == "none":
            bare = [{"alg": "none"}, claims]
            parts = [jwt_part(part) for part in bare]
            return ".".join([*parts, ""])
        if self.signs == "our secret":
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
        key = self.key if self.signs == "own key" else key_called("foreign")
        return jwt.encode({"alg": "RS256", "kid": str(self.key.kid)}, claims, key)

    async def keys(self, _: Request) -> Response:
        """Show its public keys."""
        self.asked.append("keys")
        return JSONResponse(cast("Any", KeySet([self.key]).as_dict(private=False)))

    def change_key(self) -> None:
        """Sign with another key from now on, as providers do."""
        self.key = key_called("two")


def jwt_part(value: dict[str, Any]) -> str:
    """Return a part of a token as it is written."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@asynccontextmanager
async def providing(clock: Clock) -> AsyncGenerator[IdProvider]:
    """Serve an identity provider for the block."""
    provider = IdProvider(clock)
    ready = asyncio.Event()
    server = Server(provider.app(), ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        provider.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await ready.wait()
        yield provider
        server.stop()
        await task


def path_of(address: str) -> str:
    """Return the path and query of an address."""
    url = urlsplit(address)
    return f"{url.path}?{url.query}"
