"""Who may come in and what is told outside, as `proveout.toml` declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proveout.adapters.system import SystemClock
from proveout.domain.access import Role
from proveout.errors import Mistake
from proveout.faces import settings
from proveout.faces.project import identity_provider
from proveout.faces.settings_access import OidcSettings
from proveout.faces.settings_reader import SettingsMistake
from proveout.faces.vouched import role_of

if TYPE_CHECKING:
    from pathlib import Path

HEAD = '[workflow]\nname = "answers"\nentry = "app:answer"\n'
PLACE = "https://login.example.org"


def read(folder: Path, text: str) -> settings.Settings:
    """Return what a file says."""
    path = folder / "proveout.toml"
    path.write_text(HEAD + text, "utf-8")
    return settings.load(path)


def test_a_file_that_says_nothing_has_usual_answers(tmp_path: Path) -> None:
    """Passwords, a rate that no program meets by chance, and no body told."""
    found = read(tmp_path, "")

    assert int(found.access.requests.count) == 60_000
    assert found.access.oidc is None
    assert (found.telemetry.bodies, found.telemetry.link("r1")) == (False, "")


def test_what_the_file_says_is_read(tmp_path: Path) -> None:
    """Roles by the values of the claim; "openid" is always asked for."""
    found = read(
        tmp_path,
        f'[access]\nrequests = "600 per minute"\n[access.oidc]\nissuer = "{PLACE}"\n'
        'client = "proveout"\nsecret_env = "OIDC_SECRET"\nscopes = ["groups"]\nowners = ["it"]\n'
        f'[telemetry]\ntrace_link = "{PLACE}/{{trace}}"\nbodies = true\n',
    )

    oidc = found.access.oidc
    assert oidc is not None
    assert (oidc.scopes, oidc.roles[Role.OWNER]) == (("openid", "groups"), ("it",))
    assert found.telemetry.bodies


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[access]\nrequests = "0 per minute"\n', "more than nothing"),
        ('[access]\nrequests = "1.5 per minute"\n', "no whole number"),
        ('[access]\nrequests = "600"\n', "not a rate"),
        (
            f'[access.oidc]\nissuer = "{PLACE}"\nclient = "x"\nsecret_env = "pa$$word"\n',
            "name of a variable",
        ),
        (f'[telemetry]\ntrace_link = "{PLACE}"\n', "leads to no trace"),
        ('[telemetry]\ntrace_link = "javascript:{trace}"\n', "leads to no trace"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """And a secret that stands where its variable should is not shown."""
    with pytest.raises(SettingsMistake, match=said) as caught:
        read(tmp_path, text)

    assert caught.value.line is not None
    assert "pa$$word" not in f"{caught.value}"


@pytest.mark.parametrize(
    ("changes", "environ", "said"),
    [
        ({"roles": {}}, {"OIDC_SECRET": "s"}, "nobody could come in"),
        ({}, {}, "OIDC_SECRET is not set"),
        ({"issuer": "http://login.example.org"}, {"OIDC_SECRET": "s"}, "plain wire"),
    ],
)
def test_a_provider_that_cannot_work_stops_the_start(
    changes: dict[str, object], environ: dict[str, str], said: str
) -> None:
    """Before the first browser comes, with the next move."""
    usual = {"issuer": PLACE, "client": "x", "secret_env": "OIDC_SECRET"}
    asked = OidcSettings(**{**usual, "roles": {Role.OWNER: ("it",)}, **changes})  # pyright: ignore[reportArgumentType] - one wrong thing at a time

    with pytest.raises(Mistake, match=said):
        identity_provider(asked, environ, SystemClock())


@pytest.mark.parametrize(
    ("value", "role"),
    [
        ("it", Role.OWNER),
        (["staff", "support"], Role.REVIEWER),
        (["support", "it"], Role.OWNER),
        ([], None),
        (None, None),
        ({"it": True}, None),
        ([["it"], 7, None], None),
        ("IT", None),
    ],
)
def test_the_highest_role_of_a_claim_counts(value: object, role: Role | None) -> None:
    """Exactly as it is written; whatever else it holds stands for nothing."""
    roles = {Role.OWNER: ("it",), Role.REVIEWER: ("support",)}
    asked = OidcSettings(issuer=PLACE, client="x", roles=roles)

    assert role_of({"groups": value}, asked) is role
