"""Making workflows, steps and effects of plain functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, overload

from proveout.domain.workflow import NOT_DECLARED, Care, Effect, Step, Workflow, check_module_level

if TYPE_CHECKING:
    from collections.abc import Callable

    from proveout.domain.limit import Limit

P = ParamSpec("P")
R = TypeVar("R")


def workflow(function: Callable[P, R]) -> Workflow[P, R]:
    """Make a function the workflow that is carried to production.

    Between its steps the function must be deterministic: it is called again from the
    top when a run resumes, and its finished steps answer from the journal.

    Raises:
        Mistake: the function is not at the top level of a module.
    """
    check_module_level(function)
    return Workflow(function)


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    retries: int = 0,
    timeout: float | None = None,
    retry_on: tuple[type[Exception], ...] = (Exception,),
    limits: tuple[Limit, ...] = (),
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(
    function: Callable[P, R] | None = None,
    /,
    *,
    retries: int = 0,
    timeout: float | None = None,
    retry_on: tuple[type[Exception], ...] = (Exception,),
    limits: tuple[Limit, ...] = (),
) -> Step[P, R] | Callable[[Callable[P, R]], Step[P, R]]:
    """Make a function a step: inside a run its result is journaled, and not made twice.

    Args:
        function: a function at the top level of a module, plain or asynchronous.
        retries: count of further tries after the first, with exponential backoff and
            full jitter between them.
        timeout: seconds that one try may take; None for no limit. Waiting for a limit
            does not count.
        retry_on: which errors are worth another try. A step that overran its time raised a
            TimeoutError; a `Mistake` is never tried again.
        limits: shared limits of which each try is one call; see `limit`.

    Raises:
        Mistake: the function is not at the top level of a module, or a number is negative.
    """
    care = Care(retries=retries, timeout=timeout, retry_on=retry_on, limits=limits)

    def make(function: Callable[P, R]) -> Step[P, R]:
        check_module_level(function)
        return Step(function, care)

    return make if function is None else make(function)


@overload
def effect(function: Callable[P, R], /) -> Effect[P, R]: ...
@overload
def effect(
    *,
    retries: int = 0,
    timeout: float | None = None,
    retry_on: tuple[type[Exception], ...] = (Exception,),
    limits: tuple[Limit, ...] = (),
    in_trial: object = NOT_DECLARED,
    unkeyed: bool = False,
) -> Callable[[Callable[P, R]], Effect[P, R]]: ...
def effect(
    function: Callable[P, R] | None = None,
    /,
    *,
    retries: int = 0,
    timeout: float | None = None,
    retry_on: tuple[type[Exception], ...] = (Exception,),
    limits: tuple[Limit, ...] = (),
    in_trial: object = NOT_DECLARED,
    unkeyed: bool = False,
) -> Effect[P, R] | Callable[[Callable[P, R]], Effect[P, R]]:
    """Make a function an effect: a step that changes the outside world.

    Captured in trials: journaled, not called. In production it is attempted at least
    once under one stable key, passed as `idempotency_key` where the function takes it.

    Args:
        function: a function at the top level of a module, plain or asynchronous.
        retries: count of further tries after the first.
        timeout: seconds that one try may take; None for no limit.
        retry_on: which errors are worth another try, as for a step.
        limits: shared limits of which each try is one call; see `limit`.
        in_trial: what a captured call returns; None where nothing is declared.
        unkeyed: True for a receiver that honours no keys, such as mail. It is then begun at
            most once: the run is parked in doubt where nobody knows whether it happened. An
            error that it raises says that it did not, and only then declared retries follow;
            a time-out says nothing, and is doubt.

    Raises:
        Mistake: the function is not at the top level of a module, or a number is negative.
    """
    care = Care(retries=retries, timeout=timeout, retry_on=retry_on, limits=limits)

    def make(function: Callable[P, R]) -> Effect[P, R]:
        check_module_level(function)
        return Effect(function, care, in_trial=in_trial, unkeyed=unkeyed)

    return make if function is None else make(function)
