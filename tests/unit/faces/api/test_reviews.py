"""Reviews over HTTP: read what waits for a person, and decide it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from doubles.given import DRAFT, Given
from proveout.domain.access import Role
from proveout.domain.review import ReviewState
from proveout.faces.api.shapes import ReviewShape, ReviewsShape

if TYPE_CHECKING:
    import httpx

    from doubles.clock import CountedIds
    from doubles.doors import House
    from doubles.postgres import WatchedClock
    from proveout.domain.review import Review

ONE_STORE = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)
"""What the doors do by themselves is the same on every store."""


@pytest.fixture
async def review(house: House, clock: WatchedClock, ids: CountedIds) -> Review:
    """Return a question that waits for a person."""
    return await Given(house.store, clock, ids).waiting()


async def decide(house: House, review: Review, body: Any) -> httpx.Response:
    """Send a decision as a reviewer."""
    async with await house.as_(Role.REVIEWER) as client:
        return await client.post(f"/api/v1/reviews/{review.id}/decision", json=body)


async def test_what_waits_is_shown_whole(house: House, review: Review) -> None:
    """With the digest that a decision names."""
    async with await house.as_(Role.VIEWER) as client:
        one = await client.get(f"/api/v1/reviews/{review.id}")
        all_ = await client.get("/api/v1/reviews")
        none = await client.get("/api/v1/reviews?queue=other")

    TypeAdapter(ReviewShape).validate_python(one.json(), extra="forbid")
    TypeAdapter(ReviewsShape).validate_python(all_.json(), extra="forbid")
    assert one.json()["content"] == {"reply": "Dear customer"}
    assert one.json()["digest"] == review.digest
    assert [found["id"] for found in all_.json()["reviews"]] == [review.id]
    assert none.json()["reviews"] == []


async def test_an_approval_counts_for_what_was_shown(house: House, review: Review) -> None:
    """The draft is approved in the name of the key; the run goes on."""
    answer = await decide(house, review, {"digest": review.digest, "approved": True})

    words = answer.json()
    assert answer.status_code == 200, answer.text
    assert (words["state"], words["approved"], words["by"]) == ("decided", True, "key-reviewer")
    kept = await house.store.review(review.id)
    assert kept is not None
    assert kept.answer is not None
    assert kept.answer.content == DRAFT


async def test_an_edit_is_what_is_approved(house: House, review: Review) -> None:
    """Any value, null included."""
    asked = {"digest": review.digest, "approved": True, "content": None, "reason": "not needed"}

    answer = await decide(house, review, asked)

    kept = await house.store.review(review.id)
    assert answer.status_code == 200
    assert kept is not None
    assert kept.answer is not None
    assert (kept.answer.content, kept.answer.reason) == (b"null", "not needed")


async def test_one_decision_counts(house: House, review: Review) -> None:
    """Of ten at once nine are told that it is decided."""
    await house.key(Role.REVIEWER)
    yes = {"digest": review.digest, "approved": True}
    no = {"digest": review.digest, "approved": False, "reason": "wrong tone"}

    answers = await asyncio.gather(*(decide(house, review, [yes, no][n % 2]) for n in range(10)))

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["code"] == "already-decided"


async def test_a_decision_about_something_else_is_refused(house: House, review: Review) -> None:
    """409 when the digest is another; the review stays open."""
    answer = await decide(house, review, {"digest": "0" * 64, "approved": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "already-decided")
    kept = await house.store.review(review.id)
    assert kept is not None
    assert kept.state is ReviewState.OPEN


@ONE_STORE
@pytest.mark.parametrize(
    "changes",
    [
        {"digest": None},
        {"digest": "x"},
        {"approved": "yes"},
        {"approved": False},
        {"approved": False, "reason": "  "},
        {"approved": False, "reason": "no", "content": 1},
        {"reason": "\0"},
        {"reason": "x" * 10_001},
        {"by": "somebody else"},
    ],
)
async def test_a_decision_says_all_it_must_and_no_more(
    house: House, review: Review, changes: dict[str, Any]
) -> None:
    """422: nobody decides in another's name, and a rejection says why."""
    answer = await decide(house, review, {"digest": review.digest, "approved": True, **changes})

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-request")


async def test_an_unknown_review_is_nowhere(house: House) -> None:
    """404, also for an id that could not be one."""
    async with await house.as_(Role.REVIEWER) as client:
        answers = [
            await client.get("/api/v1/reviews/none"),
            await client.get("/api/v1/reviews/a%00"),
            await client.post(
                "/api/v1/reviews/none/decision", json={"digest": "0" * 64, "approved": True}
            ),
        ]

    assert {answer.status_code for answer in answers} == {404}
