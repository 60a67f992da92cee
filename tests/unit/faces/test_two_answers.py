"""What `proveout compare` prints of two answers: words, marks, and no more than there is room."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from proveout.faces.cli import two_answers
from proveout.faces.word_changes import Kind, in_words, word_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

FILL = [f"w{n}" for n in range(30)]


def lines(a: str, b: str) -> list[str]:
    """Return how two answers are printed, without the label."""
    return [line.removeprefix("    answer").strip() for line in two_answers.difference(a, b)]


def joined(words: Sequence[str], *more: str) -> str:
    return " ".join([*words, *more])


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        ('"to billing"', '"to shipping"', "to [-billing-] {+shipping+}"),
        ('"a b"', '"a b c d"', "a b {+c d+}"),
        ('"a b c"', '"c"', "[-a b-] c"),
        ('{"team":"x"}', '{"team":"y"}', '{"team": [-"x"}-] {+"y"}+}'),
        ("TimeoutError: late", '"on time"', "[-TimeoutError: late-] {+on time+}"),
        ('""', '"x"', "{+x+}"),
        ('"x"', "", "[-x-]"),
        ('"same"', '"same"', "the same words"),
        ('"a  b"', '"a\\nb"', "the same words"),
        ("null", "3", "[-null-] {+3+}"),
    ],
)
def test_two_answers_are_shown_word_by_word(a: str, b: str, shown: str) -> None:
    assert joined(lines(a, b)) == shown


def test_unchanged_words_far_from_a_change_are_left_out() -> None:
    """Three on each side are enough to find the place."""
    text = joined(FILL)

    [line] = lines(f'"{text} old {text}"', f'"{text} new {text}"')

    dots = two_answers.dots()
    assert line == f"{dots} w27 w28 w29 [-old-] {{+new+}} w0 w1 w2 {dots}"


def test_long_changes_and_long_words_are_shortened() -> None:
    """Whatever an answer holds, it takes no more than a dozen lines of the width there is."""
    long = " ".join(f"{n}{'x' * 200}" for n in range(500))

    shown = list(two_answers.difference(f'"{long}"', '"short"'))

    assert len(shown) <= two_answers.MOST_LINES + 1
    assert "more lines: --json" in shown[-1]
    assert max(map(len, shown)) <= two_answers.WIDEST


def test_what_could_steer_a_terminal_is_made_visible() -> None:
    [line] = lines('"ok"', '"\\u001b[2Jgone \\u202eabc"')

    assert not re.search("[\x1b\u202e]", line)
    assert "gone" in line


def test_changes_put_together_are_both_texts() -> None:
    old, new = "the cat sat on the mat", "a cat sat on mats today"

    changes = word_changes(old, new)

    kept, made = (
        joined([word for one in changes if one.kind is not kind for word in one.words])
        for kind in (Kind.ADDED, Kind.REMOVED)
    )
    assert (kept, made) == (old, new)


def test_an_answer_that_is_no_json_is_read_as_it_is() -> None:
    assert in_words("KeyError: 'a'") == "KeyError: 'a'"
    assert in_words('"é"') == "é"
    assert in_words('["é",1]') == '["é", 1]'
