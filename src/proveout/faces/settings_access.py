"""Access as `proveout.toml` declares it: how often a key may ask, and who vouches for people."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proveout.domain.access import Role
from proveout.domain.duration import shown
from proveout.faces.keys.key import VARIABLE_PATTERN
from proveout.faces.units import Rate, rate

if TYPE_CHECKING:
    from proveout.faces.settings_reader import Reader

USUAL = rate("60000 per minute")
"""More than one process answers; a project lowers it to what it wants to allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """Which identity provider vouches for people, and for what.

    Attributes:
        client: what we are called there.
        secret_env: the variable that holds our secret; "" where there is none.
        name: the claim that people are called by here.
        claim: the claim that says what somebody is.
        roles: the values of it that stand for each role; whoever has none stays out.
    """

    issuer: str
    client: str
    secret_env: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    name: str = "email"
    claim: str = "groups"
    roles: dict[Role, tuple[str, ...]] = field(default_factory=dict[Role, tuple[str, ...]])


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """Who may come in, and how often.

    Attributes:
        requests: most requests of one key.
        oidc: who vouches for people; None where their passwords do.
    """

    requests: Rate = USUAL
    oidc: OidcSettings | None = None


def read_access(row: Reader | None) -> AccessSettings:
    """Return what the file says of access.

    Raises:
        SettingsMistake: a rate lets nobody in, or counts parts of a request.
    """
    if row is None:
        return AccessSettings()
    requests = row.rate("requests") or USUAL
    if requests.count < 1 or requests.count != requests.count.to_integral_value():
        raise row.mistake(
            f"requests {shown(str(requests.count))} is no whole number from 1",
            "requests",
            why="requests are counted one by one",
            fix=(row.example("requests"),),
        )
    return AccessSettings(requests=requests, oidc=_oidc(row.inner("oidc")))


def _oidc(row: Reader | None) -> OidcSettings | None:
    if row is None:
        return None
    roles = {role: row.texts(f"{role}s") for role in Role}
    usual = OidcSettings(issuer="", client="")
    return OidcSettings(
        issuer=row.text("issuer"),
        client=row.text("client"),
        secret_env=_variable(row),
        scopes=("openid", *(one for one in row.texts("scopes") if one != "openid"))
        if row.has("scopes")
        else usual.scopes,
        name=row.text("name") or usual.name,
        claim=row.text("claim") or usual.claim,
        roles=roles,
    )


def _variable(row: Reader) -> str:
    name = row.text("secret_env")
    if name and not re.fullmatch(VARIABLE_PATTERN, name):
        # What stands there may be the secret itself: it is not shown.
        raise row.mistake(
            "secret_env must be the name of a variable, never the secret itself",
            "secret_env",
            why="this file is read, copied and committed",
            fix=(row.example("secret_env"), "export OIDC_SECRET=…"),
        )
    return name
