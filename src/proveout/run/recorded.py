"""Answering calls of models from what was recorded in trials, so that no vendor is asked."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from proveout.ports.meter import Denied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proveout.domain.model_answer import ModelAnswer
    from proveout.domain.model_call import Caller
    from proveout.ports.meter import Asked


class Recorded:
    """Stands in for vendors with what they answered.

    A question that one attempt asks again gets the next answer that was given to it, and the
    last one from then on.
    """

    def __init__(self, answers: Mapping[str, Sequence[ModelAnswer]], *, is_live: bool) -> None:
        """Answer from recordings.

        Args:
            answers: by digest of what was asked, in the order in which they were given.
            is_live: what was not recorded is asked of its vendor, and else denied.
        """
        self._answers = answers
        self._is_live = is_live
        self._lock = threading.Lock()
        self._given = Counter[tuple[str, int, str]]()

    def answer(self, caller: Caller, asked: Asked) -> ModelAnswer | Denied | None:
        """Return the recorded answer, or why there is none; None to ask the vendor."""
        digest = asked.digest
        if not (found := self._answers.get(digest)):
            return None if self._is_live else _not_recorded(caller, asked)
        key = (caller.run, caller.fence, digest)
        with self._lock:
            before = self._given[key]
            self._given[key] += 1
        return found[min(before, len(found) - 1)]


def _not_recorded(caller: Caller, asked: Asked) -> Denied:
    where = "the workflow" if caller.place is None else caller.place.name
    return Denied(
        code="not-recorded",
        message=f"no answer of {asked.model or 'a model'} was recorded for what {where} asks here,"
        " and a drill asks no vendor."
        " To record it: proveout prove, where [models] does not say record = false;"
        " a request that holds a time or a random id is another one each time."
        " To ask the vendor: proveout drill … --live",
    )
