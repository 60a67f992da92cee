"""What an answer means: from what came back to what is wrong with it, and in which words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.ready.probes.probe import Result, Shown, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from proveout.ports.receiver import Answer
    from proveout.ready.probes.probe import Framework, Probe

EXCERPT = 120
"""Characters of a receiver's answer that are shown."""

TRACES = (
    ("a traceback of Python", re.compile(r"Traceback \(most recent call last\)")),
    ("the debugger of Werkzeug", re.compile(r"Werkzeug Debugger|<div class=\"debugger\">")),
    (
        "the debug page of Django",
        re.compile(r"<code>DEBUG = True</code>|Request Method:.*Django Version:", re.DOTALL),
    ),
    (
        "a stack of Node.js",
        re.compile(r"^\s*at .+ \(?(?:node:|file:|/).+:\d+:\d+\)?", re.MULTILINE),
    ),
    ("a stack of Node.js", re.compile(r"(?:&nbsp; ?)+at [^<]+:\d+:\d+\)?<br>")),
    ("a stack of Java", re.compile(r"^\s*at [\w.$]+\([\w]+\.java:\d+\)", re.MULTILINE)),
    ("a stack of Ruby", re.compile(r"\.rb:\d+:in [`'\"]")),
    ("a stack of PHP", re.compile(r"Stack trace:\s+#0 ")),
    ("a stack of Go", re.compile(r"^goroutine \d+ \[", re.MULTILINE)),
)
"""What tells strangers how a receiver is built."""

NOT_THIS_ONE = (
    "Compare the secret with the one of this very endpoint, which is the most common slip; then "
    "check that the signature is made of the raw body."
)
NO_SUCH_PLACE = (404, 405)
A_LOGIN = re.compile(r"log-?in|sign-?in|oauth|/auth", re.IGNORECASE)
LOGIN = re.compile(r"<input[^>]+type=[\"']?password", re.IGNORECASE)
CSRF = re.compile(r"\bcsrf\b", re.IGNORECASE)


def said(answer: Answer) -> str:
    """Return what came back in words: the status, where it leads, and how it begins."""
    if answer.status is None:
        return f"no answer: {answer.trouble}"
    place = answer.headers.get("location", "")
    leads = f", leads to {_line(place)}" if place and 300 <= answer.status < 400 else ""  # noqa: PLR2004 - RFC 9110, 15.4
    text = _line(answer.text)
    return f"{answer.status}{leads}{f': {text}' if text else ''}"


def _line(text: str) -> str:
    """Return the beginning of a text on one line, without the markup of a page."""
    if "<html" in text[:2000].lower() or "<!doctype" in text[:200].lower():
        text = re.sub(r"(?is)<(style|script|head)\b.*?</\1>|<[^>]*>", " ", text)
        text = f"a page of HTML: {text.strip()}"
    words = " ".join(text.split())
    return words if len(words) <= EXCERPT else f"{words[:EXCERPT]}…"


def not_acknowledged(answers: Iterable[tuple[str, Answer]]) -> str:
    """Return which of the named answers the sender would take for a failure, or ""."""
    return _listed(
        f"{name}: {said(answer)}" for name, answer in answers if not answer.is_acknowledged
    )


def not_refused(answers: Iterable[tuple[str, Answer]]) -> str:
    """Return which of the named answers do not turn a bad delivery away, or ""."""
    faults: list[str] = []
    for name, answer in answers:
        if answer.is_acknowledged:
            faults.append(f"{name} is accepted with {answer.status}")
        elif not answer.is_refused:
            faults.append(f"{name}: {said(answer)}")
    return _listed(faults)


def _listed(faults: Iterable[str]) -> str:
    """Return at most three faults in one line."""
    found = list(faults)
    more = f"; {len(found) - 3} more" if len(found) > 3 else ""  # noqa: PLR2004 - as the docstring
    return "; ".join(found[:3]) + more


def summary(answers: Sequence[Answer]) -> str:
    """Return which statuses came, and how often: "200, 3 times and 409"."""
    counts: dict[str, int] = {}
    for answer in answers:
        name = "no answer" if answer.status is None else str(answer.status)
        counts[name] = counts.get(name, 0) + 1
    return " and ".join(
        name if count == 1 else f"{name}, {count} times" for name, count in counts.items()
    )


