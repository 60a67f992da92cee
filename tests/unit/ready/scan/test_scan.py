"""A scan reads whatever it is given, keeps what somebody suppressed apart, and ends nothing."""

from __future__ import annotations

from typing import Any

import pytest

from proveout.ready.scan.baseline import baseline_words, fingerprints_of, known_in
from proveout.ready.scan.scan import scan

RISKY = "import requests\nrequests.get('https://a.example')\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def f(:\n", "a syntax error"),
        ("print 'hello'\n", "Python 2"),
        ("try:\n    f()\nexcept ValueError, error:\n    pass\n", "Python 2"),
        ("x = '\0'\n", "null bytes"),
        ("(" * 5_000 + ")" * 5_000, "too many nested"),
        ("-" * 200_000 + "1", "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_reported_and_ends_nothing(text: str, why: str) -> None:
    """The files beside it are read as ever."""
    found = scan("shop", {"broken.py": text, "app.py": RISKY})

    assert [one.path for one in found.unread] == ["broken.py"]
    assert why in found.unread[0].why or "syntax" in found.unread[0].why
    assert [one.finding.file for one in found.found] == ["app.py"]


def test_a_deep_tree_is_read() -> None:
    """What the parser takes, the rules take, too."""
    text = f"{RISKY}x = {' + '.join(['1'] * 900)}\n"

    assert scan("shop", {"app.py": text}).unread == ()


def test_an_empty_repository_has_nothing_to_say() -> None:
    found = scan("shop", {})

    assert (found.found, found.unread, found.facts.lines) == ((), (), 0)


# Suppression


@pytest.mark.parametrize(
    "text",
    [
        "import requests\nrequests.get('/')  # proveout: ignore[http-no-timeout] run by hand\n",
        "import requests as r\n# proveout: ignore[x, http-no-timeout]: run by hand\nr.get('/')\n",
    ],
)
def test_a_suppression_with_a_reason_is_kept_apart(text: str) -> None:
    """On the line, or alone on the line before it; the reason is told."""
    found = scan("shop", {"app.py": text})

    assert found.found == ()
    assert [(one.finding.code, one.reason) for one in found.suppressed] == [
        ("http-no-timeout", "run by hand")
    ]


@pytest.mark.parametrize(
    ("comment", "complaint"),
    [
        ("# proveout: ignore[http-no-timeout]", "gives no reason"),
        ("# proveout: ignore because I say so", "names no rule"),
        ("# proveout: ignore[debug-server] another rule", None),
    ],
)
def test_a_suppression_without_rule_or_reason_suppresses_nothing(
    comment: str, complaint: str | None
) -> None:
    """And is told as a finding of its own."""
    found = scan("shop", {"app.py": f"import requests\nrequests.get('/')  {comment}\n"})

    messages = {one.finding.code: one.finding.message for one in found.found}
    assert "http-no-timeout" in messages
    assert (complaint or "") in messages.get("suppression-broken", "")
    assert ("suppression-broken" in messages) == (complaint is not None)


def test_what_concerns_the_whole_is_suppressed_where_it_is_told() -> None:
    text = (
        "from fastapi import FastAPI\napp = FastAPI()  # proveout: ignore[no-health-endpoint] no\n"
        "@app.get('/prices')\ndef prices(): return compute()\n"
    )

    found = scan("shop", {"app.py": text})

    assert found.found == ()
    assert [one.finding.code for one in found.suppressed] == ["no-health-endpoint"]


# Baseline


def test_a_baseline_knows_findings_that_moved() -> None:
    """Lines above are added; the code is the same."""
    before = scan("shop", {"app.py": RISKY}).found
    marks = fingerprints_of(baseline_words(before))

    after = scan("shop", {"app.py": f"'''A module.'''\n\n{RISKY}"}).found

    assert known_in(after, marks) == after


def test_a_baseline_covers_as_many_as_it_holds() -> None:
    """The second of the same kind in the same words is new."""
    marks = fingerprints_of(baseline_words(scan("shop", {"app.py": RISKY}).found))

    after = scan("shop", {"app.py": RISKY + RISKY}).found

    assert len(after) == 2
    assert len(known_in(after, marks)) == 1


NO_BASELINES: tuple[dict[str, Any], ...] = (
    {},
    {"schema": "baseline.v1"},
    {"schema": "x", "findings": []},
    {"schema": "baseline.v1", "findings": 1},
    {"schema": "baseline.v1", "findings": [1]},
    {"schema": "baseline.v1", "findings": [{}]},
)


@pytest.mark.parametrize("words", NO_BASELINES)
def test_a_file_that_is_no_baseline_is_refused(words: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no"):
        fingerprints_of(words)
