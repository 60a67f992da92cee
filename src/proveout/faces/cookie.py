"""The cookie of a session: no script reads it, and no other site sends it."""

from __future__ import annotations

from dataclasses import dataclass

COOKIE = "proveout_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """What a cookie of a session is set with.

    Attributes:
        max_age: seconds.
    """

    secret: str
    max_age: int
    secure: bool

    def header(self) -> str:
        """Return the value of `Set-Cookie`."""
        parts = [
            f"{cookie_name(secure=self.secure)}={self.secret}",
            f"Max-Age={self.max_age}",
            "Path=/",
        ]
        parts += ["HttpOnly", "SameSite=Strict", *(["Secure"] if self.secure else [])]
        return "; ".join(parts)


def cookie_name(*, secure: bool) -> str:
    """Return what the cookie of a session is called; `secure` where it came over TLS."""
    return bound(COOKIE, secure=secure)


def bound(name: str, *, secure: bool) -> str:
    """Return what a cookie is called; over TLS no other host and no plain wire can set it.

    >>> bound("proveout_session", secure=True)
    '__Host-proveout_session'
    """
    return f"__Host-{name}" if secure else name
