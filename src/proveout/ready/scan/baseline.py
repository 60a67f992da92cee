"""The baseline: findings that were there when somebody began to look, told and not counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from proveout.ready.scan.scan import Located

SCHEMA = "baseline.v1"


def fingerprint(one: Located) -> str:
    """Return what a finding is known by while the lines around it move: rule, file, code."""
    parts = (one.finding.code, one.finding.file or "", " ".join(one.text.split()))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:24]


def baseline_words(found: Iterable[Located]) -> dict[str, Any]:
    """Return findings as the object that a baseline file holds."""
    return {
        "schema": SCHEMA,
        "findings": [
            {"code": one.finding.code, "file": one.finding.file, "fingerprint": fingerprint(one)}
            for one in found
        ],
    }


def known_in(found: Iterable[Located], fingerprints: Iterable[str]) -> tuple[Located, ...]:
    """Return the findings that a baseline holds; one entry covers one finding."""
    left: Counter[str] = Counter(fingerprints)
    known: list[Located] = []
    for one in found:
        mark = fingerprint(one)
        if left[mark]:
            left[mark] -= 1
            known.append(one)
    return tuple(known)


def fingerprints_of(words: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fingerprints of a baseline.

    Raises:
        ValueError: it is no baseline.
    """
    listed = words.get("findings")
    if words.get("schema") != SCHEMA or not isinstance(listed, list):
        raise ValueError(f'it is no "{SCHEMA}"')
    entries = cast("list[Any]", listed)
    if not all(isinstance(one, dict) and "fingerprint" in one for one in entries):
        raise ValueError("a finding of it has no fingerprint")
    return tuple(str(one["fingerprint"]) for one in entries)
