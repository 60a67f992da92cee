"""Failures of models and effects that nobody hears of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from proveout.ready.scan.known import EFFECTS, Does
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_BROAD = frozenset({"Exception", "BaseException"})


def find(source: Source) -> Iterator[Spot]:
    """Yield calls of models and effects whose every failure is passed over in silence."""
    for scope, call in source.calls(Does.MODEL, *EFFECTS):
        inside: ast.AST = call
        for node in source.tree.above(call):
            if isinstance(node, ast.Try) and inside in node.body:
                silent = next(
                    (one for one in node.handlers if is_broad(one) and _says_nothing(one)), None
                )
                if silent is not None:
                    kind = source.does(call, scope)
                    yield Spot(line=silent.lineno, message=f"nobody hears when what {kind} fails")
                break
            inside = node


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether it catches whatever comes."""
    match handler.type:
        case None:
            return True
        case ast.Name(id=name):
            return name in _BROAD
        case _:
            return False


def _says_nothing(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(one, ast.Pass | ast.Continue) for one in handler.body)


RULE = Rule(
    code="error-swallowed",
    severity=Severity.MEDIUM,
    title="A failure is passed over in silence",
    finds=(
        "`except Exception: pass` (or a bare `except`) around a call of a model, a mail, a payment,"
        " a message or a queue."
    ),
    why="the work did not happen, nothing says so, and the first to notice is a customer",
    fix="catch what you expect, log the rest with the id of the run, and let it fail",
    bad="""\
import smtplib


def notify(server: smtplib.SMTP, sender: str, to: str, text: str) -> None:
    try:
        server.sendmail(sender, to, text)
    except Exception:
        pass
""",
    good="""\
import logging
import smtplib


def notify(server: smtplib.SMTP, sender: str, to: str, text: str) -> None:
    try:
        server.sendmail(sender, to, text)
    except smtplib.SMTPRecipientsRefused:
        logging.getLogger(__name__).warning("mail.refused", extra={"to": to})
""",
    in_source=find,
)
