"""Money that moves without an idempotency key."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.known import Does, given, spreads
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_KEYS = ("idempotency_key", "options", "request_options", "headers")
_ADDRESS = re.compile(
    r"api\.stripe\.com/v1/(?:charges|payment_intents|refunds|transfers|payouts|invoices|subscriptions)"
    r"|api\.paypal\.com/v\d/\w+/(?:orders|payouts|captures)"
)
_MAKES = ("create", "create_async", "sale")


def find(source: Source) -> Iterator[Spot]:
    """Yield calls that make a charge, a refund or their like without a key."""
    for scope, call in source.calls(Does.HTTP_WRITE):
        if _pays(call) and not source.says(scope, "idempot"):
            name = source.name(call, scope)
            yield Spot(line=call.lineno, message=f"{name} moves money and has no idempotency key")
    for scope, call in source.calls(Does.PAYMENT):
        name = source.name(call, scope)
        if name.rpartition(".")[2] not in _MAKES or spreads(call):
            continue
        if not any(given(call, key) is not None for key in _KEYS):
            yield Spot(line=call.lineno, message=f"{name} has no idempotency key")


def _pays(call: ast.Call) -> bool:
    """Whether a bare request makes a charge, a refund or their like."""
    return bool(call.args) and bool(_ADDRESS.search(ast.unparse(call.args[0])))


RULE = Rule(
    code="effect-no-key",
    severity=Severity.HIGH,
    title="Money moves without an idempotency key",
    finds=(
        "Stripe's charges, payment intents, refunds, transfers, payouts, invoices and"
        " subscriptions, and Braintree's sales, that are made without `idempotency_key`; bare"
        " requests to their addresses without such a header."
    ),
    why=(
        "when the answer is lost the caller cannot tell whether it happened; the next try, by a"
        " retry, a queue or a person, charges a second time"
    ),
    fix="idempotency_key= something stable, such as the order's id; never a fresh uuid4()",
    bad="""\
import stripe


def refund(order: str, charge: str) -> None:
    stripe.Refund.create(charge=charge, metadata={"order": order})
""",
    good="""\
import stripe


def refund(order: str, charge: str) -> None:
    stripe.Refund.create(
        charge=charge, metadata={"order": order}, idempotency_key=f"refund-{order}"
    )
""",
    in_source=find,
)
