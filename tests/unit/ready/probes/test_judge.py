"""From what came back to what is wrong with it."""

from __future__ import annotations

import pytest

from proveout.ports.receiver import Answer
from proveout.ready.probes.catalogue import PROBES
from proveout.ready.probes.framework import recognised
from proveout.ready.probes.judge import (
    Aftermath,
    concluded,
    leaks,
    not_acknowledged,
    not_refused,
    said,
    summary,
    veiled,
    why_not_accepted,
)
from proveout.ready.probes.probe import Due, Framework, Shown, Standing, Status

PAGE = b"<!doctype html><html><head><title>x</title></head><body><h1>Hello</h1></body></html>"
LOGIN = b'<html><form><input name=u><input type="password"></form></html>'


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(status=200), ""),
        (Answer(status=204), ""),
        (Answer(status=200, body=PAGE), ""),
        (Answer(status=200, body=LOGIN), "with a login"),
        (Answer(status=302, headers={"location": "/login"}), "with a login"),
        (Answer(status=401, headers={"www-authenticate": "Basic"}), "with a login"),
        (Answer(status=308, headers={"location": "/webhook/"}), "redirects to /webhook/"),
        (Answer(status=403, body=b"CSRF verification failed."), "CSRF"),
        (Answer(status=404), "answers 404"),
        (Answer(status=400), "refuses it with 400"),
        (Answer(status=500), "fails with 500"),
        (Answer(trouble="nothing within 15 s"), "no answer came: nothing within 15 s"),
    ],
)
def test_what_is_no_acceptance_is_told_apart(answer: Answer, fault: str) -> None:
    """Each has words of its own, and something that mends just that."""
    found, hint = why_not_accepted(answer)

    assert fault in found
    assert bool(found) == bool(fault) == bool(hint)


def test_only_a_4xx_refuses() -> None:
    """A crash did not let it in, and is no refusal either."""
    assert not_refused([("it", Answer(status=400)), ("it", Answer(status=401))]) == ""
    assert not_refused([("it", Answer(status=200))]) == "it is accepted with 200"
    assert not_refused([("it", Answer(status=500, body=b"oh"))]) == "it: 500: oh"
    assert not_refused([("it", Answer(status=302))]) == "it: 302"
    assert not_refused([("it", Answer(trouble="reset"))]) == "it: no answer: reset"


def test_many_faults_are_cut_short() -> None:
    answers = [(f"number {n}", Answer(status=500)) for n in range(9)]

    assert not_acknowledged(answers).endswith("number 2: 500; 6 more")


def test_answers_are_told_in_one_line() -> None:
    """A page without its markup, control characters of no use, and no end to it."""
    assert said(Answer(status=200, body=PAGE)) == "200: a page of HTML: Hello"
    assert said(Answer(status=400, body=b"a\r\n\tb\xff")) == "400: a b\ufffd"
    assert len(said(Answer(status=200, body=b"x" * 5000))) < 140
    assert summary([Answer(status=200)] * 3 + [Answer()]) == "200, 3 times and no answer"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("bad signature", []),
        ("the key is hush-hush-hush", ["the secret"]),
        ("expected abc123", ["the signature that would have been right"]),
        ('Traceback (most recent call last):\n  File "a.py"', ["a traceback of Python"]),
        ("<pre>Error: bad<br> &nbsp; &nbsp;at Object.run (/srv/a.js:3:9)<br>", ["Node.js"]),
        ("Error: bad\n    at verify (/srv/a.js:3:9)\n", ["Node.js"]),
        ("You see this because you have <code>DEBUG = True</code>", ["Django"]),
        ("\tat com.example.Hook.take(Hook.java:12)", ["Java"]),
        ("we are at home (call us: 12:30:10)", []),
    ],
)
def test_what_an_answer_must_not_tell(body: str, found: list[str]) -> None:
    told = leaks(Answer(status=500, body=body.encode()), ("hush-hush-hush",), b"abc123")

    assert len(told) == len(found)
    assert all(words in one for words, one in zip(found, told, strict=True))


