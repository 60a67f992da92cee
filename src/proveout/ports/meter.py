"""What counts the calls of models, and says which may be made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from proveout.domain.model_answer import ModelAnswer
from proveout.domain.model_fault import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from proveout.domain.model_call import Caller, Tokens
    from proveout.domain.money import Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a call asks for.

    Attributes:
        provider: whose wire format it speaks, such as "openai".
        size: bytes of the request's body.
        most: most tokens that the answer may have; None where the request does not say.
        path: of the request, below the vendor's address.
        body: of the request; it is neither kept nor logged.
        stores: whether it asks that what it says be put into a cache.
        stores_hour: whether it asks so for an hour.
    """

    provider: str
    model: str
    size: int
    most: int | None
    path: str = ""
    body: bytes = field(default=b"", repr=False)
    stores: bool = False
    stores_hour: bool = False

    @property
    def digest(self) -> str:
        """The digest of what is asked; the same in whatever order its JSON is written."""
        try:
            value = json.loads(self.body)
            plain = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        except (ValueError, RecursionError):
            plain = self.body
        asked = b"\0".join((self.provider.encode(), self.path.encode(), plain))
        return hashlib.sha256(asked).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a call ended.

    Attributes:
        model: that answered, as it calls itself; "" where nobody did.
        status: the HTTP status; 0 where no answer came, or not to its end.
        tokens: None where the answer did not say.
        is_sent: whether it can have reached the vendor; what cannot have, costs nothing.
        answer: that came to its end, where it was to be handed over and is small enough.
    """

    model: str
    status: int
    tokens: Tokens | None
    is_sent: bool = True
    answer: ModelAnswer | None = field(default=None, repr=False)


Instead: TypeAlias = Fault | ModelAnswer


@dataclass(frozen=True, slots=True)
class Begun:
    """The call may be made; `end` is to be told how it ended.

    Attributes:
        instead: what it gets in the place of the vendor's answer; None to ask the vendor.
        keeps: most bytes of an answer that `end` is to be handed; 0 for none.
    """

    id: str
    instead: Instead | None = None
    keeps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """The call may not be made.

    Attributes:
        code: one word with hyphens, for programs.
        message: why, and what mends it, for a person.
    """

    code: str
    message: str


class Meter(Protocol):
    """Counts calls of models; any thread may use it, and nothing in it waits."""

    def begin(self, caller: Caller | None, asked: Asked) -> Begun | Denied:
        """Reserve what a call may cost, or say why it may not be made.

        Args:
            caller: who makes it; None where nobody can say, which is denied.
            asked: what it asks for.
        """
        ...

    def end(self, id_: str, said: Said) -> None:
        """Count a call that has ended; each is ended once, whatever became of it."""
        ...


class Substitute(Protocol):
    """What stands in for the vendors of models; any thread may ask it."""

    def answer(self, caller: Caller, asked: Asked) -> Instead | Denied | None:
        """Return what a call gets that may be made; None where its vendor is asked."""
        ...


class Prices(Protocol):
    """What calls of models cost."""

    def cost(
        self, provider: str, models: Sequence[str], tokens: Tokens, at: datetime
    ) -> Usd | None:
        """Return what a call costs, exactly; None where no price of its model is known.

        Args:
            provider: whose wire format it speaks.
            models: the names of the model, the one that answered before the one asked for.
            tokens: what it took.
            at: when; prices change.
        """
        ...
