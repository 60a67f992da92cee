"""An identity provider that speaks OpenID Connect: authorization code with PKCE.

What is checked of a token follows OpenID Connect Core 1.0, section 3.1.3.7, and RFC 9207.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from proveout.errors import Mistake
from proveout.ports.identity import NotVouched, ProviderUnreachable, Vouched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.ports.clock import Clock
    from proveout.ports.identity import Question

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures of the provider's own key; never none, and none that our secret could make."""

LEEWAY = 60
"""Seconds that its clock and ours may differ by."""

OLDEST = 600
"""Seconds that a token may be old."""

KNOWN_FOR = 3600.0
"""Seconds for which what the provider says of itself is not asked for again."""

LATEST = 1e12
"""Seconds since 1970 past which a moment is none."""

PATIENCE = 10
LARGEST = 1 << 20
HERE = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What we are to the provider.

    Attributes:
        secret: "" for a client that proves itself by PKCE alone.
    """

    issuer: str
    id: str
    scopes: tuple[str, ...]
    secret: str = field(default="", repr=False)


class OpenIdProvider:
    """Asks one issuer who somebody is."""

    def __init__(self, client: Client, clock: Clock) -> None:
        """Ask as `client`; nothing is sent before the first question.

        Raises:
            Mistake: the issuer is reached over a plain wire.
        """
        _check_wire(client.issuer, "issuer")
        self._client = client
        self._clock = clock
        self._told: dict[str, Any] | None = None
        self._keys = KeySet([])
        self._until = 0.0

    async def address(self, question: Question) -> str:
        told = await self._metadata()
        digest = hashlib.sha256(question.verifier.encode()).digest()
        fields = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": question.back,
            "scope": " ".join(self._client.scopes),
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        place = _text(told, "authorization_endpoint")
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(fields)}"

    async def answer(self, question: Question, returned: Mapping[str, str]) -> Vouched:
        told = await self._metadata()
        is_promised = told.get("authorization_response_iss_parameter_supported") is True
        issuer = returned.get("iss", "" if is_promised else self._client.issuer)
        if issuer != self._client.issuer:
            raise _not("the answer comes from another issuer")
        if "error" in returned or not returned.get("code"):
            raise _not("the provider let nobody through")
        claims = await self._token(told, question, returned["code"])
        self._check(claims, question)
        return Vouched(issuer=issuer, subject=str(claims["sub"]), claims=claims)

    async def _token(self, told: dict[str, Any], question: Question, code: str) -> dict[str, Any]:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.back,
            "client_id": self._client.id,
            "code_verifier": question.verifier,
        }
        if self._client.secret:
            fields["client_secret"] = self._client.secret
        status, got = await _ask("POST", _text(told, "token_endpoint"), fields)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _unreachable()
        token = got.get("id_token")
        if status != HTTPStatus.OK or not isinstance(token, str):
            raise _not("the provider gives no token for the code")
        return await self._verified(told, token)

    async def _verified(self, told: dict[str, Any], token: str) -> dict[str, Any]:
        """Return the claims of a token that the provider's key signed.

        Where none of the keys that are known did, they are read again, once.
        """
        for is_last in (False, True):
            if not self._keys.keys or is_last:
                _, got = await _ask("GET", _text(told, "jwks_uri"))
                self._keys = _key_set(got)
            try:
                return jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims
            except (JoseError, ValueError, KeyError, TypeError):
                continue
        raise _not("no key of the provider signed the token")

    def _check(self, claims: dict[str, Any], question: Question) -> None:
        now = self._clock.now().timestamp()
        audience = claims.get("aud")
        audiences = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
        faults = {
            "another issuer made the token": claims.get("iss") != self._client.issuer,
            "the token is for somebody else": self._client.id not in audiences,
            "the token is for several": (len(audiences) > 1 or "azp" in claims)
            and claims.get("azp") != self._client.id,
            "the token has expired": _moment(claims, "exp") + LEEWAY <= now,
            "the token is too old, or from the future": not (
                now - OLDEST <= _moment(claims, "iat") <= now + LEEWAY
            ),
            "the token is not valid yet": "nbf" in claims and _moment(claims, "nbf") > now + LEEWAY,
            "the token answers another question": claims.get("nonce") != question.nonce,
            "the token names nobody": not isinstance(claims.get("sub"), str) or not claims["sub"],
        }
        if found := [fault for fault, is_so in faults.items() if is_so]:
            raise _not(found[0])

    async def _metadata(self) -> dict[str, Any]:
        if self._told is not None and self._clock.monotonic() < self._until:
            return self._told
        place = f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration"
        status, told = await _ask("GET", place)
        if status != HTTPStatus.OK or told.get("issuer") != self._client.issuer:
            raise _unreachable()
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _check_wire(_text(told, name), name)
        self._told, self._until = told, self._clock.monotonic() + KNOWN_FOR
        return told


async def _ask(
    method: str, place: str, fields: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of an answer; no redirect is followed.

    Raises:
        ProviderUnreachable: nothing came, or too much, or no JSON object.
    """
    try:
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            async with client.stream(method, place, data=fields) as answer:
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise _unreachable()
            got = httpx.Response(answer.status_code, content=bytes(body)).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _unreachable() from error
    if not isinstance(got, dict):
        raise _unreachable()
    return answer.status_code, cast("dict[str, Any]", got)


def _key_set(got: dict[str, Any]) -> KeySet:
    try:
        return KeySet.import_key_set(cast("Any", got))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _unreachable() from error


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise _unreachable()
    return value


def _moment(claims: dict[str, Any], name: str) -> float:
    """Return a moment in seconds since 1970; what is none lies before all."""
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and abs(value) < LATEST else 0.0


def _check_wire(place: str, what: str) -> None:
    """Leave quietly when `place` is reached over TLS, or never leaves this machine.

    Raises:
        Mistake: it is not.
    """
    url = urlsplit(place)
    if url.scheme == "https" or (url.scheme == "http" and url.hostname in HERE):
        return
    raise Mistake(
        f"the {what} of the identity provider is reached over a plain wire",
        why="whoever listens there could sign in as anybody",
        fix=('issuer = "https://login.example.org"',),
    )


def _not(what: str) -> NotVouched:
    return NotVouched(what, why="so it does not say who you are", fix=("sign in again",))


def _unreachable() -> ProviderUnreachable:
    return ProviderUnreachable(
        "the identity provider gives no answer that can be used",
        why="only it can say who you are",
        fix=("try again", "ask an owner to sign in with a password and look at [access.oidc]"),
    )
