"""Guardrails: what a check found in a draft."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from proveout.errors import Mistake

LONGEST_TEXT = 2_000
"""Characters of a title, an explanation or a fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a draft that a person should see before they decide.

    Attributes:
        title: what it is, in a few words, such as "personal data".
        why: why it matters, or what it rests on.
        field: name of the draft's field that it is in; "" where the draft is one text.
        start: where it begins, in characters of that text; None where it is about the whole.
        end: where it ends; the character there belongs to it no more.
        blocking: the draft cannot be approved while this stands.
        fix: words to write in its place; "" for no proposal.

    Raises:
        Mistake: it has no title, is too long, or begins after its end.
    """

    title: str
    why: str = ""
    field: str = ""
    start: int | None = None
    end: int | None = None
    blocking: bool = False
    fix: str = ""

    def __post_init__(self) -> None:
        texts = (self.title, self.why, self.field, self.fix)
        if not self.title.strip() or max(map(len, texts)) > LONGEST_TEXT:
            raise Mistake(
                f"a finding has a title, and texts of at most {LONGEST_TEXT:,} characters",
                fix=('Finding(title="personal data", start=12, end=34)',),
            )
        if (self.start is None) != (self.end is None) or (
            self.start is not None and self.end is not None and not 0 <= self.start < self.end
        ):
            raise Mistake(
                f"a finding cannot go from {self.start} to {self.end}",
                why="it marks at least one character, or has neither start nor end",
            )

    def marked(self, content: bytes) -> str:
        """Return the words of `content` that it marks; "" where it marks none."""
        return self.text_in(content)[self.start : self.end] if self.start is not None else ""

    def text_in(self, content: bytes) -> str:
        """Return the text of `content` that it is about; "" where there is none."""
        value: Any = json.loads(content)
        if self.field and isinstance(value, dict):
            value = cast("dict[str, Any]", value).get(self.field)
        return value if isinstance(value, str) else ""

    def stands(self, draft: bytes, edit: bytes) -> bool:
        """Whether it is still true once `draft` was edited.

        What marks words stands while they are there; what is about the whole falls with
        the first edit.
        """
        words = self.marked(draft)
        return bool(words) and words in self.text_in(edit)
