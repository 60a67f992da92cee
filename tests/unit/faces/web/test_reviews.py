"""Reviews as their pages show them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from doubles.pages import APPROVED, DRAFT, NOW, OPEN, PAGES, REJECTED, review
from proveout.domain.review import Answer, OnExpiry, ReviewState
from proveout.faces.web.render import render
from proveout.faces.web.reviews import START, review_page, review_row, undoable


def test_a_row_shows_the_beginning_of_the_longest_text() -> None:
    """That is what tells one draft from another; it stays on one line."""
    row = review_row(OPEN)

    assert row.start.startswith("Dear Ana, I am sorry for the double charge")
    assert len(row.start) <= START + 1
    assert "\n" not in row.start


def test_a_draft_without_a_text_is_shown_as_it_is() -> None:
    row = review_row(review("r", json.dumps({"amount": 149}).encode()))

    assert row.start == "149"


def test_an_open_review_says_what_follows_if_nobody_answers() -> None:
    """Never an approval."""
    said = [review_page(replace(OPEN, on_expiry=end)).after for end in OnExpiry]

    assert sorted(said) == ["then the draft is rejected", "then the run is parked"]


def test_an_approval_of_other_words_is_an_edit() -> None:
    """The page shows what was approved instead; another lay-out of the same is no edit."""
    same = json.dumps(json.loads(DRAFT), indent=4).encode()
    plain = replace(APPROVED, answer=Answer(approved=True, content=same, by="bo"))

    edited, approved = review_page(APPROVED), review_page(plain)

    assert edited.status == "edited"
    assert edited.made is not None
    assert edited.made.draft is not None
    assert "3 to 7 days" in edited.made.draft.parts[-1].text
    assert approved.status == "approved"
    assert approved.made is not None
    assert approved.made.draft is None


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (OPEN, "open"),
        (REJECTED, "rejected"),
        (replace(OPEN, state=ReviewState.SUPERSEDED), "superseded"),
        (
            replace(
                REJECTED,
                state=ReviewState.EXPIRED,
                answer=Answer(approved=False, content=DRAFT, by="proveout", expired=True),
            ),
            "expired",
        ),
    ],
)
def test_only_an_open_review_can_be_decided(one: object, status: str) -> None:
    page = review_page(one)  # pyright: ignore[reportArgumentType] - rows of a table

    assert page.status == status
    assert page.is_open == (status == "open")


def test_who_edited_a_draft_is_named_in_one_line() -> None:
    """Nothing parts the name from what follows."""
    text = render(*PAGES["review, edited by another"])

    assert "<span>Edited by <bdi>nina</bdi>: the draft as it was</span></summary>" in text


@pytest.mark.parametrize("name", ["review", "review, wrong edit", "review, wrong person"])
def test_only_what_is_wrong_takes_the_focus(name: str) -> None:
    """At most one field does, and its reason is beside it."""
    text = render(*PAGES[name])

    assert text.count(" autofocus") == text.count('id="wrong"') == (name != "review")


def test_an_unsaved_edit_is_not_passed_over() -> None:
    """Approving what stands there names it as what it is, and the edit can be dropped."""
    plain, unsaved = (render(*PAGES[name]) for name in ("review", "review, wrong edit"))

    assert "Approve the draft as it was" in unsaved
    assert "Approve the draft as it was" not in plain
    assert 'href="/reviews/01JE0008" data-settles>Drop it</a>' in unsaved


@pytest.mark.parametrize(
    ("name", "seconds", "can"), [("bo", 9, True), ("bo", 0, False), ("cy", 9, False)]
)
def test_only_who_decided_can_undo_it_and_in_time(name: str, seconds: int, can: bool) -> None:
    """What has taken effect, or is somebody else's, stands."""
    decided = replace(APPROVED, takes_effect=NOW + timedelta(seconds=seconds))

    assert (undoable(decided, name, NOW) is not None) == can
    assert undoable(APPROVED, name, NOW) is None
