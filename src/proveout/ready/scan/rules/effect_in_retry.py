"""Effects that are repeated when something after them fails."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import EFFECTS, Does, given, spreads
from proveout.ready.scan.retried import is_retried
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_READS = re.compile(
    r"search|query|graphql|token|auth|login|embed|generate|predict|complete|completion|chat|infer|rerank|fetch"
    r"|get_|list|read|retrieve|check|verif|validate|translate|transcri|ask|model|llm|ollama|generation"
)
"""What is asked by POST and changes nothing."""

_INSERT = re.compile(r"\binsert\s+into\b", re.IGNORECASE)
_KNOWS = ("conflict", "or ignore", "unique", "idempot", "exists")
_KEYS = ("idempot", "dedup", "messageid", "client_msg_id", "message_id", "reference")


def find(source: Source) -> Iterator[Spot]:
    """Yield effects that a retry carries out again, under no key."""
    for scope, call in source.calls(*EFFECTS, Does.HTTP_WRITE, Does.SQL):
        kind = source.does(call, scope)
        if not is_retried(source, scope, call) or _has_key(call) or spreads(call):
            continue
        if kind in EFFECTS or _posts(source, scope, call, kind) or _inserts(scope, call, kind):
            severity = Severity.HIGH if kind is Does.PAYMENT else None
            yield Spot(
                line=call.lineno,
                message=f"a retry of {scope.name or 'this file'}() {kind} again",
                severity=severity,
            )


def _posts(source: Source, scope: Scope, call: ast.Call, kind: Does) -> bool:
    """Whether it posts, under no key, and to nothing that only answers."""
    if kind is not Does.HTTP_WRITE or not source.name(call, scope).endswith(".post"):
        return False
    address = call.args[0] if call.args else given(call, "url")
    text = " ".join([scope.name, *_addresses(scope, address)]).lower()
    return not _READS.search(text) and not source.says(scope, "idempot")


def _addresses(scope: Scope, node: ast.expr | None) -> Iterator[str]:
    """Yield an address as it is written, and what a name in it was given in the same function."""
    if node is None:
        return
    yield ast.unparse(node)
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    for one in ast.walk(scope.node):
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
                yield ast.unparse(value)
            case _:
                pass


def _inserts(scope: Scope, call: ast.Call, kind: Does) -> bool:
    """Whether it inserts and commits, and nothing knows the row again."""
    if kind is not Does.SQL or not call.args or not _INSERT.search(ast.unparse(call.args[0])):
        return False
    text = ast.unparse(scope.node).lower()
    return "commit(" in text and not any(word in text for word in _KNOWS)


def _has_key(call: ast.Call) -> bool:
    names = ast.unparse(call).lower()
    return any(key in names for key in _KEYS)


RULE = Rule(
    code="effect-in-retry",
    severity=Severity.MEDIUM,
    title="A retry repeats what cannot be taken back",
    finds=(
        "Mail, messages, payments, queue publishes, HTTP posts that by their names do more than"
        " ask, and committed SQL inserts, inside a function that tenacity, backoff or Celery runs"
        " again, or inside a loop of attempts, without an idempotency key."
    ),
    why=(
        "a time-out does not mean that nothing happened: the mail is sent, the acknowledgement is"
        " lost, and the retry sends it again, as often as it may"
    ),
    fix="retry what reads, and make the effect a step of its own under one stable key (@effect)",
    bad="""\
import smtplib

from celery import shared_task


@shared_task(autoretry_for=(Exception,), max_retries=5)
def send_receipt(sender: str, to: str, text: str) -> None:
    with smtplib.SMTP("mail.example.com", timeout=10) as server:
        server.sendmail(sender, to, text)
""",
    good="""\
from celery import shared_task
from proveout import Project


@shared_task(autoretry_for=(Exception,), max_retries=5)
def send_receipt(order: str) -> None:
    with Project.open_sync() as project:  # the same key: the same run, however often
        project.enqueue("receipt", order, key=f"receipt-{order}")
""",
    in_source=find,
)
