"""Passwords: what may be one, and how they are hashed without holding anything up."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from proveout.errors import Mistake, Outage

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

LEAST = 12
"""Characters that a password must have at least."""

MOST = 256
"""Characters that it may have at most."""

THREADS = 2
"""Hashes at once; each takes 64 MiB for some 50 ms."""

QUEUE = 32
"""Hashes that may wait; more than that is no crowd of people."""


class WeakPassword(Mistake):
    """The password is too easy to guess, or cannot be typed again."""

    code = "weak-password"


class Crowded(Outage):
    """Too many people sign in at this moment."""

    code = "crowded"


class Passwords:
    """Hashes passwords by argon2id, a few at a time, beside the event loop.

    The work for a name that does not exist is the same as for one that does, so that the
    time of an answer does not tell which names there are.

    Attributes:
        nobody: the hash that no password is known of.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        self.nobody = _hash_of_nobody(self._hasher)

    async def hash(self, password: str) -> str:
        """Return the argon2id hash of a password that `check_password` let through.

        Raises:
            Crowded: too many wait already.
        """
        return await self._aside(self._hasher.hash, _normal(password))

    async def verify(self, password: str, hash_: str | None) -> bool:
        """Whether `hash_` was made of `password`; None is the hash of nobody.

        Raises:
            Crowded: too many wait already.
        """
        return await self._aside(self._verify, password, hash_ or None)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, hash_: str | None) -> bool:
        try:
            matches = self._hasher.verify(hash_ or self.nobody, _normal(password)[: 4 * MOST])
        except (VerificationError, InvalidHashError):
            return False
        return matches and hash_ is not None

    async def _aside(self, call: Callable[P, T], /, *arguments: P.args, **keywords: P.kwargs) -> T:
        if self._waiting >= QUEUE:
            raise Crowded(
                "too many people sign in at this moment",
                why="each password takes some work, so that guessing does",
                fix=("try again in a few seconds",),
            )
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: call(*arguments, **keywords))
        finally:
            self._waiting -= 1


def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """Return a hash that no known password has, and that takes as long to compare as any."""
    sizes = (hasher.salt_len, hasher.hash_len)
    salt, digest = (b64encode(secrets.token_bytes(size)) for size in sizes)
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt.decode().rstrip('=')}${digest.decode().rstrip('=')}"


def check_password(password: str, name: str) -> None:
    """Leave quietly when `password` may be the one of the user called `name`.

    Raises:
        WeakPassword: it is too short, too long, all alike, or holds the name.
    """
    text = _normal(password).decode(errors="replace")
    if not LEAST <= len(text) <= MOST:
        raise WeakPassword(f"a password has {LEAST} to {MOST} characters", why="length is strength")
    if len(set(text)) < LEAST // 3 or name.casefold() in text.casefold():
        raise WeakPassword(
            "the password is too easy to guess",
            why="it repeats a few characters, or holds the name",
            fix=("take four words that have nothing to do with each other",),
        )
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        raise WeakPassword("a password holds no control characters", why="nobody could type it")


def _normal(password: str) -> bytes:
    """Return one spelling for all ways to type the same characters."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
