"""A meter that writes down what it is asked and told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from proveout.ports.meter import Begun, Denied

if TYPE_CHECKING:
    from proveout.domain.model_call import Caller
    from proveout.ports.meter import Asked, Said, Substitute

PATIENCE = 30


class NotedMeter:
    """Lets every call be made, or none.

    Attributes:
        denied: why none may be made; None where all may.
        substitute: answers calls in the place of their vendors; None where they do.
        callers: of the calls that were asked for.
        asked: what they asked for.
        ended: what was told of each call, by its id.
    """

    def __init__(self, denied: Denied | None = None) -> None:
        self.denied = denied
        self.substitute: Substitute | None = None
        self.callers: list[Caller | None] = []
        self.asked: list[Asked] = []
        self.ended: dict[str, list[Said]] = {}
        self._moved = threading.Condition()

    def begin(self, caller: Caller | None, asked: Asked) -> Begun | Denied:
        with self._moved:
            self.callers.append(caller)
            self.asked.append(asked)
            if self.denied is not None:
                return self.denied
            instead = None
            if self.substitute is not None and caller is not None:
                instead = self.substitute.answer(caller, asked)
            if isinstance(instead, Denied):
                return instead
            id_ = str(len(self.asked))
            self.ended[id_] = []
            return Begun(id_, instead)

    def end(self, id_: str, said: Said) -> None:
        with self._moved:
            self.ended[id_].append(said)
            self._moved.notify_all()

    @property
    def said(self) -> list[Said]:
        """How every call ended that has begun, in the order of their beginning."""
        with self._moved:
            counts = {id_: len(told) for id_, told in self.ended.items()}
            assert set(counts.values()) <= {1}, counts
            return [told[0] for told in self.ended.values()]

    def when_ended(self) -> list[Said]:
        """Wait until every call that has begun is ended, and return how."""
        with self._moved:
            assert self._moved.wait_for(lambda: all(self.ended.values()), PATIENCE)
        return self.said
