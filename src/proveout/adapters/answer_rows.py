"""Rows to what models answered, and back: what both stores share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from proveout.domain.model_answer import ModelAnswer, Recording
from proveout.domain.run import RunId

if TYPE_CHECKING:
    from proveout.adapters.rows import Row


def to_recording(row: Row) -> Recording:
    """Return what a row of `model_answers` keeps."""
    headers = tuple((name, value) for name, value in json.loads(row["headers"]))
    answer = ModelAnswer(status=row["status"], headers=headers, body=bytes(row["body"]))
    return Recording(call=row["call"], run=RunId(row["run"]), digest=row["digest"], answer=answer)


def from_recording(one: Recording) -> tuple[Any, ...]:
    """Return a recording as all columns of `model_answers`."""
    answer = one.answer
    headers = json.dumps(answer.headers)
    return (one.call, one.run, one.digest, answer.status, headers, answer.body)
