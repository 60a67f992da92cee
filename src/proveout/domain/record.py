"""Records: small nouns that a store keeps by name, as bytes of JSON."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


class Kind(StrEnum):
    """What a record is; names are unique within a kind."""

    USER = "user"
    KEY = "key"
    SESSION = "session"
    LINK = "link"
    USED_CODE = "used-code"
    EVIDENCE = "evidence"
    WAIVER = "waiver"
    ACCEPTANCE = "acceptance"
    SANDBOX = "sandbox"
    STORE = "store"
    OPINION = "opinion"
    LABEL = "label"
    SURROUNDINGS = "surroundings"
    ALERT = "alert"
    ESCALATION = "escalation"
    ACKNOWLEDGEMENT = "acknowledgement"
    SILENCE = "silence"
    OUTGOING = "outgoing"
    NOTICE = "notice"
    WATCH = "watch"
    USED = "used"
    FOLLOWED = "followed"
    ANSWER_LINK = "answer-link"
    DRILL = "drill"


@cache
def _adapter(of: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def encode(value: object) -> bytes:
    """Return a frozen value as the bytes of JSON that `decode` reads."""
    return _adapter(type(value)).dump_json(value)


def decode(of: type[T], data: bytes) -> T:
    """Return the value of type `of` that `encode` wrote."""
    return _adapter(of).validate_json(data)
