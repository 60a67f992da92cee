"""The one way to ask for runs in words: the same text in an address, a command and the API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from proveout.domain.duration import duration
from proveout.domain.run import RunState
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 1_000
"""Characters of a query."""

WORDS = ("state", "workflow", "release", "since", "error", "id", "key")
"""What a query may ask for, each as `word:value`."""

EXAMPLE = "state:failed since:2h error:timeout"

PIECE = re.compile(
    r'(?P<word>[^\s:"]*)(?P<colon>:?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>\S*))'
)
ESCAPED = re.compile(r"\\(.)")


class BadQuery(Mistake):
    """A query for runs cannot be read."""

    code = "bad-query"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """What a query asks for; whatever is empty narrows nothing.

    Attributes:
        states: any of them.
        release: its name, or "draft".
        since: created no longer ago than this, or not before this moment.
        error: in the error's type or message.
        key: the caller's own name for the request.
    """

    states: tuple[RunState, ...] = ()
    workflow: str = ""
    release: str = ""
    since: timedelta | datetime | None = None
    error: str = ""
    id: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """One `word:value` with the place of its first letter, from 1."""

    place: int
    word: str
    value: str


def parse(text: str) -> RunQuery:
    """Return what a query asks for; blanks part its words, and quotes keep blanks in a value.

    Raises:
        BadQuery: it cannot be read; the message says at which character, and what is known.

    >>> parse('state:failed,dead error:"took too long"').error
    'took too long'
    """
    if len(text) > LONGEST:
        raise BadQuery(f"a query has at most {LONGEST:,} characters; this one has {len(text):,}")
    found: dict[str, _Part] = {}
    for part in _parts(text):
        if part.word in found:
            why = "states are parted by a comma" if part.word == "state" else "one value counts"
            _refuse(part.place, f'"{part.word}" is asked for twice', why)
        found[part.word] = part
    plain = {word: part.value for word, part in found.items() if word not in {"state", "since"}}
    return RunQuery(
        states=_states(found["state"]) if "state" in found else (),
        since=_since(found["since"]) if "since" in found else None,
        **plain,
    )


def _parts(text: str) -> Iterator[_Part]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = PIECE.match(text, at)
        assert match is not None  # noqa: S101 - the pattern takes anything but a blank
        yield _part(match, at + 1)
        at = match.end()
        if at < len(text) and not text[at].isspace():
            _refuse(at + 1, "a blank is missing after the closing quote")


def _part(match: re.Match[str], place: int) -> _Part:
    word, value = match["word"].lower(), match["bare"] or ""
    if not match["colon"]:
        said = match[0] if match["quoted"] is None else f'"{match["quoted"]}"'
        _refuse(place, f"{_shown(said)} stands alone", "each part is a word, a colon and a value")
    if word not in WORDS:
        near = get_close_matches(word, WORDS, n=1)
        guess = f'; perhaps "{near[0]}:"' if near else ""
        _refuse(place, f'nothing is asked for by "{_shown(word)}:"{guess}')
    if match["quoted"] is not None:
        value = ESCAPED.sub(r"\1", match["quoted"])
    elif '"' in value:
        _refuse(place, f'the quotes of "{word}:" are not closed, or stand within its value')
    if not value:
        _refuse(place, f'"{word}:" has no value')
    if not value.isprintable():
        _refuse(place, f'the value of "{word}:" holds characters that cannot be shown')
    return _Part(place, word, value)


def _states(part: _Part) -> tuple[RunState, ...]:
    names = [one.strip().upper() for one in part.value.split(",")]
    for name in names:
        if name not in RunState.__members__:
            known = ", ".join(one.lower() for one in RunState)
            _refuse(part.place, f'no run is ever "{_shown(name.lower())}"', f"a run is {known}")
    return tuple(RunState(name) for name in dict.fromkeys(names))


def _since(part: _Part) -> timedelta | datetime:
    try:
        moment = datetime.fromisoformat(part.value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return duration(part.value)
    except Mistake:
        why = "it is a time ago, as 2h or 3days, or a moment in UTC, as 2026-11-22T09:00"
        _refuse(part.place, f'"since:{_shown(part.value)}" is no time', why)


def _refuse(place: int, what: str, why: str = "") -> NoReturn:
    raise BadQuery(
        f"at character {place}: {what}",
        why=why or f"a query may hold {', '.join(f'{one}:' for one in WORDS)}",
        fix=(EXAMPLE,),
    )


def _shown(text: str) -> str:
    short = text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - a line's worth
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in short)
