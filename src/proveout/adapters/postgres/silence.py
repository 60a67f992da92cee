"""How long a machine that fell silent keeps the rows of a transaction that it left open.

It cannot say that it lost its link, and the network by itself takes hours to notice.
"""

from __future__ import annotations

ABANDONED = 10
"""Seconds of silence between two statements after which the server ends a transaction."""

NOTICED = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{ABANDONED}000",
}
"""Settings of a session for silence in the middle of a statement, which that does not count."""
