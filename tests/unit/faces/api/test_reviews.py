"""Reviews over HTTP: read what waits for a person, and decide it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from doubles.given import DRAFT, Given
from proveout.domain.access import Role
from proveout.domain.desk import ToClaim
from proveout.domain.review import ReviewState, Terms, content_digest
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


async def told(house: House, review: Review) -> list[tuple[str, str, Any]]:
    """Return what the ledger tells of a review, the first first: who, what, and the facts."""
    found = await house.store.ledger()
    return [
        (one.actor, one.act, json.loads(one.facts))
        for one in reversed(found)
        if one.subject == review.id
    ]


async def test_the_ledger_tells_who_decided_what(
    house: House, clock: WatchedClock, ids: CountedIds
) -> None:
    """By digests of what was read and sent; an erased run leaves no word of it."""
    given = Given(house.store, clock, ids)
    first, second = await given.waiting(), await given.waiting()
    edit = {"digest": first.digest, "approved": True, "content": {"reply": "Another word"}}
    no = {"digest": second.digest, "approved": False, "reason": "a tone that nobody likes"}

    await decide(house, first, edit)
    await decide(house, first, edit)
    await decide(house, second, no)

    [[who, what, facts]] = await told(house, first)
    assert (who, what) == ("key-reviewer", "approve review")
    sent = content_digest(b'{"reply":"Another word"}')
    assert (facts["saw"], facts["sends"], facts["run"]) == (first.digest, sent, first.run)
    [[_, what, facts]] = await told(house, second)
    assert (what, facts["saw"]) == ("reject review", second.digest)
    assert "tone" not in str(facts)


@ONE_STORE
async def test_the_ledger_tells_of_both_of_two_and_of_what_is_taken_back(
    house: House, clock: WatchedClock, ids: CountedIds
) -> None:
    review = await Given(house.store, clock, ids).waiting(terms=Terms(four_eyes=True))
    approval = {"digest": review.digest, "approved": True}

    await decide(house, review, approval)
    await act(house, review, "undo")

    acts = [(what, facts.get("waits_for_second")) for _, what, facts in await told(house, review)]
    assert acts == [("approve review", True), ("take back decision", None)]


async def act(house: House, review: Review, verb: str, body: Any = None) -> httpx.Response:
    """Do something with a review as a reviewer."""
    async with await house.as_(Role.REVIEWER) as client:
        return await client.post(f"/api/v1/reviews/{review.id}/{verb}", json=body)


async def test_everything_people_do_can_be_done_over_http(house: House, review: Review) -> None:
    """Each act answers with the review as it is afterwards."""
    claimed = (await act(house, review, "claim")).json()
    released = (await act(house, review, "release")).json()
    edited = (
        await act(house, review, "edit", {"digest": review.digest, "content": {"reply": "Hi"}})
    ).json()
    assigned = (await act(house, review, "assign", {"to": ""})).json()
    escalated = (await act(house, review, "escalate", {"why": "above my limit"})).json()
    snoozed = (await act(house, review, "snooze", {"for": "1 h"})).json()

    assert (claimed["state"], claimed["claimed_by"]) == ("claimed", "key-reviewer")
    assert released["claimed_by"] is None
    assert edited["digest"] != review.digest
    assert (edited["content"], edited["draft"]) == ({"reply": "Hi"}, {"reply": "Dear customer"})
    assert assigned["assigned_to"] is None
    assert (escalated["escalated_by"], escalated["escalated_why"]) == (
        "key-reviewer",
        "above my limit",
    )
    assert snoozed["snoozed_until"] is not None
    TypeAdapter(ReviewShape).validate_python(snoozed, extra="forbid")


@ONE_STORE
@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("release", None, "not-yours"),
        ("undo", None, "already-decided"),
        ("edit", {"digest": "0" * 32, "content": 1}, "already-decided"),
    ],
)
async def test_what_cannot_be_done_is_a_conflict(
    house: House, review: Review, verb: str, body: Any, code: str
) -> None:
    """409 with a code of its own, and nothing has changed."""
    answer = await act(house, review, verb, body)

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert await house.store.review(review.id) == review


@ONE_STORE
async def test_somebody_elses_claim_is_a_conflict(
    house: House, review: Review, clock: WatchedClock, ids: CountedIds
) -> None:
    """Nobody else decides it, and only an operator hands it on."""
    given = Given(house.store, clock, ids)
    await house.store.write(given.handle(review, ToClaim(timedelta(minutes=5)), "bo"))

    taken = await act(house, review, "claim")
    decided = await decide(house, review, {"digest": review.digest, "approved": True})
    assigned = await act(house, review, "assign", {"to": ""})

    assert [one.status_code for one in (taken, decided, assigned)] == [409, 409, 403]
    assert {taken.json()["code"], decided.json()["code"]} == {"review-held"}


@ONE_STORE
async def test_a_review_is_for_its_group(
    house: House, clock: WatchedClock, ids: CountedIds
) -> None:
    """403 for whoever is none of those whom it names."""
    terms = Terms(groups=("leads",))
    review = await Given(house.store, clock, ids).waiting(terms=terms)

    answer = await decide(house, review, {"digest": review.digest, "approved": True})

    assert (answer.status_code, answer.json()["code"]) == (403, "no-right")
    assert await house.store.review(review.id) == review


@ONE_STORE
async def test_a_first_approval_of_two_leaves_it_open(
    house: House, clock: WatchedClock, ids: CountedIds
) -> None:
    """The answer says who gave it; the same person's second is a conflict."""
    review = await Given(house.store, clock, ids).waiting(terms=Terms(four_eyes=True))
    approval = {"digest": review.digest, "approved": True}

    first = await decide(house, review, approval)
    second = await decide(house, review, approval)

    assert (first.json()["state"], first.json()["approved_by"]) == ("open", "key-reviewer")
    assert (second.status_code, second.json()["code"]) == (409, "second-person-needed")


@ONE_STORE
async def test_the_queue_comes_a_page_at_a_time(
    house: House, clock: WatchedClock, ids: CountedIds
) -> None:
    """`next` of one page is the `cursor` of the one behind it."""
    given = Given(house.store, clock, ids)
    waiting = [(await given.waiting()).id for _ in range(5)]
    found: list[str] = []

    async with await house.as_(Role.VIEWER) as client:
        page = (await client.get("/api/v1/reviews?limit=2")).json()
        found += [one["id"] for one in page["reviews"]]
        while page["next"]:
            page = (await client.get(f"/api/v1/reviews?limit=2&cursor={page['next']}")).json()
            found += [one["id"] for one in page["reviews"]]

    assert found == waiting
