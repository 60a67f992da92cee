"""A run as its page shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from doubles.pages import BERLIN, FAILED_JOURNAL, FAILED_RUN, JOURNAL, NOW, RUN, entry, review
from proveout.domain.experiment import ExperimentId
from proveout.domain.journal import EntryKind, Pending, Returned
from proveout.domain.review import Answer, ReviewState
from proveout.domain.run import MOVES, RunId, RunState, Trial
from proveout.faces.web.frame import Tone
from proveout.faces.web.run_detail import run_page


def test_each_entry_says_what_came_of_it() -> None:
    """A value, a failure, or what it waits for."""
    timer = entry("snooze", 400, 0, Pending(NOW + timedelta(hours=1)), kind=EntryKind.SLEEP)
    page = run_page(RUN, (*FAILED_JOURNAL, *JOURNAL[-1:], timer), "r14", NOW, BERLIN)

    said = {step.name: (step.look, step.tone, step.outcome, step.start) for step in page.steps}

    assert said["classify"] == (
        "step",
        Tone.PLAIN,
        "returned",
        '{"label": "refund", "confidence": 0.58}',
    )
    assert said["send receipt"][0] == "effect"
    assert said["draft reply"] == (
        "failed",
        Tone.NO,
        "failed",
        "TimeoutError: the model did not answer within 30 s",
    )
    assert said["approve reply"] == ("pending", Tone.WAIT, "waits for a person", "")
    assert said["snooze"][2] == "waits until 22 Nov 2026, 14:42 CET"


def test_a_trial_says_whose_answer_it_reuses_and_a_replay_what_it_repeats() -> None:
    """Both name another run, and only one of them was called."""
    trial = Trial(experiment=ExperimentId("e"), candidate="workflow", position=0, case="c")
    replayed = replace(RUN, origin=RunId("r1"))

    pages = [
        run_page(one, (), "", NOW, BERLIN)
        for one in (RUN, replayed, replace(replayed, trial=trial))
    ]

    told = [(page.replay_of, page.reuses) for page in pages]
    assert told == [("", ""), ("r1", ""), ("", "r1")]


def test_a_wait_ends_with_its_run() -> None:
    """Of a run that was cancelled nothing waits any more; the wait is drawn until then."""
    cancelled = replace(RUN, state=RunState.CANCELLED, updated=NOW - timedelta(minutes=10))

    last = run_page(cancelled, JOURNAL, "r14", NOW, BERLIN).steps[-1]

    assert (last.look, last.tone) == ("wait", Tone.PLAIN)
    assert last.outcome == "the wait ended with the run"
    assert last.took == "4 min 52 s"


def test_what_a_run_left_begun_stays_unknown() -> None:
    """An effect whose outcome nobody knows is no wait."""
    begun = replace(JOURNAL[-1], kind=EntryKind.EFFECT)
    cancelled = replace(RUN, state=RunState.CANCELLED)

    last = run_page(cancelled, (begun,), "r14", NOW, BERLIN).steps[-1]

    assert (last.look, last.outcome) == ("pending", "begun, outcome unknown")


def test_what_waits_is_drawn_until_now() -> None:
    """A review that is open for fourteen minutes says so."""
    page = run_page(RUN, JOURNAL, "r14", NOW, BERLIN)

    last = page.steps[-1]

    assert last.took == "14 min 52 s"
    assert last.place.x + last.place.width == pytest.approx(1.0)
    assert page.is_folded


def test_a_review_takes_as_long_as_it_waited_for_people() -> None:
    """Not the moment in which its run read the answer."""
    asked = replace(JOURNAL[-1], outcome=Returned(b'"yes"'), elapsed=0.0)
    opened = asked.started
    answer = Answer(approved=True, content=b'"yes"', by="jo")
    decided = review(
        "v1",
        place=asked.place,
        state=ReviewState.DECIDED,
        answer=answer,
        opened=opened,
        decided=opened + timedelta(minutes=3),
    )

    page = run_page(RUN, (*JOURNAL[:-1], asked), "r14", NOW, BERLIN, reviews=[decided])

    assert page.steps[-1].took == "3 min"
    assert page.asks == ""


def test_a_run_that_waits_for_a_person_leads_to_what_it_asks() -> None:
    page = run_page(RUN, JOURNAL, "r14", NOW, BERLIN, reviews=[review("v1")])

    assert page.asks == "v1"


def test_a_rejection_says_why() -> None:
    """In the words of whoever rejected, which the form promised would be read."""
    answer = Answer(approved=False, content=b"1", by="jo", reason="no such order")
    decided = review("v1", state=ReviewState.DECIDED, answer=answer)

    failed = run_page(FAILED_RUN, FAILED_JOURNAL, "r13", NOW, BERLIN, reviews=[decided])
    ended = run_page(RUN, JOURNAL, "r14", NOW, BERLIN, reviews=[decided])

    assert (failed.because, ended.because) == ("no such order", "")


def test_the_legend_names_only_what_is_drawn() -> None:
    page = run_page(FAILED_RUN, FAILED_JOURNAL, "r13", NOW, BERLIN)

    assert page.looks == ("step", "effect", "failed")


@pytest.mark.parametrize("state", RunState)
def test_a_run_can_be_cancelled_while_a_move_is_left(state: RunState) -> None:
    """The page offers what the table of moves holds, and replays what failed."""
    page = run_page(replace(RUN, state=state), (), "r14", NOW, BERLIN)

    assert page.can_cancel == (RunState.CANCELLED in MOVES[state])
    assert page.can_replay == (state in {RunState.FAILED, RunState.DEAD})


def test_entries_are_shown_in_the_order_in_which_they_began() -> None:
    """A store may give them in any order."""
    page = run_page(RUN, JOURNAL[::-1], "r14", NOW, BERLIN)

    assert [step.started for step in page.steps] == sorted(one.started for one in JOURNAL)
