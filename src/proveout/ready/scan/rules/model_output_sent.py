"""What a model wrote, sent to people or to a bank without a look at it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.known import Does
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source
    from proveout.ready.scan.tree import Scope

_LOOKED_AT = re.compile(
    r"valid|check|moderat|guard|review|approv|confirm|policy|allow|classif", re.IGNORECASE
)


def find(source: Source) -> Iterator[Spot]:
    """Yield mails and payments made of a model's answer, in functions that check nothing."""
    for scope, call in source.calls(Does.MAIL, Does.PAYMENT):
        flow = source.flow(scope)
        values = [*call.args, *(one.value for one in call.keywords)]
        written = any(flow.of(one) & Origin.MODEL for one in values)
        if written and not _is_looked_at(scope):
            kind = source.does(call, scope)
            yield Spot(
                line=call.lineno, message=f"what a model wrote {kind}, and nobody looks at it"
            )


def _is_looked_at(scope: Scope) -> bool:
    return any(_LOOKED_AT.search(ast.unparse(call.func)) for call in scope.calls)


RULE = Rule(
    code="model-output-sent",
    severity=Severity.HIGH,
    title="A model's answer goes out unseen",
    finds=(
        "Mail and payments with a value that a model wrote in the same function, in which nothing"
        " is called that validates, moderates, reviews or approves."
    ),
    why=(
        "the first wrong answer is read by a customer; a promise, an insult or a stranger's data"
        " cannot be called back"
    ),
    fix="put a guardrail or a person's review between the model and the effect",
    bad="""\
import smtplib

from openai import OpenAI

client = OpenAI(timeout=30)


def answer(server: smtplib.SMTP, sender: str, to: str, mail: str) -> None:
    draft = client.responses.create(model="gpt-5-mini", input=mail).output_text
    server.sendmail(sender, to, draft)
""",
    good="""\
import asyncio
import smtplib

from openai import AsyncOpenAI
from proveout import review

client = AsyncOpenAI(timeout=30)


async def answer(server: smtplib.SMTP, sender: str, to: str, mail: str) -> None:
    said = await client.responses.create(model="gpt-5-mini", input=mail)
    decided = await review(said.output_text, queue="support", within="4 h")
    await asyncio.to_thread(server.sendmail, sender, to, decided.value)
""",
    in_source=find,
)
