"""Two texts word by word: what one has that the other has not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

MOST_WORDS = 2000
"""Words of each text that are compared."""


class Kind(StrEnum):
    """What became of some words."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Words that follow each other, and what became of them."""

    kind: Kind
    words: tuple[str, ...]


def word_changes(old: str, new: str) -> tuple[Change, ...]:
    """Return how the words of `old` become those of `new`; how they are spaced does not count.

    >>> [(one.kind.value, *one.words) for one in word_changes("a b c", "a x c")]
    [('same', 'a'), ('removed', 'b'), ('added', 'x'), ('same', 'c')]
    """
    before, after = (text.split()[:MOST_WORDS] for text in (old, new))
    found: list[Change] = []
    for what, i, j, k, m in SequenceMatcher(None, before, after).get_opcodes():
        if what == "equal":
            found.append(Change(kind=Kind.SAME, words=tuple(before[i:j])))
            continue
        for kind, words in ((Kind.REMOVED, before[i:j]), (Kind.ADDED, after[k:m])):
            if words:
                found.append(Change(kind=kind, words=tuple(words)))
    return tuple(found)


def in_words(answer: str) -> str:
    """Return an answer as a person reads it: a JSON text without its quotes, else as it is.

    >>> in_words('"two words"'), in_words('{"a":1}'), in_words("TimeoutError: late")
    ('two words', '{"a": 1}', 'TimeoutError: late')
    """
    try:
        value = json.loads(answer)
    except ValueError:
        return answer
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
