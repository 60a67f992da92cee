"""Asking for runs in words: what is read, and what is said of that which cannot be."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.domain.run import RunState
from proveout.run.query import LONGEST, WORDS, BadQuery, RunQuery, parse


def test_every_word_narrows_what_is_asked_for() -> None:
    """In any order, with blanks kept in quotes."""
    found = parse(
        ' state:failed,DEAD  workflow:mails release:r3 since:2h error:"took \\"too\\" long"'
        " id:019a key:msg-1 "
    )

    assert found == RunQuery(
        states=(RunState.FAILED, RunState.DEAD),
        workflow="mails",
        release="r3",
        since=timedelta(hours=2),
        error='took "too" long',
        id="019a",
        key="msg-1",
    )


def test_nothing_asks_for_everything() -> None:
    """So does a line of blanks."""
    assert parse("") == parse(" \t ") == RunQuery()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T09:30", datetime(2026, 11, 22, 9, 30, tzinfo=UTC)),
        ("2026-11-22T09:30+01:00", datetime(2026, 11, 22, 8, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc(text: str, moment: datetime) -> None:
    """Unless it names its own zone."""
    assert parse(f"since:{text}").since == moment


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("timeout", 1, "timeout stands alone"),
        ('state:dead "took too long"', 12, "stands alone"),
        ("stat:failed", 1, 'perhaps "state:"'),
        (":x", 1, 'nothing is asked for by ":"'),
        ("state:dead colour:red", 12, 'nothing is asked for by "colour:"'),
        ("state:happy", 1, 'no run is ever "happy"'),
        ("state:failed,", 1, 'no run is ever ""'),
        ("id:a id:b", 6, '"id" is asked for twice'),
        ("key:", 1, '"key:" has no value'),
        ('key:""', 1, '"key:" has no value'),
        ('error:"open', 1, "not closed"),
        ('error:"a"b', 10, "a blank is missing"),
        ("since:yesterday", 1, '"since:yesterday" is no time'),
        ("since:0001-01-01T00:00+14:00", 1, "is no time"),
        ("since:9999weeks", 1, "is no time"),
        ("key:a\0b", 1, "cannot be shown"),
        ("key:\ud800", 1, "cannot be shown"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text: str, place: int, says: str) -> None:
    """And with what would be understood."""
    with pytest.raises(BadQuery) as refused:
        parse(text)

    assert refused.value.message.startswith(f"at character {place}: ")
    assert says in refused.value.message
    assert refused.value.why
    assert refused.value.fix


def test_a_query_has_an_end() -> None:
    """A page of text is no query."""
    with pytest.raises(BadQuery, match="at most"):
        parse("error:" + "x" * LONGEST)


@given(st.text(max_size=80) | st.lists(st.sampled_from([*WORDS, ":", '"', "\\", " "])).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else happens, and a place lies within the text."""
    try:
        parse(text)
    except BadQuery as refused:
        place = re.match(r"at character (\d+)", refused.message)
        assert place is not None
        assert 1 <= int(place[1]) <= len(text)
