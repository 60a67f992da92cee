"""Rehearsals: recorded answers in the place of steps, a counter in the place of effects."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from doubles.deeds import Deeds
from doubles.given import Given
from doubles.shop import Shop, top
from proveout.domain.journal import EntryKind, Place, Returned
from proveout.domain.release import effect_scope
from proveout.domain.run import RunState
from proveout.run.ask import review
from proveout.run.call import idempotency_key
from proveout.run.define import effect, step, workflow
from proveout.run.payload import digest, signature

if TYPE_CHECKING:
    from proveout.domain.run import Run
    from proveout.domain.workflow import Step


@dataclass(frozen=True)
class Label:
    """What a step makes of a mail."""

    name: str


called: list[str] = []


@step
async def read(mail: str) -> Label:
    called.append(f"read {mail}")
    return Label("called")


@step(retries=1)
def look_up(mail: str) -> Label:
    called.append(f"look up {mail}")
    return Label("called")


@effect(retries=1, in_trial=7)
async def send(mail: str, *, idempotency_key: str = "") -> int:
    called.append(f"send {mail} {idempotency_key}")
    return 1


@workflow
async def triage(mail: str) -> tuple[str, int]:
    label = await read(mail)
    return label.name, await send(mail)


@workflow
def plainly(mail: str) -> str:
    return look_up(mail).name


@dataclass
class Script:
    """A rehearsal from a script.

    Attributes:
        answers: what steps returned, by name and digest of their arguments.
        asked: the names of the steps that were asked about, in order.
        carried: effect, key and arguments of what was carried, in order.
        troubles: errors to raise, the next one last.
    """

    answers: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    asked: list[str] = field(default_factory=list[str])
    carried: list[tuple[str, str, bytes]] = field(default_factory=list[tuple[str, str, bytes]])
    troubles: list[Exception] = field(default_factory=list[Exception])

    def record(self, of: Step[..., Any], mail: str, result: bytes) -> None:
        """Have a step's answer to a mail recorded."""
        arguments = signature(of.function).arguments((mail,), {})
        self.answers[of.name, digest(arguments)] = result

    async def answer(self, run: Run, step: str, digest: str) -> bytes | None:
        assert run.workflow in {"triage", "plainly"}
        self.asked.append(step)
        if self.troubles:
            raise self.troubles.pop()
        return self.answers.get((step, digest))

    async def carry(self, run: Run, effect: str, key: str, arguments: bytes) -> None:
        assert run.state is RunState.RUNNING
        self.carried.append((effect, key, arguments))
        if self.troubles:
            raise self.troubles.pop()


@pytest.fixture(autouse=True)
def _nothing_called() -> None:
    called.clear()


@pytest.fixture
def script() -> Script:
    """Return a script in which reading one mail is recorded."""
    script = Script()
    script.record(read, "late parcel", b'{"name": "recorded"}')
    return script


async def test_a_recorded_answer_stands_in_for_the_step(shop: Shop, script: Script) -> None:
    """It has the type that the step promises, and is journaled as the step's result."""
    run = await shop.done(triage, "late parcel", rehearsal=script)

    assert await shop.result(run.id) == ["recorded", 7]
    assert called == []
    entry = await shop.entry(run.id, "read")
    assert (entry.kind, entry.outcome) == (EntryKind.STEP, Returned(b'{"name":"recorded"}'))


async def test_a_plain_step_is_answered_alike(shop: Shop, script: Script) -> None:
    script.record(look_up, "late parcel", b'{"name": "recorded"}')

    run = await shop.done(plainly, "late parcel", rehearsal=script)

    assert await shop.result(run.id) == "recorded"
    assert called == []


async def test_without_a_recorded_answer_the_step_is_called(shop: Shop, script: Script) -> None:
    """An answer to other arguments is none."""
    run = await shop.done(triage, "broken cup", rehearsal=script)

    assert script.asked == ["read"]
    assert await shop.result(run.id) == ["called", 7]
    assert called == ["read broken cup"]


async def test_without_a_rehearsal_everything_is_called(shop: Shop) -> None:
    """Negative control: it is the rehearsal, and nothing else, that stands in."""
    run = await shop.done(triage, "late parcel")

    assert await shop.result(run.id) == ["called", 1]
    assert called == [
        "read late parcel",
        f"send late parcel {idempotency_key(run.id, Place('', 'send', 0))}",
    ]


async def test_an_effect_is_carried_once_under_its_key(shop: Shop, script: Script) -> None:
    """With the key and the arguments of the real call, which is not made."""
    run = await shop.done(triage, "late parcel", rehearsal=script)

    key = idempotency_key(run.id, Place("", "send", 0))
    [(name, carried, arguments)] = script.carried
    assert (name, carried) == ("send", key)
    assert b"late parcel" in arguments
    assert called == []
    assert (await shop.entry(run.id, "send")).kind is EntryKind.EFFECT


