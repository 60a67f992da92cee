"""The variables through which vendors' clients find whom to call."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

OPENAI_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""Read by `openai`, and by those around it that keep to the older name; the first one wins."""

ANTHROPIC_VARIABLES = ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL")
"""Read by `anthropic`, which wants no "/v1", and by LangChain; the first one wins."""

BEFORE = "PROVEOUT_MODELS_BEFORE"
"""Where a worker's environment keeps what stood in the variables that point at the proxy."""

PAST_PROXIES = ("NO_PROXY", "no_proxy")
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstreams:
    """Where calls of models go, by provider.

    Attributes:
        openai: with its "/v1", or what stands for it.
        anthropic: without "/v1".
    """

    openai: str = "https://api.openai.com/v1"
    anthropic: str = "https://api.anthropic.com"

    def __post_init__(self) -> None:
        for name in ("openai", "anthropic"):
            object.__setattr__(self, name, _checked(name, getattr(self, name)))


def _checked(name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")  # as whoever looks the name up
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):  # a name that cannot be encoded is a ValueError
        is_good = False
        parts = urlsplit("")
    if not is_good or parts.query or parts.fragment or not url.isascii() or " " in url:
        variable = (OPENAI_VARIABLES if name == "openai" else ANTHROPIC_VARIABLES)[0]
        raise Mistake(
            f"the base address for {name} is no address of a server",
            why="calls of models are sent on to it; it is not shown, it may hold a key",
            fix=(f"{variable}=http(s)://host/path, or unset it for the vendor's own",),
        )
    return url.rstrip("/")


def upstreams(environment: Mapping[str, str]) -> Upstreams:
    """Return where calls go by an environment that the proxy's `variables` are not yet in.

    Raises:
        Mistake: a variable holds no address.
    """
    given = {
        name: next((environment[one] for one in variables if environment.get(one)), "")
        for name, variables in (("openai", OPENAI_VARIABLES), ("anthropic", ANTHROPIC_VARIABLES))
    }
    return Upstreams(**{name: url for name, url in given.items() if url})


def variables(bases: Upstreams, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a worker's clients call `bases`.

    Addresses of this machine are also taken out of what goes through a company's proxy.

    Args:
        bases: where the proxy is.
        environment: of the worker, without them.
    """
    pointed = {
        **dict.fromkeys(OPENAI_VARIABLES, bases.openai),
        **dict.fromkeys(ANTHROPIC_VARIABLES, bases.anthropic),
        **{name: _without_loopback(environment) for name in PAST_PROXIES},
    }
    return {**pointed, BEFORE: json.dumps({name: environment.get(name) for name in pointed})}


def unpointed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment as it was before `variables` were put into it, if they were.

    It is for processes that are started beside the proxy: those who say who calls have their
    own, and others cannot say it.
    """
    found = dict(environment)
    for name, value in json.loads(found.pop(BEFORE, "{}")).items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value
    return found


def _without_loopback(environment: Mapping[str, str]) -> str:
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [host.strip() for host in given.split(",") if host.strip()]
    return ",".join(hosts if {"*", LOOPBACK} & set(hosts) else [*hosts, LOOPBACK])
