"""Text that users, models and vendors wrote, made fit to be shown."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass

HEAD = 700
"""Characters of a long text that are shown from its beginning."""

TAIL = 160
"""Characters of a long text that are shown from its end."""

SHORT = 72
"""A JSON text up to this length stays on one line."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but neither tab nor line feed
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINER = "\u200d"
_PICTURES = 0x2400
_DELETE = 0x7F
_SPACE = 0x20
_MOST_JOINED = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A text, or its beginning and its end where it is long.

    Attributes:
        left_out: count of characters between `head` and `tail`.
    """

    head: str
    left_out: int = 0
    tail: str = ""


def harmless(text: str) -> str:
    r"""Return the text with every character that steers, reorders or hides made visible.

    Joiners stay, for emoji and Persian need them.

    >>> harmless("a\x1b[31mb")
    'a␛[31mb'
    """
    return _UNSEEN.sub(lambda found: _seen(ord(found[0])), text)


def _seen(code: int) -> str:
    if code < _SPACE:
        return chr(_PICTURES + code)
    return "\N{SYMBOL FOR DELETE}" if code == _DELETE else f"⟨U+{code:04X}⟩"


def excerpt(text: str) -> Excerpt:
    """Return at most `HEAD` and `TAIL` characters of the text, no letter torn from its accent.

    >>> excerpt("short").left_out
    0
    """
    if len(text) <= HEAD + TAIL:
        return Excerpt(head=harmless(text))
    first, last = _seam(text, HEAD), _seam(text, len(text) - TAIL)
    return Excerpt(head=harmless(text[:first]), left_out=last - first, tail=harmless(text[last:]))


def _seam(text: str, at: int) -> int:
    """Return a place at or shortly before `at` where two characters do not belong together."""
    for place in range(at, max(at - _MOST_JOINED, 0), -1):
        before, after = text[place - 1], text[place]
        if _JOINER not in (before, after) and unicodedata.category(after)[0] != "M":
            return place
    return at


def readable(text: str) -> str:
    r"""Return JSON text as a person reads it; any other text as it is.

    A string of several lines is shown as these lines, a long object on several; a short
    value stays JSON, so that "5" and 5 differ.

    >>> print(readable('"Hello,\\nwhere is it?"'))
    Hello,
    where is it?
    """
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, str):
        return value if "\n" in value else text
    if isinstance(value, dict | list) and len(text) > SHORT:
        return json.dumps(value, ensure_ascii=False, indent=2)
    return text
