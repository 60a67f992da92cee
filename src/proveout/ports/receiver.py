"""A receiver of webhooks that knows nothing of us, and what tells what deliveries led to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from proveout.errors import Mistake, Outage, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proveout.domain.delivery import Headers

LONGEST_KEPT = 65_536
"""Bytes of an answer that are read; what a receiver says beyond is not waited for."""

PATIENCE = 15.0
"""Seconds in which an answer must begin."""


class BadAddress(Mistake):
    """An address is not one that can be probed as it is written."""

    code = "bad-address"


class HostNotAllowed(Refusal):
    """A host is not this machine, and nobody allowed it by name."""

    code = "host-not-allowed"


class ReceiverNotReachable(Outage):
    """Nobody answers at the address of a receiver."""

    code = "receiver-not-reachable"


class NoWitness(Exception):
    """What counts effects, or shows the state, cannot tell now; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A delivery as it is put on the wire.

    Attributes:
        expected: the signature that the receiver's own secret makes of it, bare; empty where
            it carries that very signature.
    """

    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    expected: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver answered.

    Attributes:
        status: None where no answer came.
        headers: by their names in small letters.
        body: its beginning, at most `LONGEST_KEPT` bytes.
        seconds: from the beginning of the request to the head of the answer.
        trouble: why no answer came, or "".
        is_closed: nobody took the connection.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    trouble: str = ""
    is_closed: bool = False

    @property
    def is_acknowledged(self) -> bool:
        """Whether the sender would cross the delivery off its list."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, 15.3

    @property
    def is_refused(self) -> bool:
        """Whether it says that the delivery itself is bad."""
        return self.status is not None and 400 <= self.status < 500  # noqa: PLR2004 - RFC 9110, 15.5

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode("utf-8", "replace")


class Receiver(Protocol):
    """Takes letters."""

    async def send(self, letter: Letter) -> Answer:
        """Return what it answers, or that it does not."""
        ...

    async def send_together(
        self, letters: Sequence[Letter], *, same_moment: bool = False
    ) -> list[Answer]:
        """Return what it answers to letters that are all under way at once.

        Args:
            letters: in the order of the answers.
            same_moment: the last byte of each is held back until all others were sent.
        """
        ...

    async def hang_up(self, letter: Letter, after: float) -> None:
        """Send a letter whole, and close the connection `after` seconds later."""
        ...

    async def visit(self) -> Answer:
        """Return what its server answers at a place where nothing is."""
        ...


class Witness(Protocol):
    """Tells what deliveries have led to."""

    @property
    def counts(self) -> bool:
        """Whether it was said how effects are counted."""
        ...

    @property
    def shows(self) -> bool:
        """Whether it was said where the state of objects is shown."""
        ...

    async def count(self, event: str) -> int:
        """Return how many effects an event has had.

        Raises:
            NoWitness: it cannot be told.
        """
        ...

    async def status(self, object_id: str) -> str | None:
        """Return the status of an object, None where it is not known.

        Raises:
            NoWitness: it cannot be told.
        """
        ...
