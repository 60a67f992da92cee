"""Identity: who somebody is, said by a provider outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from proveout.errors import Outage, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotVouched(Refusal):
    """What came back from the identity provider does not say who somebody is."""

    code = "not-vouched"


class ProviderUnreachable(Outage):
    """The identity provider does not answer, or says nothing that can be used."""

    code = "provider-unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is sent along to the provider, and must come back.

    Attributes:
        state: comes back with the answer, so that it belongs to the browser that asked.
        nonce: comes back within the token, so that it belongs to this question.
        verifier: proves that who fetches the token is who asked (PKCE, RFC 7636).
        back: our own address that the provider sends the browser to.
    """

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Who a provider says that somebody is.

    Attributes:
        subject: what the issuer calls them, for ever.
        claims: all that its token says of them.
    """

    issuer: str
    subject: str
    claims: Mapping[str, Any] = field(repr=False)


class Provider(Protocol):
    """Says who somebody is."""

    async def address(self, question: Question) -> str:
        """Return where the browser asks.

        Raises:
            ProviderUnreachable: the provider does not say where.
        """
        ...

    async def answer(self, question: Question, returned: Mapping[str, str]) -> Vouched:
        """Return who came back, if all that came back with them fits the question.

        Raises:
            NotVouched: it does not.
            ProviderUnreachable: the provider did not answer.
        """
        ...
