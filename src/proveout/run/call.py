"""A call of a step: its arguments, as they are passed, encoded and keyed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from proveout.domain.workflow import KEY_ARGUMENT, Effect
from proveout.run.contain import contained
from proveout.run.payload import digest, signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.domain.journal import Place
    from proveout.domain.run import RunId
    from proveout.domain.workflow import Step


class Call:
    """A step with the arguments that it was called with; they are encoded once."""

    __slots__ = ("_arguments", "_digest", "args", "kwargs", "step")

    def __init__(
        self, step: Step[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        self.step = step
        self.args = args
        self.kwargs = kwargs
        self._arguments: bytes | None = None
        self._digest = ""

    def make(self) -> Any:
        """Call the plain function; what would end more than the call becomes an error."""
        with contained(self.step.name):
            try:
                return self.step.function(*self.args, **self.kwargs)
            except StopIteration as error:  # no future can carry it
                raise RuntimeError(f"{self.step.name} raised StopIteration") from error

    async def make_async(self) -> Any:
        """Call the asynchronous function; what would end more than the call becomes an error."""
        with contained(self.step.name):
            return await self.step.function(*self.args, **self.kwargs)

    @property
    def arguments(self) -> bytes:
        """The arguments as canonical JSON."""
        if self._arguments is None:
            self._arguments = signature(self.step.function).arguments(self.args, self.kwargs)
        return self._arguments

    @property
    def digest(self) -> str:
        """The digest of the arguments, by which the journal knows them."""
        if not self._digest:
            self._digest = digest(self.arguments)
        return self._digest

    def keyed(self, run: RunId, place: Place) -> Call:
        """Return the call with the effect's stable key filled in where it takes one."""
        takes_key = isinstance(self.step, Effect) and self.step.takes_key
        if not takes_key or self.kwargs.get(KEY_ARGUMENT):
            return self
        key = idempotency_key(run, place)
        return Call(self.step, self.args, {**self.kwargs, KEY_ARGUMENT: key})


def idempotency_key(run: RunId, place: Place) -> str:
    """Return the key that a call at `place` keeps through every retry: 40 characters."""
    return hashlib.sha256("\0".join((run, *map(str, place))).encode()).hexdigest()[:40]