def why_not_accepted(answer: Answer) -> tuple[str, str]:
    """Return what is wrong with the answer to a valid delivery, and what mends just that."""
    status, where = answer.status or 0, answer.headers.get("location", "")
    is_login = bool(LOGIN.search(answer.text)) or "www-authenticate" in answer.headers
    if answer.is_acknowledged and not is_login:
        return "", ""
    cases = (
        (
            answer.status is None,
            f"no answer came: {answer.trouble}",
            "Answer within seconds: verify, store, and work afterwards.",
        ),
        (
            is_login or bool(A_LOGIN.search(where)),
            f"it answers {status} with a login",
            "Leave the path out of the login: the signature is what lets in.",
        ),
        (
            300 <= status < 400,  # noqa: PLR2004 - RFC 9110, 15.4
            f"it redirects to {_line(where)}",
            "Register the final address, slash and https included: no provider follows.",
        ),
        (
            bool(CSRF.search(answer.text)),
            f"it answers {status} for want of a CSRF token",
            "Leave the path out of the CSRF check: no provider has a token.",
        ),
        (
            status in NO_SUCH_PLACE,
            f"it answers {status}",
            "Check the path, and that it takes POST.",
        ),
        (
            answer.is_refused,
            f"it refuses it with {status}",
            NOT_THIS_ONE,
        ),
        (True, f"it fails with {status}", "Look into the receiver's log of this moment."),
    )
    return next((fault, hint) for holds, fault, hint in cases if holds)


def veiled(text: str, hidden: Iterable[str]) -> str:
    """Return a text without what nobody may read in a report."""
    for one in hidden:
        text = text.replace(one, "[secret]")
    return text


def leaks(answer: Answer, secrets: Iterable[str], expected: bytes) -> list[str]:
    """Return what an answer tells that it must not."""
    text = answer.text + json.dumps(dict(answer.headers))
    found = ["the secret"] if any(one in text for one in secrets) else []
    if expected and expected.decode("latin-1") in text:
        found.append("the signature that would have been right")
    return found + sorted({name for name, pattern in TRACES if pattern.search(text)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is known once every probe was asked.

    Attributes:
        framework: what the receiver is written with, or None.
        counts: effects by event; or why there are none.
        states: status by object; or why there are none.
    """

    framework: Framework | None
    counts: Mapping[str, int] | str
    states: Mapping[str, str | None] | str


def concluded(probe: Probe, shown: Shown, after: Aftermath) -> Result:
    """Return how a probe ended, once its effects were counted and its state was read."""
    fault, unsure, received = shown.fault, shown.unsure, shown.received
    for judge in (_counted, _stood):
        if not unsure:
            objection, unsure, more = judge(shown, after)
            fault, received = fault or objection, received + more
    fix = probe.mended(after.framework)
    return Result(
        probe=probe,
        status=Status.FAILED if fault else Status.UNTESTED if unsure else Status.PASSED,
        sent=shown.sent,
        received=received,
        note=fault or unsure,
        fix=f"{shown.hint} {fix}" if shown.hint and fault else fix,
    )


def _counted(shown: Shown, after: Aftermath) -> tuple[str, str, str]:
    """Return what is wrong with the effects, why that is not known, and what is to be added."""
    if not shown.dues:
        return "", "", ""
    if isinstance(after.counts, str):
        return "", after.counts if shown.is_about_effects else "", ""
    told = [(due, after.counts[due.event]) for due in shown.dues]
    numbers = [count for _, count in told]
    more = f"; {_effects(numbers)}"
    for due, count in told:
        if count > due.count:
            return f"{_effects([count])} where {due.count or 'none'} is due", "", more
        if count < due.count:
            return "it was acknowledged, and had no effect", "", more
    return "", "", more


def _effects(numbers: Sequence[int]) -> str:
    """Return "1 effect", or "1, 2 and 1 effects"."""
    *others, last = map(str, numbers)
    told = f"{', '.join(others)} and {last}" if others else last
    return f"{told} effect{'' if list(numbers) == [1] else 's'}"


def _stood(shown: Shown, after: Aftermath) -> tuple[str, str, str]:
    """Return what is wrong with the state, why that is not known, and what is to be added."""
    if shown.standing is None:
        return "", "", ""
    if isinstance(after.states, str):
        return "", after.states, ""
    status = after.states[shown.standing.object]
    words = "unknown" if status is None else f'"{_line(status)}"'
    fault = "" if status == shown.standing.status else f"the older event set the status to {words}"
    return fault, "", f"; in the end the status is {words}"
