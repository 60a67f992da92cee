"""Signatures that are compared with `==`."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from proveout.ready.scan.flow import Origin
from proveout.ready.scan.rule import Rule, Severity, Spot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source

_NAMED = re.compile(r"signature|hmac|expected_(?:sig|hash|digest|mac)", re.IGNORECASE)
_SIGNATURE = re.compile(r"sign|hmac|digest|hash|token|expected|verif|sha\d", re.IGNORECASE)


def find(source: Source) -> Iterator[Spot]:
    """Yield comparisons that stop at the first byte that differs."""
    if "hmac" not in source.text and "hashlib" not in source.text:
        return
    for scope in source.tree.scopes:
        if any(source.name(one, scope).endswith("compare_digest") for one in scope.calls):
            continue  # what is compared beside it is its form
        for one in scope.comparisons:
            if len(one.ops) == 1 and isinstance(one.ops[0], ast.Eq | ast.NotEq):
                flow = source.flow(scope)
                sides = (one.left, one.comparators[0])
                about = f"{scope.name} {ast.unparse(one)}"
                made = flow.of(sides[0]) | flow.of(sides[1])
                if _is_kept(sides):
                    continue
                if _is_digest(made, about) or all(map(_is_signature, sides)):
                    sign = "==" if isinstance(one.ops[0], ast.Eq) else "!="
                    yield Spot(line=one.lineno, message=f"a signature is compared with {sign}")


def _is_digest(made: Origin, about: str) -> bool:
    """Whether a comparison is of a digest that somebody else could send."""
    if made & Origin.DIGEST:
        return bool(_SIGNATURE.search(about))
    return bool(made & Origin.HASH) and "signature" in about.lower()


def _is_signature(side: ast.expr) -> bool:
    """Whether one side of a comparison is called a signature, or what one is expected to be."""
    named = isinstance(side, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    return named and bool(_NAMED.search(ast.unparse(side)))


def _is_kept(sides: tuple[ast.expr, ...]) -> bool:
    """Whether one side is what the object itself remembers: a mark of what it has read before."""
    return any(
        isinstance(side, ast.Attribute)
        and isinstance(side.value, ast.Name)
        and side.value.id == "self"
        and side.attr.lstrip("_").startswith(("last", "cached", "previous"))
        for side in sides
    )


RULE = Rule(
    code="webhook-compare",
    severity=Severity.HIGH,
    title="A signature is compared with ==",
    finds=(
        "A digest of `hmac` that is compared with `==` or `!=` in the same function, or two values"
        " that are both called a signature; fingerprints that no caller sends, what an object"
        " remembers, and functions that use `compare_digest` are left alone."
    ),
    why=(
        "the comparison ends at the first byte that differs; by the time it takes, a caller can"
        " find a signature byte by byte, and then send whatever they like"
    ),
    fix="hmac.compare_digest(expected, given)",
    bad="""\
import hashlib
import hmac


def is_ours(body: bytes, given: str, key: bytes) -> bool:
    expected = hmac.new(key, body, hashlib.sha256).hexdigest()
    return f"sha256={expected}" == given
""",
    good="""\
import hashlib
import hmac


def is_ours(body: bytes, given: str, key: bytes) -> bool:
    expected = hmac.new(key, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", given)
""",
    in_source=find,
)
