"""Signing, with a key that the store never holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proveout.domain.ledger import Anchor, Signature


class Signer(Protocol):
    """Our key, and what this machine remembers outside the store."""

    def sign(self, data: bytes) -> Signature:
        """Return our signature over `data`."""
        ...

    def is_ours(self, data: bytes, signature: Signature) -> bool:
        """Whether `signature` is one that our key made over `data`."""
        ...

    def note(self, ledger: str, anchor: Anchor) -> None:
        """Remember the newest entry of the ledger called `ledger`."""
        ...

    def anchor(self, ledger: str) -> Anchor | None:
        """Return what was last remembered of that ledger, or None."""
        ...