def test_a_secret_in_a_header_is_told_as_well() -> None:
    answer = Answer(status=400, headers={"x-debug": "hush-hush-hush"})

    assert leaks(answer, ("hush-hush-hush",), b"") == ["the secret"]
    assert veiled("it is hush-hush-hush!", ["hush-hush-hush"]) == "it is [secret]!"


PROBE = PROBES[14]
TWICE = Shown(
    sent="one event twice",
    received="200",
    dues=(Due(event="evt_1", count=1), Due(event="evt_2", count=0)),
    is_about_effects=True,
)


@pytest.mark.parametrize(
    ("counts", "status", "note"),
    [
        ({"evt_1": 1, "evt_2": 0}, Status.PASSED, ""),
        ({"evt_1": 2, "evt_2": 0}, Status.FAILED, "2 effects where 1 is due"),
        ({"evt_1": 1, "evt_2": 1}, Status.FAILED, "1 effect where none is due"),
        ({"evt_1": 0, "evt_2": 0}, Status.FAILED, "it was acknowledged, and had no effect"),
        ("nothing counts effects", Status.UNTESTED, "nothing counts effects"),
    ],
)
def test_effects_decide_once_they_are_counted(
    counts: dict[str, int] | str, status: Status, note: str
) -> None:
    found = concluded(PROBE, TWICE, Aftermath(framework=None, counts=counts, states={}))

    assert (found.status, found.note) == (status, note)


def test_a_fault_that_was_seen_needs_no_counter() -> None:
    shown = Shown(
        sent="x", received="500", fault="it fails", is_about_effects=True, dues=TWICE.dues
    )

    found = concluded(PROBE, shown, Aftermath(framework=None, counts="no counter", states={}))

    assert (found.status, found.note) == (Status.FAILED, "it fails")


@pytest.mark.parametrize(
    ("state", "status"),
    [("paid", Status.PASSED), ("pending", Status.FAILED), (None, Status.FAILED)],
)
def test_the_state_decides_once_it_rests(state: str | None, status: Status) -> None:
    shown = Shown(sent="x", received="y", standing=Standing(object="in_1", status="paid"))

    found = concluded(PROBE, shown, Aftermath(framework=None, counts={}, states={"in_1": state}))

    assert found.status is status


def test_the_fix_speaks_the_words_of_the_framework() -> None:
    after = Aftermath(framework=Framework.DJANGO, counts={"evt_1": 1, "evt_2": 0}, states={})

    assert "transaction.atomic()" in concluded(PROBE, TWICE, after).fix
    assert PROBES[8].mended(Framework.DJANGO) == PROBES[8].fix


@pytest.mark.parametrize(
    ("answer", "framework"),
    [
        (Answer(status=404, body=b'{"detail":"Not Found"}'), Framework.FASTAPI),
        (Answer(status=404, body=b"<pre>Cannot GET /webhook/x</pre>"), Framework.EXPRESS),
        (Answer(status=404, headers={"x-powered-by": "Express"}), Framework.EXPRESS),
        (Answer(status=404, headers={"server": "Werkzeug/3.1.3 Python/3.12"}), Framework.FLASK),
        (
            Answer(body=b"<p>The requested resource was not found on this server.</p>"),
            Framework.DJANGO,
        ),
        (Answer(status=404, headers={"server": "nginx"}, body=b"404 Not Found"), None),
        (Answer(trouble="reset"), None),
    ],
)
def test_a_framework_is_told_by_its_own_words(answer: Answer, framework: Framework | None) -> None:
    assert recognised([Answer(), answer]) == framework


def test_every_probe_says_all_that_it_must() -> None:
    """Stable names in order, a reason and a remedy; and no two ask the same."""
    assert [one.id for one in PROBES] == [f"P{n:02}" for n in range(1, 24)]
    assert len({one.title for one in PROBES}) == 23
    for one in PROBES:
        for text in (one.why, one.fix, *one.fixes.values()):
            assert text.endswith(".")
            assert "  " not in text
