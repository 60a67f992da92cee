"""Secrets found: a release is read by everyone who may read the store, so it holds none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from proveout.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.release.sources import Contents

MARK: Final = b"proveout: not a secret"
"""On a line of its own kind: whoever wrote it looked, and what stands there is no secret."""

_SHOWN: Final = 20
_FEW: Final = 6
"""Different characters that a placeholder such as sk-proj-xxxxxxxx has at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Where a secret stands, and never which.

    Attributes:
        line: from 1; None where the name of the file says it all.
    """

    path: str
    line: int | None
    kind: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place} holds {self.kind}"


class SecretInRelease(Refusal):
    """A file that a release would take along holds a secret.

    Attributes:
        leaks: where the secrets stand.
    """

    code = "secret-in-release"

    def __init__(self, leaks: tuple[Leak, ...]) -> None:
        shown = [str(leak) for leak in leaks[:_SHOWN]]
        if more := len(leaks) - _SHOWN:
            shown += [f"and {more} more"] if more > 0 else []
        super().__init__(
            "; ".join(shown),
            why="whoever can read the store could read it in every release, for ever",
            fix=(
                'read it where it is used: os.environ["NAME"]',
                f"where it is none, say so on its line: # {MARK.decode()}",
            ),
        )
        self.leaks = leaks


def refuse_secrets(held: Contents) -> None:
    """Leave quietly when no file is, by its name or by what it holds, a secret.

    Only well-known names and forms of tokens count; nothing is guessed from how random a
    text looks. A line with the mark is believed, and for a file's name its first line.

    Raises:
        SecretInRelease: one does; no value is shown.
    """
    if leaks := tuple(leak for path in sorted(held) for leak in _leaks(path, held[path])):
        raise SecretInRelease(leaks)


def _leaks(path: str, data: bytes) -> Iterator[Leak]:
    kind = _kind_of_name(PurePosixPath(path).name)
    if kind and not _is_marked(data, 0) and not _is_public(data):
        yield Leak(path=path, line=None, kind=kind)
    for line, token in tokens_in(data):
        yield Leak(path=path, line=line, kind=token)


def tokens_in(data: bytes) -> Iterator[tuple[int, str]]:
    """Yield line and kind of every token in a file, and never its value."""
    for token, pattern in _TOKENS:
        for found in pattern.finditer(data):
            if not _is_placeholder(found) and not _is_marked(data, found.start()):
                yield data.count(b"\n", 0, found.start()) + 1, token


def _kind_of_name(name: str) -> str:
    if any(fnmatchcase(name.lower(), pattern) for pattern in _HARMLESS):
        return ""
    return next((kind for pattern, kind in _NAMES if fnmatchcase(name.lower(), pattern)), "")


def _is_public(data: bytes) -> bool:
    """Whether a PEM file holds certificates or public keys, and nothing else."""
    blocks = re.findall(rb"-----BEGIN ([A-Z0-9 ]+)-----", data)
    return bool(blocks) and all(b"PRIVATE" not in block for block in blocks)


def _is_marked(data: bytes, at: int) -> bool:
    end = data.find(b"\n", at)
    line = data[data.rfind(b"\n", 0, at) + 1 : len(data) if end < 0 else end]
    return MARK in line


def _is_placeholder(found: re.Match[bytes]) -> bool:
    body = found["body"]
    return len(set(body)) < _FEW or body.endswith(b"EXAMPLE")


_ENVIRONMENT = "variables with their values, as its name says"
_KEY = "a private key, as its name says"
_PASSWORDS = "passwords or tokens, as its name says"
_NAMES: Final = (
    (".env", _ENVIRONMENT),
    (".env.*", _ENVIRONMENT),
    ("*.env", _ENVIRONMENT),
    ("*.pem", _KEY),
    ("*.key", _KEY),
    ("*.p12", _KEY),
    ("*.pfx", _KEY),
    ("*.jks", _KEY),
    ("id_rsa", _KEY),
    ("id_dsa", _KEY),
    ("id_ecdsa", _KEY),
    ("id_ed25519", _KEY),
    ("credentials.json", _PASSWORDS),
    ("client_secret*.json", _PASSWORDS),
    ("service[-_]account*.json", _PASSWORDS),
    ("secrets.json", _PASSWORDS),
    ("secrets.toml", _PASSWORDS),
    ("secrets.y*ml", _PASSWORDS),
    (".netrc", _PASSWORDS),
    (".pgpass", _PASSWORDS),
    (".pypirc", _PASSWORDS),
    ("*.kdbx", _PASSWORDS),
)
_HARMLESS: Final = ("*.example", "*.sample", "*.template", "*.dist")


def _token(kind: str, pattern: str) -> tuple[str, re.Pattern[bytes]]:
    """Return a kind of token with what finds it, never in the middle of a longer word."""
    whole = rf"(?<![A-Za-z0-9_-])(?:{pattern})"
    return kind, re.compile(whole.encode())


_TOKENS: Final = (
    _token("an Anthropic key", r"sk-ant-(?P<body>[A-Za-z0-9_-]{20,})"),
    _token("an OpenAI key", r"sk-(?:proj|svcacct|admin|None)-(?P<body>[A-Za-z0-9_-]{20,})"),
    _token("an OpenAI key", r"sk-(?P<body>[A-Za-z0-9]{48})(?![A-Za-z0-9])"),
    _token("an AWS access key", r"(?:AKIA|ASIA)(?P<body>[A-Z0-9]{16})(?![A-Za-z0-9])"),
    _token("a GitHub token", r"gh[pousr]_(?P<body>[A-Za-z0-9]{36,})"),
    _token("a GitHub token", r"github_pat_(?P<body>[A-Za-z0-9_]{22,})"),
    _token("a live Stripe key", r"[rs]k_live_(?P<body>[A-Za-z0-9]{16,})"),
    _token("a webhook's signing secret", r"whsec_(?P<body>[A-Za-z0-9+/]{24,})"),
    _token("a Slack token", r"xox[abeoprs]-(?P<body>[0-9]{6,}-[A-Za-z0-9-]{10,})"),
    _token("a Slack token", r"xapp-[0-9]-(?P<body>[A-Z0-9]{6,}-[0-9]+-[a-f0-9]{20,})"),
    _token("a Slack webhook", r"hooks\.slack\.com/services/(?P<body>T\w{6,}/B\w{6,}/\w{16,})"),
    _token("a Google key", r"AIza(?P<body>[A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])"),
    _token("a Google client's secret", r"GOCSPX-(?P<body>[A-Za-z0-9_-]{24,})"),
    (
        "a private key",
        re.compile(
            rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
            rb"(?s:.{0,300}?)(?P<body>[A-Za-z0-9+/]{40})"
        ),
    ),
)
"""Kinds of tokens with what finds them; the text that merely begins one is none."""
