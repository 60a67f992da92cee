"""How the probes are conducted: in order, blocked, counted at the end, nothing secret told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from proveout.domain.delivery import Scheme
from proveout.ports.receiver import Answer, ReceiverNotReachable
from proveout.ready.probes.catalogue import PROBES
from proveout.ready.probes.conduct import conduct
from proveout.ready.probes.probe import Status
from unit.ready.probes.scripted import PAYLOAD, Script, is_signed, rig

if TYPE_CHECKING:
    from proveout.ports.receiver import Letter
    from proveout.ready.probes.probe import Probe


async def test_each_probe_is_told_as_it_begins_and_the_reader_comes_last() -> None:
    told: list[Probe] = []

    found = await conduct(rig(Script()), told.append)

    assert [one.id for one in told] == [
        *(one.id for one in PROBES if one.id != "P06"),
        "P06",
    ]
    assert [one.probe for one in found.results] == list(PROBES)


async def test_nobody_at_all_is_an_outage() -> None:
    """A connection that nobody takes is tried three times, and then nothing was found."""
    script = Script(answer=lambda _: Answer(trouble="refused", is_closed=True))

    with pytest.raises(ReceiverNotReachable):
        await conduct(rig(script), lambda _: None)

    assert len(script.letters) == 3


async def test_a_receiver_that_dies_on_the_way_fails_there_and_blocks_the_rest() -> None:
    """What kills it is the probe that it does not outlive."""
    dead: list[bool] = []

    def answer(letter: Letter) -> Answer:
        if not is_signed(letter):
            dead.append(True)
        return Answer(trouble="refused", is_closed=True) if dead else Answer(status=200)

    found = await conduct(rig(Script(answer=answer)), lambda _: None)

    states = {one.probe.id: one.status for one in found.results}
    assert states["P01"] is Status.PASSED
    assert states["P03"] is Status.FAILED
    assert {states[f"P{n:02}"] for n in range(4, 24)} == {Status.BLOCKED}
    assert not found.holds
    assert found.word == "FAILED"


@pytest.mark.parametrize("told", ["the effects URL answers 500", 0])
async def test_a_counter_that_cannot_tell_is_no_proof(told: int | str) -> None:
    """One that fails leaves probes untested; one that counts nothing at all is not believed."""
    found = await conduct(rig(Script(told=told)), lambda _: None)

    states = {one.probe.id: one.status for one in found.results}
    expected = Status.UNTESTED if isinstance(told, str) else Status.FAILED
    assert {states[name] for name in ("P15", "P16", "P17", "P23")} == {expected}
    assert states["P21"] is Status.UNTESTED


async def test_effects_are_counted_once_a_last_event_had_its_own() -> None:
    """What a queue still holds when the probes end is not missed."""
    script = Script()

    await conduct(rig(script), lambda _: None)

    last = json.loads(script.letters[-1].body)["id"]
    assert last in script.counted
    assert script.counted.index(last) < len(script.counted) - 10


async def test_a_status_that_the_receiver_refuses_proves_nothing() -> None:
    """We know one status of the sample; another may be none of theirs."""

    def answer(letter: Letter) -> Answer:
        return Answer(status=422 if b'"pending"' in letter.body else 200)

    found = await conduct(rig(Script(answer=answer)), lambda _: None)

    assert found.results[19].note == 'it refuses the status "pending"'


@pytest.mark.parametrize(
    ("scheme", "payload", "note"),
    [
        (Scheme.GITHUB, PAYLOAD.replace(b'"created": 1, ', b""), "does not say when"),
        (Scheme.STRIPE, b'{"id": "evt_1"}', "no object with an id"),
    ],
)
async def test_order_needs_an_object_and_a_time(scheme: Scheme, payload: bytes, note: str) -> None:
    found = await conduct(rig(Script(), scheme, payload=payload), lambda _: None)

    assert found.results[19].status is Status.UNTESTED
    assert note in found.results[19].note


async def test_a_result_repeats_neither_secret_nor_signature() -> None:
    """Whatever a receiver says in its errors."""

    def answer(letter: Letter) -> Answer:
        said = b"hush-hush-hush " + letter.expected
        return Answer(status=400 if letter.expected else 200, body=said)

    one = rig(Script(answer=answer))
    one.secrets = ("hush-hush-hush",)

    found = await conduct(one, lambda _: None)

    signatures = {each.letter.expected.decode() for each in one.heard} - {""}
    told = "".join(each.received + each.note + each.sent for each in found.results)
    assert signatures
    assert "[secret]" in told
    assert not [hidden for hidden in (*signatures, "hush-hush-hush") if hidden in told]
    assert found.results[5].status is Status.FAILED


async def test_outcomes_are_told_in_a_word_and_an_account() -> None:
    found = await conduct(rig(Script(counts=False, shows=False), Scheme.GITHUB), lambda _: None)

    assert found.word == "FAILED"
    assert "5 not applicable" in found.account
    assert ("P09, P10", "not applicable: GitHub has no notion of a signed time") in found.reasons
