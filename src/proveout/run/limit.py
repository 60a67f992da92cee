"""Limits on resources that all workers share: so many calls or tokens a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from proveout.domain.limit import Limit, rate
from proveout.domain.workflow import CURRENT
from proveout.errors import Mistake

if TYPE_CHECKING:
    from types import TracebackType

    from proveout.domain.breaker import Breaker
    from proveout.run.spend import Passage


def limit(
    name: str,
    *,
    per_minute: float | None = None,
    burst: float | None = None,
    tokens_per_minute: float | None = None,
    tokens_burst: float | None = None,
    breaker: Breaker | None = None,
) -> SharedLimit:
    """Declare how a resource may be used, by all workers of a store together.

    A step with `limits=(openai,)` waits before each try until one more call may begin;
    inside a step, `openai.use(tokens=…)` reserves tokens. Outside a run nothing is limited.

    Args:
        name: of the resource. What bears the same name is shared, also by workflows; give
            it the same figures everywhere.
        per_minute: calls that may begin in a minute; None for any number.
        burst: calls that may begin at once; None for a tenth of a minute's worth.
        tokens_per_minute: tokens that may be used in a minute; None for any number.
        tokens_burst: tokens that may be used at once; None for a tenth of a minute's worth.
        breaker: when the resource is left alone because it keeps failing; None for never.

    Raises:
        Mistake: the name or a number is none, or nothing is limited.
    """
    calls = None if per_minute is None else rate(name, "calls", per_minute, burst)
    tokens = None
    if tokens_per_minute is not None:
        tokens = rate(name, "tokens", tokens_per_minute, tokens_burst)
    return SharedLimit(name=name, calls=calls, tokens=tokens, breaker=breaker)


@dataclass(frozen=True, eq=False, kw_only=True)
class SharedLimit(Limit):
    """A limit that a step can reserve from."""

    def use(self, *, tokens: int = 0) -> Use:
        """Reserve one call and so many tokens for a block, inside a step.

        It is entered by `async with`, in plain code by `with`; entering waits until they
        are there. Where the step declares the limit, its call is counted already.

        Raises:
            Mistake: the tokens are negative, or more than a minute holds.
        """
        most = 0.0 if self.tokens is None else self.tokens.per_second * 60
        if tokens < 0 or (self.tokens is not None and tokens > most):
            raise Mistake(
                f"{tokens} tokens cannot be reserved of the limit {self.name}",
                why=f"it allows {most:g} in a minute",
            )
        return Use(self, tokens)


@runtime_checkable
class Spends(Protocol):
    """A scope in which a resource may be used: the code within a step."""

    async def enter(self, limit: Limit, tokens: int) -> Passage:
        """Return once a use may begin."""
        ...

    def enter_plainly(self, limit: Limit, tokens: int) -> Passage:
        """Return once a use may begin, from plain code in a thread."""
        ...

    def leave(self, passage: Passage, error: BaseException | None, spent: int | None) -> None:
        """Tell how a use ended, from any thread."""
        ...


class Use:
    """One use of a limit: what is reserved while its block lasts.

    Outside a run it does nothing.
    """

    def __init__(self, limit: Limit, tokens: int) -> None:
        self._limit = limit
        self._tokens = tokens
        self._spent: int | None = None
        self._scope: Spends | None = None
        self._passage: Passage | None = None

    def spent(self, tokens: int) -> None:
        """Say how many tokens were used: the rest is given back, more is taken later.

        Without a word all that was reserved counts as used.

        Raises:
            Mistake: the count is negative.
        """
        if tokens < 0:
            raise Mistake(f"{tokens} tokens cannot have been spent")
        self._spent = tokens

    async def __aenter__(self) -> Self:
        self._scope = spending_scope()
        if self._scope is not None:
            self._passage = await self._scope.enter(self._limit, self._tokens)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._leave(error)

    def __enter__(self) -> Self:
        self._scope = spending_scope()
        if self._scope is not None:
            self._passage = self._scope.enter_plainly(self._limit, self._tokens)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        if self._scope is not None and self._passage is not None:
            self._scope.leave(self._passage, error, self._spent)


def spending_scope() -> Spends | None:
    """Return the scope in which the caller may use a resource; None outside a run.

    Raises:
        Mistake: the caller is between the steps of a run.
    """
    scope = CURRENT.get()
    if scope is None or isinstance(scope, Spends):
        return scope
    raise Mistake(
        "a limit was used between the steps of a run",
        why="the code there runs again when the run resumes, and would use it again",
        fix=("move the call and its `use` into a step",),
    )
