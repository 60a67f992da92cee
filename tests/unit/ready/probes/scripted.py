"""A receiver that answers from a script, on a clock that moves only when something waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from doubles.clock import CountedIds, ManualClock
from proveout.adapters.hooks.table import SIGNERS
from proveout.domain.delivery import Scheme
from proveout.ports.receiver import Answer, Letter, NoWitness
from proveout.ready.probes.contract import CONTRACTS
from proveout.ready.probes.rig import Bounds, Key, Rig
from proveout.ready.probes.sample import read_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAYLOAD = (
    b'{"id": "evt_1", "type": "invoice.paid", "created": 1, '
    b'"data": {"object": {"id": "in_1", "status": "paid"}}}'
)
KEYS = {Key.THEIRS: b"theirs", Key.OTHER: b"another", Key.EMPTY: b""}


class HastyClock(ManualClock):
    """Time passes at once for whoever sleeps."""

    async def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))


def is_signed(letter: Letter, scheme: Scheme = Scheme.STRIPE) -> bool:
    """Whether a letter has a signature at all."""
    return any(name == CONTRACTS[scheme].signature for name, _ in letter.headers)


@dataclass
class Script:
    """Answers every letter by one function, and tells counts that were written down."""

    answer: Callable[[Letter], Answer] = lambda _: Answer(status=200, seconds=0.01)
    counts: bool = True
    shows: bool = True
    told: int | str = 1
    letters: list[Letter] = field(default_factory=list[Letter])
    counted: list[str] = field(default_factory=list[str])

    async def send(self, letter: Letter) -> Answer:
        self.letters.append(letter)
        return self.answer(letter)

    async def send_together(
        self, letters: Sequence[Letter], *, same_moment: bool = False
    ) -> list[Answer]:
        assert same_moment in (True, False)
        return [await self.send(one) for one in letters]

    async def hang_up(self, letter: Letter, after: float) -> None:
        assert after >= 0
        self.letters.append(letter)

    async def visit(self) -> Answer:
        return Answer(status=404)

    async def count(self, event: str) -> int:
        self.counted.append(event)
        if isinstance(self.told, str):
            raise NoWitness(self.told)
        return self.told

    async def status(self, object_id: str) -> str | None:
        assert object_id
        return "paid"


def rig(
    script: Script, scheme: Scheme = Scheme.STRIPE, strain: float = 1.0, payload: bytes = PAYLOAD
) -> Rig:
    """Return a rig on which the script is probed."""

    async def strained() -> float:
        return strain

    return Rig(
        receiver=script,
        witness=script,
        sample=read_sample(payload, CONTRACTS[scheme]),
        sign=lambda key, body, stamp: SIGNERS[scheme](body, KEYS[key], stamp),
        strain=strained,
        clock=HastyClock(),
        ids=CountedIds(),
        bounds=Bounds(patience=5),
    )
