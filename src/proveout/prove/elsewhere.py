"""Candidates that answer elsewhere: asked in ordinary runs, one step each."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from proveout.domain.workflow import Care, Step, Workflow
from proveout.ports.elsewhere import TurnedAway

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection

    from proveout.domain.case import Case, Json
    from proveout.domain.experiment import Candidate
    from proveout.ports.elsewhere import Respondent

RETRIES = 4
"""Further tries, the fewest, after a candidate asked to be called again later."""

EXPLORATORY = "exploratory: the answers came from a file, not for promotion"
"""What is said of a verdict on such a candidate, wherever it is shown."""


def asking(respondent: Respondent) -> Workflow[..., Any]:
    """Return the workflow whose one step asks `respondent` for its answer to the input."""

    async def ask(value: Any) -> Any:
        return await respondent.answer(value)

    step = Step(ask, Care(retries=RETRIES, retry_on=(TurnedAway,)))

    async def answer(value: Any) -> Any:
        return await step(value)

    return Workflow(answer)


def put_to(candidate: Candidate, case: Case) -> Json:
    """Return what a candidate is asked about a case: a file of answers, by the case's id."""
    return case.id if candidate.is_exploratory else case.value


@asynccontextmanager
async def ready(respondents: Collection[Respondent]) -> AsyncGenerator[None]:
    """Have every respondent ready for as long as the block lasts, and leave nothing behind.

    Raises:
        NotAskable: one of them cannot be asked; none was.
        PrivateAddress: one of them stands where nobody allowed it to.
        NoAnswer: one of them cannot be found now.
    """
    try:
        for one in respondents:
            await one.ready()
        yield
    finally:
        await asyncio.gather(*(one.close() for one in respondents))
