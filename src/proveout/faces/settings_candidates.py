"""Candidates of an experiment, out of their tables."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from proveout.domain.duration import shown
from proveout.domain.experiment import OWN, AnswersFile, Candidate, Command, Endpoint
from proveout.faces.keys.key import HEADER_PATTERN, VARIABLE_PATTERN
from proveout.faces.keys.prove import ANSWERS_BY

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.domain.experiment import Elsewhere
    from proveout.faces.settings_reader import Reader, SettingsMistake

TIMEOUT = timedelta(seconds=60)
"""How long one answer may take where nobody says."""

LONGEST_URL = 2_000

OURS = {
    *("accept", "accept-encoding", "connection", "content-length", "content-type", "host"),
    *("transfer-encoding", "user-agent"),
}
"""Headers that are not to be set."""

_GOES_WITH = {
    "headers_env": ("url",),
    "allow_private": ("url",),
    "timeout": ("url", "command"),
    "reuse": ("url", "command"),
}
_PLAIN = re.compile(r"[\x21-\x7e]+")


def read_candidates(
    row: Reader, entry: str, is_there: Callable[[str], bool]
) -> tuple[Candidate, ...]:
    """Return the workflow itself, whose entry is `entry`, and what else the table names.

    Args:
        row: the experiment's table.
        entry: the workflow's own.
        is_there: whether a file of the project can be read.

    Raises:
        SettingsMistake: one of them is not what it must be.
    """
    own = Candidate(name=OWN, entry=entry, price_per_call=row.money("price_per_call"))
    others = [_candidate(name, inner, is_there) for name, inner in _others(row)]
    return (own, *others)


def _others(row: Reader) -> list[tuple[str, Reader]]:
    found = list(row.named("candidates"))
    if any(name == OWN for name, _ in found):
        raise row.mistake(
            f"a candidate cannot be called {OWN}",
            "candidates",
            OWN,
            why="that is the name of the workflow itself, always the first candidate",
            fix=("[prove.candidates.vendor]",),
        )
    return found


def _candidate(name: str, row: Reader, is_there: Callable[[str], bool]) -> Candidate:
    kind = _kind(name, row)
    for key, kinds in _GOES_WITH.items():
        if row.has(key) and kind not in kinds:
            raise row.mistake(
                f"{key} does not go with {kind}",
                key,
                why=f"it is for {' or '.join(kinds)}",
                fix=(f"remove {key}",),
            )
    found: str | Elsewhere
    match kind:
        case "url":
            found = _endpoint(row)
        case "command":
            found = Command(words=_words(row), timeout=row.duration("timeout") or TIMEOUT)
        case "answers":
            found = AnswersFile(file=_answers(row, is_there))
        case _:
            found = row.entry("entry")
    return Candidate(
        name=name,
        entry=found,
        price_per_call=row.money("price_per_call"),
        reuse=row.is_true("reuse"),
    )


def _kind(name: str, row: Reader) -> str:
    given = [kind for kind in ANSWERS_BY if row.has(kind)]
    if len(given) == 1:
        return given[0]
    alternatives = f"{', '.join(ANSWERS_BY[:-1])} or {ANSWERS_BY[-1]}"
    if not given:
        raise row.mistake(
            f"the candidate {name} has nothing that answers",
            why=f"it takes one of {alternatives}",
            fix=tuple(row.example(kind) for kind in ANSWERS_BY),
        )
    raise row.mistake(
        f"the candidate {name} has both {given[0]} and {given[1]}",
        given[1],
        why=f"it takes one of {alternatives}; two make two candidates",
        fix=(f"remove {given[0]} or {given[1]}",),
    )


# An address


def _endpoint(row: Reader) -> Endpoint:
    text = row.text("url")
    url = _url(row, text)
    allowed = _allowed(row, url)
    headers = _headers(row)
    if headers and url.scheme == "http" and not allowed:
        raise row.mistake(
            "headers_env over http would show its secrets to everybody on the way",
            "url",
            why="only https hides what is sent; a host named in allow_private may do without",
            fix=(f'url = "https{text[4:]}"',),
        )
    return Endpoint(
        url=text,
        headers_env=headers,
        timeout=row.duration("timeout") or TIMEOUT,
        allow_private=allowed,
    )


def _url(row: Reader, text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        is_whole = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        raise _no_url(row, text) from None
    if "@" in url.netloc:  # what stands there may be a secret: it is not shown
        raise row.mistake(
            "url must not hold a user or a password",
            "url",
            why="this file is read, copied and committed, so a secret that stood in it must be "
            "changed",
            fix=('headers_env = { Authorization = "VENDOR_KEY" }',),
        )
    is_plain = _PLAIN.fullmatch(text) is not None and len(text) <= LONGEST_URL
    if not is_whole or not is_plain or url.fragment:
        raise _no_url(row, text)
    return url


def _no_url(row: Reader, text: str) -> SettingsMistake:
    return row.mistake(
        f"url {shown(text)} is no address to post to",
        "url",
        why="it begins with http or https, names a host, and holds plain characters and no #; "
        "others are written as %C3%A4 in a path, and as xn--… in a host",
        fix=(row.example("url"),),
    )


def _allowed(row: Reader, url: SplitResult) -> tuple[str, ...]:
    hosts = row.texts("allow_private")
    for at, host in enumerate(hosts):
        if host.casefold() != url.hostname:
            raise row.mistake(
                f"allow_private names {shown(host)}, and url does not",
                "allow_private",
                at,
                why="no other host is ever asked: redirects are not followed",
                fix=(f'allow_private = ["{url.hostname}"]',),
            )
    return hosts


def _headers(row: Reader) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for header, variable in row.named_texts("headers_env"):
        if not re.fullmatch(HEADER_PATTERN, header) or header.lower() in OURS:
            raise row.mistake(
                f"headers_env cannot set {shown(header)}",
                "headers_env",
                header,
                why="a header is letters, digits and -; " + ", ".join(sorted(OURS)) + " are ours",
                fix=(row.example("headers_env"),),
            )
        if header.lower() in (name.lower() for name in found):
            raise row.mistake(
                f"headers_env sets {shown(header)} twice",
                "headers_env",
                header,
                why="capitals do not tell headers apart",
                fix=("remove one",),
            )
        if not re.fullmatch(VARIABLE_PATTERN, variable):
            # What stands there may be the secret itself: it is not shown.
            raise row.mistake(
                f"headers_env {header} must be the name of a variable, never the secret itself",
                "headers_env",
                header,
                why="names of variables are capital letters, digits and _; this file is read, "
                "copied and committed, so a secret that stood in it must be changed",
                fix=(row.example("headers_env"), "export VENDOR_KEY=…"),
            )
        found[header] = variable
    return tuple(found.items())


# A command, a file


def _words(row: Reader) -> tuple[str, ...]:
    words = row.texts("command")
    if not words or not words[0].strip() or any("\0" in word for word in words):
        raise row.mistake(
            "command names no program",
            "command",
            why="it is the program and its arguments, each in quotes; no shell reads them",
            fix=(row.example("command"),),
        )
    return words


def _answers(row: Reader, is_there: Callable[[str], bool]) -> str:
    text = row.text("answers")
    if not is_there(text):
        raise row.mistake(
            f"the file of answers {shown(text)} is not a file",
            "answers",
            why="nothing readable stands there, seen from the folder of this file",
            fix=('write one answer a line: {"id": "a-17", "output": "shipping"}',),
        )
    return text
