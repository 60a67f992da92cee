"""What was recorded is answered again, in its order, and nothing else is made up."""

from __future__ import annotations

from dataclasses import replace

from proveout.domain.journal import Place
from proveout.domain.model_answer import ModelAnswer
from proveout.domain.model_call import Caller
from proveout.domain.model_fault import Fault, FaultKind, Faults
from proveout.domain.run import RunId
from proveout.ports.meter import Asked, Denied
from proveout.run.faults import Injected
from proveout.run.recorded import Recorded

CALLER = Caller(run=RunId("r1"), fence=1, place=Place("", "classify", 0))
QUESTION = Asked(
    provider="openai", model="small", size=9, most=None, path="/x", body=b'{"a":1,"b":2}'
)
FIRST, SECOND = (ModelAnswer(status=200, headers=(), body=body) for body in (b"1", b"2"))


def test_a_question_is_the_same_however_it_is_written() -> None:
    """Order and spaces of its JSON do not matter; vendor, path and every value do."""
    same = replace(QUESTION, body=b' {"b": 2, "a": 1}')
    others = (
        replace(QUESTION, body=b'{"a":1,"b":3}'),
        replace(QUESTION, path="/y"),
        replace(QUESTION, provider="anthropic"),
        replace(QUESTION, body=b"no JSON"),
        replace(QUESTION, body=b"[" * 100_000),
    )

    assert same.digest == QUESTION.digest
    assert len({one.digest for one in (QUESTION, *others)}) == 1 + len(others)


def test_what_is_asked_again_gets_the_next_answer() -> None:
    """In each attempt from the first one on; the last one stays."""
    recorded = Recorded({QUESTION.digest: [FIRST, SECOND]}, is_live=False)

    given = [recorded.answer(CALLER, QUESTION) for _ in range(3)]
    resumed = recorded.answer(replace(CALLER, fence=2), QUESTION)
    other = recorded.answer(replace(CALLER, run=RunId("r2")), QUESTION)

    assert given == [FIRST, SECOND, SECOND]
    assert (resumed, other) == (FIRST, FIRST)


def test_what_was_not_recorded_is_denied_in_words_that_help() -> None:
    """Step, model, and how to record it; live, its vendor is asked."""
    denied = Recorded({}, is_live=False).answer(CALLER, QUESTION)
    outside = Recorded({}, is_live=False).answer(replace(CALLER, place=None), QUESTION)

    assert isinstance(denied, Denied)
    assert denied.code == "not-recorded"
    for word in ("small", "classify", "proveout prove", "record = false", "--live"):
        assert word in denied.message
    assert isinstance(outside, Denied)
    assert "the workflow asks" in outside.message
    assert Recorded({}, is_live=True).answer(CALLER, QUESTION) is None


def test_what_meets_no_fault_is_answered_from_recordings() -> None:
    """A fault comes first, and takes no answer away."""
    recorded = Recorded({QUESTION.digest: [FIRST, SECOND]}, is_live=False)
    fault = Fault(kind=FaultKind.ERROR)
    injected = Injected(Faults(fault=fault, calls=1), recorded)

    assert [injected.answer(CALLER, QUESTION) for _ in range(3)] == [fault, FIRST, SECOND]
