"""Workflows, steps and effects: plain functions that can also run durably.

Called outside a run, each is the function it was made from. Inside a run the
current scope, found through `CURRENT`, decides what a call means: replay it,
perform and journal it, or capture it.
"""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import WRAPPER_ASSIGNMENTS
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast

from proveout.domain.limit import Limit
from proveout.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = ParamSpec("P")
R = TypeVar("R")

KEY_ARGUMENT = "idempotency_key"
"""The keyword through which an effect receives its stable key."""


class Scope(Protocol):
    """What a call of a step or an effect means where it stands."""

    def perform(
        self, step: Step[Any, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> object:
        """Return what the step's function would: a value, or an awaitable of one."""
        ...


CURRENT: ContextVar[Scope | None] = ContextVar("proveout_scope", default=None)
"""The scope of the code that runs now; None outside a run. The only ambient state."""


@dataclass(frozen=True, kw_only=True)
class Care:
    """How a step is tried.

    Attributes:
        retries: count of further tries after the first one failed.
        timeout: seconds that one try may take; None for no limit.
        retry_on: which errors are worth another try; a `Mistake` never is.
        limits: of which shared limits each try is one call.
    """

    retries: int = 0
    timeout: float | None = None
    retry_on: tuple[type[Exception], ...] = (Exception,)
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        _check_classes(self.retry_on)
        _check_limits(self.limits)
        if self.retries < 0:
            raise Mistake(f"retries={self.retries} is negative", why="it counts further tries")
        if self.timeout is not None and not 0 < self.timeout < float("inf"):
            raise Mistake(f"timeout={self.timeout} is not a time in seconds above 0")

    def is_worth(self, error: Exception) -> bool:
        """Whether `error` is worth another try."""
        return isinstance(error, self.retry_on) and not isinstance(error, Mistake)


def _check_classes(given: object) -> None:
    classes = cast("tuple[object, ...]", given) if isinstance(given, tuple) else None
    if not classes or not all(isinstance(c, type) and issubclass(c, Exception) for c in classes):
        raise Mistake(
            f"retry_on={given!r} is no tuple of classes of errors",
            why="it says which errors are worth another try",
            fix=("retry_on=(TimeoutError, ConnectionError)",),
        )


def _check_limits(given: object) -> None:
    limits = cast("tuple[object, ...]", given) if isinstance(given, tuple) else None
    if limits is None or not all(isinstance(one, Limit) for one in limits):
        raise Mistake(
            f"limits={given!r} is no tuple of limits",
            fix=('openai = limit("openai", per_minute=500)', "@step(limits=(openai,))"),
        )


@dataclass(frozen=True, eq=False)
class Step(Generic[P, R]):
    """A named call whose result is journaled.

    Attributes:
        name: the function's name; a part of the key in the journal.
        is_async: whether calling it gives an awaitable.
    """

    function: Callable[P, R]
    care: Care = field(default=Care())
    name: str = field(init=False)
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", name_of(self.function))
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))
        _wear(self, self.function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it as the current scope demands; outside a run, as the plain function."""
        scope = CURRENT.get()
        if scope is None:
            return self.function(*args, **kwargs)
        return cast("R", scope.perform(self, args, kwargs))


NOT_DECLARED = object()
"""Stands for an effect that did not say what it returns in a trial."""


@dataclass(frozen=True, eq=False)
class Effect(Step[P, R]):
    """A step that changes the outside world: captured in trials, keyed in production.

    Attributes:
        in_trial: what a captured call returns.
        unkeyed: its receiver knows no keys: the intent is journaled before the call, and an
            intent without an outcome parks the run in doubt.
    """

    in_trial: object = NOT_DECLARED
    unkeyed: bool = False

    @property
    def takes_key(self) -> bool:
        """Whether the function has room for an idempotency key."""
        parameters = inspect.signature(self.function).parameters.values()
        return any(p.name == KEY_ARGUMENT or p.kind is p.VAR_KEYWORD for p in parameters)


@dataclass(frozen=True, eq=False)
class Workflow(Generic[P, R]):
    """The one function being carried to production.

    Attributes:
        as_step: whether the whole function runs as one step, because it marks none.
    """

    function: Callable[P, R]
    as_step: bool = False
    name: str = field(init=False)
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", name_of(self.function))
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))
        _wear(self, self.function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the plain function."""
        return self.function(*args, **kwargs)


def _wear(value: object, function: object) -> None:
    """Let a value show its function's name, docstring and signature to whoever inspects it."""
    worn = {
        name: getattr(function, name) for name in WRAPPER_ASSIGNMENTS if hasattr(function, name)
    }
    vars(value).update(worn, __wrapped__=function)


def name_of(function: object) -> str:
    """Return the name that a callable goes by."""
    return getattr(function, "__name__", type(function).__name__)


def check_module_level(function: object) -> None:
    """Leave quietly when `function` is defined at the top of a module.

    Raises:
        Mistake: it is a method, a lambda, a nested function or no function at all.
    """
    name = getattr(function, "__qualname__", None)
    if not inspect.isfunction(function) or name is None:
        raise Mistake(
            f"{function!r} is not a function",
            why="workflows, steps and effects are found again by name when a run resumes",
        )
    if name != function.__name__ or name == "<lambda>":
        raise Mistake(
            f"{name} is not defined at the top of a module",
            why="workflows, steps and effects are found again by name when a run resumes",
            fix=(
                "move the function to the top level of its module and pass it what it closed over",
            ),
        )
