"""Findings beside a draft, and the words in it that they are about, marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proveout.domain.review import Review


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A finding that still stands.

    Attributes:
        number: by which the mark in the text and the note beside it know each other, from 1.
        field: name of the draft's field that it is in; "" for a draft of one text.
        start: where its words begin in that text as it stands now; None where none are marked.
    """

    number: int
    title: str
    why: str
    field: str
    words: str
    start: int | None
    blocking: bool
    fix: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text; of a note where one marks it."""

    text: str
    note: Note | None = None


def notes_of(review: Review) -> tuple[Note, ...]:
    """Return what still speaks against the content of a review, numbered as it is shown."""
    notes: list[Note] = []
    for number, one in enumerate(review.open_findings, 1):
        words = one.marked(review.draft)
        text = one.text_in(review.content)
        # In the draft itself it stands where the finding says; in an edit, where its words are.
        at = one.start if not review.original and words else text.find(words) if words else None
        notes.append(
            Note(
                number=number,
                title=one.title,
                why=one.why,
                field=one.field,
                words=words,
                start=at,
                blocking=one.blocking,
                fix=one.fix if words else "",
            )
        )
    return tuple(notes)


def pieces(text: str, field: str, notes: Iterable[Note]) -> list[Piece]:
    """Return a field's text in pieces; of marks that overlap the first one stays.

    >>> note = Note(number=1, title="t", why="", field="", words="to", start=3, blocking=True,
    ...             fix="")
    >>> [(one.text, one.note is note) for one in pieces("go to it", "", [note])]
    [('go ', False), ('to', True), (' it', False)]
    """
    found: list[Piece] = []
    end = 0
    here = [one for one in notes if one.start is not None and one.field == field]
    for note in sorted(here, key=lambda one: one.start or 0):
        start = note.start or 0
        if start < end or not text.startswith(note.words, start):
            continue
        found += [Piece(text[end:start]), Piece(note.words, note)]
        end = start + len(note.words)
    found.append(Piece(text[end:]))
    return [one for one in found if one.text]
