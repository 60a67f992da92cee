"""Workers find the proxy by variables, and the proxy the vendors by those before."""

from __future__ import annotations

import pytest

from proveout.adapters.models.environment import Upstreams, upstreams, variables
from proveout.errors import Mistake

BASES = Upstreams(
    openai="http://127.0.0.1:1/x/openai/v1", anthropic="http://127.0.0.1:1/x/anthropic"
)


def test_without_variables_the_vendors_are_called() -> None:
    """At their own addresses; an empty variable is none."""
    found = upstreams({"OPENAI_BASE_URL": ""})

    assert (found.openai, found.anthropic) == (
        "https://api.openai.com/v1",  # its clients' own
        "https://api.anthropic.com",
    )


def test_variables_name_other_vendors() -> None:
    """The newer name wins, and a slash at the end makes no difference."""
    found = upstreams(
        {
            "OPENAI_BASE_URL": "http://models.test:8000/v1/",
            "OPENAI_API_BASE": "http://older.test/v1",
            "ANTHROPIC_API_URL": "https://claude.test",
        }
    )

    assert found == Upstreams(openai="http://models.test:8000/v1", anthropic="https://claude.test")


@pytest.mark.parametrize(
    "url",
    [
        "models.test",
        "ftp://models.test",
        "http://",
        "http://a.test:x/",
        "http://[",
        "http://a.test/?k=1",
        "http://a.test/ b",
        "http://a..test/v1",
        f"http://{'a' * 64}.test/v1",
        "http://a.test/\x01",
        "http://ä.test/v1",
        f"http://a.test/{'x' * 70_000}",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """In words that name the variable and do not show what it holds."""
    with pytest.raises(Mistake) as raised:
        upstreams({"ANTHROPIC_BASE_URL": url})

    assert "ANTHROPIC_BASE_URL" in raised.value.fix[0]
    assert url not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "excepted"),
    [
        ({}, "127.0.0.1"),
        ({"NO_PROXY": "a.test, b.test"}, "a.test,b.test,127.0.0.1"),
        ({"no_proxy": "127.0.0.1", "NO_PROXY": "a.test"}, "127.0.0.1"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_a_worker_calls_the_proxy(given: dict[str, str], excepted: str) -> None:
    """Past whatever else stands between this machine and the world."""
    found = variables(BASES, given)

    assert (found["OPENAI_BASE_URL"], found["ANTHROPIC_BASE_URL"]) == (
        BASES.openai,
        BASES.anthropic,
    )
    assert (found["NO_PROXY"], found["no_proxy"]) == (excepted, excepted)
