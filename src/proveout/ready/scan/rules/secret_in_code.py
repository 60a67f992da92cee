"""Keys that are written down."""

from __future__ import annotations

import ast
import re
from collections import Counter
from math import log2
from typing import TYPE_CHECKING

from proveout.ready.scan.rule import Rule, Severity, Spot
from proveout.ready.scan.source import Part, part_of
from proveout.release.secrets_found import MARK, tokens_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ready.scan.source import Source


def find(path: str, text: str) -> Iterator[Spot]:
    """Yield each line that holds a token; the value is never shown."""
    milder = None if part_of(path) is Part.PRODUCT else Severity.MEDIUM
    for line, kind in tokens_in(text.encode()):
        yield Spot(line=line, message=f"{kind} stands here", severity=milder)


def find_named(source: Source) -> Iterator[Spot]:
    """Yield texts that look random and are given to a name such as `api_key` or `password`."""
    told = {line for line, _ in tokens_in(source.text.encode("utf-8", "replace"))}
    for node in source.tree.up:
        for name, value in _given(node):
            if value.lineno not in told and _NAMES.search(name) and _is_random(str(value.value)):
                yield Spot(line=value.lineno, message=f"{name} is given its value here")


def _given(node: ast.AST) -> Iterator[tuple[str, ast.Constant]]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            pass
        case ast.keyword(arg=str(name), value=value):
            pass
        case _:
            return
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield name, value


def _is_random(text: str) -> bool:
    """Whether a text is one long word of letters and digits in which few come twice."""
    if not _WORD.fullmatch(text) or _MADE_UP.search(text) or MARK.decode() in text:
        return False
    has = (str.isdigit, str.isalpha)
    if not all(any(map(kind, text)) for kind in has):
        return False
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * log2(share) for share in shares) >= _BITS


_NAMES = re.compile(
    r"(?:api_?key|secret|passwo?r?d|access_?token|auth_?token|private_?key)$", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z0-9_\-+/=.$!@#%^&*]{16,}")
_MADE_UP = re.compile(
    r"example|change|your|xxx|test|dummy|placeholder|sample|fake|insert|replace|default|1234|abcd"
    r"|^phc_|^pk_|public|empty|none|null|https?:|\.com|_key$|-key$|_token$",
    re.IGNORECASE,
)
_BITS = 3.3
"""Of entropy for each character; words and names have less."""

_KEY = "AKIA" + "Q7T2XK5RB9WMZ3LD"

RULE = Rule(
    code="secret-in-code",
    severity=Severity.CRITICAL,
    title="A key is written down",
    finds=(
        "Tokens of OpenAI, Anthropic, AWS, Google, GitHub, Slack and Stripe, signing secrets of"
        " webhooks and private keys, by their form, in Python and in `.env`, TOML, YAML, JSON, INI"
        " and shell files; in Python also long random words that are given to a name such as"
        " `api_key`. Placeholders, and files that git ignores, are left alone; in tests and"
        " examples it is medium. A line with `proveout: not a secret` is believed."
    ),
    why=(
        "whoever can read the repository, a backup or an image of it can use the key, and git"
        " remembers it after it is deleted"
    ),
    fix='revoke it, then read it where it is used: os.environ["NAME"]',
    bad=f"""\
AWS_KEY = "{_KEY}"
""",
    good="""\
import os

AWS_KEY = os.environ["AWS_ACCESS_KEY_ID"]
""",
    in_text=find,
    in_source=find_named,
)
