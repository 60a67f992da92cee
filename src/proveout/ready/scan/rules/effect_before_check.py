"""Effects that are carried out before what they rest on is checked."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import EFFECTS, Does
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_CHECK = re.compile(
    r"^(?:validate|check|verify|ensure|assert|guard|moderate|is_valid)(?:_|$)", re.IGNORECASE
)

_CHECKS = re.compile(
    r"\b(?:validate|check|verify|is_valid|is_allowed|is_safe)\w*\(|confidence|approved|flagged|is_fraud",
    re.IGNORECASE,
)
"""What a test says that decides whether something may be done."""


def find(source: Source) -> Iterator[Spot]:
    """Yield effects whose arguments are checked by a later statement of the same block."""
    for scope, call in source.calls(*EFFECTS, Does.HTTP_WRITE):
        statement = source.tree.statement(call)
        used = {one.id for one in ast.walk(call) if isinstance(one, ast.Name)}
        for later in _after(source, statement):
            used -= _given_anew(later)
            if used & _checked(later):
                yield Spot(
                    line=call.lineno,
                    message=f"{source.does(call, scope)} before line {later.lineno} checks it",
                )
                break


def _after(source: Source, statement: ast.AST) -> list[ast.stmt]:
    """Return what follows a statement in its own block."""
    holder = source.tree.up.get(statement)
    for name in ("body", "orelse", "finalbody"):
        block: list[ast.stmt] = getattr(holder, name, [])
        if any(one is statement for one in block):
            at = next(index for index, one in enumerate(block) if one is statement)
            return block[at + 1 :]
    return []


def _given_anew(statement: ast.stmt) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}


def _checked(statement: ast.stmt) -> set[str]:
    """Return the names that a statement checks: it raises unless they are right."""
    match statement:
        case ast.Assert(test=test):
            return _names(test)
        case ast.If(test=test, body=[*_, ast.Raise()]):
            return _names(test)
        case ast.If(test=test, body=[*_, ast.Return()]) if _CHECKS.search(ast.unparse(test)):
            return _names(test)
        case ast.Expr(value=ast.Call(func=func) as call) if _CHECK.match(_last(func)):
            return {name for argument in call.args for name in _names(argument)}
        case _:
            return set()


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _last(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


RULE = Rule(
    code="effect-before-check",
    severity=Severity.HIGH,
    title="Something is done before it is checked",
    finds=(
        "Mail, messages, payments, queue publishes and HTTP writes with a value that a later"
        " statement of the same block checks: an `if … raise`, an `assert`, a `validate_…()`."
    ),
    why="the check stops the rest of the function, and what it was to prevent has happened",
    fix="check first, then act; where a model wrote it, put a guardrail before the effect",
    bad="""\
import stripe


def refund(order: str, cents: int, limit: int) -> None:
    stripe.Refund.create(charge=order, amount=cents, idempotency_key=order)
    if cents > limit:
        raise ValueError("over the limit")
""",
    good="""\
import stripe


def refund(order: str, cents: int, limit: int) -> None:
    if cents > limit:
        raise ValueError("over the limit")
    stripe.Refund.create(charge=order, amount=cents, idempotency_key=order)
""",
    in_source=find,
)
