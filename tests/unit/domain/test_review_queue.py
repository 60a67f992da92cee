"""Queues of reviews: who may decide, and which drafts a sample holds."""

from __future__ import annotations

from proveout.domain.review import Terms
from proveout.domain.review_queue import Queue, find_queue, is_drawn, may_decide
from proveout.domain.run import RunId
from unit.domain.test_desk import asked

RUNS = [RunId(f"run-{n}") for n in range(4000)]


def share(terms: Terms, seed: str = "s") -> float:
    """Return the share of runs whose drafts are drawn."""
    return sum(is_drawn(terms, seed, run, "/review/0") for run in RUNS) / len(RUNS)


def test_a_sample_holds_its_share_and_the_same_drafts_every_time() -> None:
    """Five in a hundred; another seed draws others; no share draws all."""
    terms = Terms(share=0.05)
    drawn = [run for run in RUNS if is_drawn(terms, "s", run, "/review/0")]

    assert 0.035 < share(terms) < 0.065
    assert drawn == [run for run in RUNS if is_drawn(terms, "s", run, "/review/0")]
    assert drawn != [run for run in RUNS if is_drawn(terms, "t", run, "/review/0")]
    assert share(Terms()) == 1


def test_the_less_sure_the_likelier() -> None:
    """From the share itself to every draft; a larger share holds what a smaller one does."""
    shares = [share(Terms(share=0.05, confidence=sure)) for sure in (1, 0.9, 0.5, 0)]

    assert shares == sorted(shares)
    assert 0.11 < shares[1] < 0.18
    assert shares[-1] == 1
    assert all(
        is_drawn(Terms(share=0.2), "s", run, "p")
        for run in RUNS
        if is_drawn(Terms(share=0.1), "s", run, "p")
    )


def test_a_review_is_for_people_and_groups() -> None:
    """A name stands for a person or for a group of them; no name for whoever may review."""
    groups = {"leads": ("ana", "jo")}
    review = asked(terms=Terms(groups=("leads", "bo")))

    assert [may_decide(review, who, groups) for who in ("ana", "bo", "cy", "leads")] == [
        *(True, True, False),
        True,
    ]
    assert may_decide(asked(), "cy", groups)


def test_a_queue_without_rules_has_none() -> None:
    """What the settings do not name is asked as ever."""
    rules = (Queue(name="refunds", four_eyes=True),)

    assert find_queue(rules, "refunds").four_eyes
    assert find_queue(rules, "other") == Queue(name="other")
