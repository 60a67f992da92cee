"""The rig on which a receiver is probed: what may be sent, how much, and what was heard."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from proveout.domain.delivery import Stamp
from proveout.ports.receiver import Letter, NoWitness
from proveout.ready.probes.sample import Event, Form

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from proveout.domain.delivery import Headers
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.receiver import Answer, Receiver, Witness
    from proveout.ready.probes.contract import Contract
    from proveout.ready.probes.sample import Sample

T = TypeVar("T")

RETRIES = (0.2, 1.0)
"""Seconds before what nobody answered is tried again."""


class Gone(Exception):
    """The receiver took connections, and takes none any more; the text says how that shows."""


class Key(Enum):
    """Whose secret a delivery is signed with."""

    THEIRS = "the receiver's own secret"
    OTHER = "another secret"
    EMPTY = "an empty secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is sent, and how long is waited.

    Attributes:
        burst: events that are sent together.
        copies: copies of one event that are sent at the same moment.
        rounds: how often that is done.
        tries: how often one delivery that came late is tried in all.
        bursts: how often a burst is.
        gap: seconds between two deliveries that are sent one after the other.
        patience: seconds in which an effect must have happened.
        settle: seconds, at least, that are waited for effects too many.
    """

    burst: int = 50
    copies: int = 10
    rounds: int = 3
    tries: int = 5
    bursts: int = 3
    gap: float = 0.02
    patience: float = 30.0
    settle: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A letter with its answer."""

    letter: Letter
    answer: Answer


@dataclass(slots=True, kw_only=True)
class Rig:
    """One receiver under audit, and everything that was sent and heard so far.

    Attributes:
        sign: the headers of a body, signed with one of the keys.
        strain: how many times longer than alone this machine takes for a piece of work.
        secrets: how the receiver's secret might be written in an answer.
        form: how bodies are written; the first form that the receiver accepted.
        fastest: seconds of its fastest acknowledgement.
        lag: seconds from an acknowledgement to its effect, None where none was seen.
    """

    receiver: Receiver
    witness: Witness
    sample: Sample
    sign: Callable[[Key, bytes, Stamp], Headers]
    strain: Callable[[], Awaitable[float]]
    clock: Clock
    ids: Ids
    secrets: tuple[str, ...] = field(default=(), repr=False)
    bounds: Bounds = field(default_factory=Bounds)
    form: Form = Form.SPACED
    fastest: float = math.inf
    lag: float | None = None
    heard: list[Exchange] = field(default_factory=list[Exchange])

    @property
    def contract(self) -> Contract:
        """How the provider writes its deliveries."""
        return self.sample.contract

    def event(
        self,
        *,
        kind: str | None = None,
        is_live: bool = True,
        poison: str | None = None,
        further: Mapping[str, object] | None = None,
    ) -> Event:
        """Return a fresh event about a fresh object, which happens now."""
        return Event(
            id=self.sample.fresh_event(self.ids.new()),
            object=self.sample.fresh_object(self.ids.new()),
            made=self.clock.now(),
            type=kind,
            is_live=is_live,
            poison=poison,
            further=further or {},
        )

    def body(self, event: Event) -> bytes:
        """Return the body of an event, in the form that the receiver accepts."""
        return self.form.write(self.sample.content_of(event))

    def letter(
        self,
        event: Event,
        body: bytes | None = None,
        *,
        key: Key = Key.THEIRS,
        age: float = 0.0,
    ) -> Letter:
        """Return a delivery of an event, signed `age` seconds ago; less than none is to come."""
        body = self.body(event) if body is None else body
        stamp = Stamp(
            event=event.id,
            type=event.type or self.sample.event_type,
            at=self.clock.now() - timedelta(seconds=age),
        )
        headers = self.sign(Key.THEIRS, body, stamp)
        if key is Key.THEIRS:
            return Letter(headers=headers, body=body)
        good = self.contract.bare(headers)
        return Letter(headers=self.sign(key, body, stamp), body=body, expected=good)

    async def send(self, letter: Letter) -> Answer:
        """Return what the receiver answers; a connection that nobody takes is tried again.

        Raises:
            Gone: nobody takes one for good.
        """
        await self.clock.sleep(self.bounds.gap)
        answer = await self.receiver.send(letter)
        for pause in RETRIES:
            if not answer.is_closed:
                break
            await self.clock.sleep(pause)
            answer = await self.receiver.send(letter)
        if answer.is_closed:
            raise Gone(answer.trouble)
        self.heard.append(Exchange(letter=letter, answer=answer))
        if answer.is_acknowledged:
            self.fastest = min(self.fastest, answer.seconds)
        return answer

    async def send_together(
        self, letters: Sequence[Letter], *, same_moment: bool = False
    ) -> list[Answer]:
        """Return what the receiver answers to letters that are all under way at once."""
        answers = await self.receiver.send_together(letters, same_moment=same_moment)
        self.heard += [
            Exchange(letter=letter, answer=answer)
            for letter, answer in zip(letters, answers, strict=True)
        ]
        return answers

    async def count(self, event: str) -> int:
        """Return how many effects an event has had.

        Raises:
            NoWitness: it cannot be told, also when it is asked again.
        """
        return await self._told(lambda: self.witness.count(event))

    async def status(self, object_id: str) -> str | None:
        """Return the status of an object, None where it is not known.

        Raises:
            NoWitness: it cannot be told, also when it is asked again.
        """
        return await self._told(lambda: self.witness.status(object_id))

    async def _told(self, ask: Callable[[], Awaitable[T]]) -> T:
        for pause in RETRIES:
            try:
                return await ask()
            except NoWitness:
                await self.clock.sleep(pause)
        return await ask()