async def test_an_effect_that_is_carried_again_keeps_its_key(shop: Shop, script: Script) -> None:
    """A receiver that did not answer gets the same key a second time."""
    script.record(read, "late parcel", b'{"name": "recorded"}')
    script.troubles = [ConnectionError("no answer")]
    carrying = Carrying(script)

    run = await shop.done(triage, "late parcel", rehearsal=carrying)

    assert run.state == RunState.SUCCEEDED
    first, second = script.carried
    assert first == second
    assert (await shop.entry(run.id, "send")).tries == 2


@dataclass
class Carrying:
    """A script whose troubles meet effects only."""

    script: Script

    async def answer(self, run: Run, step: str, digest: str) -> bytes | None:
        assert run.workflow == "triage"
        return self.script.answers.get((step, digest))

    async def carry(self, run: Run, effect: str, key: str, arguments: bytes) -> None:
        await self.script.carry(run, effect, key, arguments)


async def test_an_effect_in_the_journal_is_not_carried_again(shop: Shop, script: Script) -> None:
    """A rehearsed run that waits and resumes has carried its effect once."""

    @workflow
    @top
    async def triage(mail: str) -> int:
        told = await send(mail)
        await review("a draft")
        return told

    run = await shop.done(triage, "late parcel", rehearsal=script)
    [asked] = await shop.reviews()
    await shop.answer(asked)
    run = await shop.again(triage, run.id, rehearsal=script)

    assert (run.state, len(script.carried)) == (RunState.SUCCEEDED, 1)


@effect(in_trial=3)
def tell(mail: str, *, idempotency_key: str = "") -> int:
    called.append(f"tell {mail} {idempotency_key}")
    return 1


@step
async def answers_itself(mail: str) -> int:
    return await send(mail)


@step
def answers_plainly(mail: str) -> int:
    return tell(mail)


@step
async def answers_on_the_loop(mail: str) -> int:
    return tell(mail)


@pytest.mark.parametrize(("inside", "gives"), [(answers_itself, 7), (answers_plainly, 3)])
async def test_an_effect_inside_a_step_is_carried_too(
    shop: Shop, script: Script, inside: Step[..., Any], gives: int
) -> None:
    """A step that nobody recorded is called, and still sends nothing into the world."""

    @workflow
    @top
    async def through(mail: str) -> int:
        if inside.is_async:
            return await inside(mail)
        return await asyncio.to_thread(inside, mail)

    run = await shop.done(through, "late parcel", rehearsal=AnyRun(script))

    assert await shop.result(run.id) == gives
    name = "send" if inside.is_async else "tell"
    assert [effect for effect, _, _ in script.carried] == [name]
    assert called == []


async def test_a_plain_effect_on_the_loop_is_refused_in_a_rehearsal(
    shop: Shop, script: Script
) -> None:
    """It could not wait for the receiver, and must not reach the world instead."""

    @workflow
    @top
    async def through(mail: str) -> int:
        return await answers_on_the_loop(mail)

    run = await shop.done(through, "late parcel", rehearsal=AnyRun(script))

    assert run.failure is not None
    assert "called on the loop" in run.failure.message
    assert called == []


@dataclass
class AnyRun:
    """A script without answers, for whatever workflow."""

    script: Script

    async def answer(self, run: Run, step: str, digest: str) -> bytes | None:  # noqa: ARG002
        return None

    async def carry(self, run: Run, effect: str, key: str, arguments: bytes) -> None:
        await self.script.carry(run, effect, key, arguments)


async def test_a_trouble_of_the_script_is_the_steps_own(shop: Shop, script: Script) -> None:
    """A drill may let a step fail: it is tried again as it declares, then fails for good."""
    script.troubles = [TimeoutError("slow"), TimeoutError("slow"), TimeoutError("slow")]
    failed = await shop.done(triage, "late parcel", rehearsal=script)
    retried = await shop.done(plainly, "late parcel", rehearsal=Script(troubles=[OSError("once")]))

    assert failed.state == RunState.DEAD
    assert failed.failure is not None
    assert (failed.failure.step, failed.failure.type) == ("read", "TimeoutError")
    assert retried.state == RunState.SUCCEEDED
    assert called == ["look up late parcel"]


async def test_a_captured_effect_is_not_carried(shop: Shop, script: Script) -> None:
    """In a trial nothing goes to anyone, rehearsal or not."""
    run = await shop.done(triage, "late parcel", rehearsal=script, captures=True)

    assert (script.carried, called) == ([], [])
    assert (await shop.entry(run.id, "send")).kind is EntryKind.CAPTURED


async def test_a_halted_effect_is_not_carried(shop: Shop, script: Script) -> None:
    """The kill switch is drilled as it is."""
    await Deeds(Given(shop.store, shop.clock, shop.ids)).halt(effect_scope("send"))

    run = await shop.done(triage, "late parcel", rehearsal=script)

    assert (run.state, script.carried) == (RunState.WAITING, [])
