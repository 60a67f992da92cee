"""Sentry: errors of the log are told there, where its library and its address are."""

from __future__ import annotations

import atexit
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentry_sdk.types import Event
    from structlog.typing import EventDict, Processor

ADDRESS = "SENTRY_DSN"
"""The variable that holds the address, as Sentry's own library has it."""

FAILED = "run.failed"
"""A run that ended badly: no error of ours, so the log holds it as news."""

BY_PEOPLE = frozenset({"Rejected"})
"""What runs end with because a person said so."""

ERRORS = frozenset({"error", "critical"})

TAGS = ("run", "workflow", "step", "state", "type")
"""Facts that are told: names and ids, and no word that a person, a model or a vendor wrote."""

PATIENCE = 2.0
"""Seconds that a process which ends waits for what is still to be told."""


def reporters(environ: Mapping[str, str]) -> list[Processor]:
    """Return what tells errors to Sentry, or nothing where it is not set up.

    Other programs of the machine share the variable, so a missing library is no error; and an
    address that is none is told, and nothing else.
    """
    address = environ.get(ADDRESS)
    if not address:
        return []
    try:
        from sentry_sdk import Client  # noqa: PLC0415 - seldom there, and dear to load
        from sentry_sdk.utils import BadDsn  # noqa: PLC0415 - see above
    except ImportError:
        return []
    try:
        # A client of our own: the one of whoever runs us, and what it is set to, stay theirs.
        client = Client(
            dsn=address,
            release=f"proveout@{version('proveout')}",
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            send_default_pii=False,
            max_breadcrumbs=0,
        )
    except BadDsn as error:
        return [_once(error)]
    atexit.register(client.close, timeout=PATIENCE)

    def report(_: object, __: str, event: EventDict) -> EventDict:
        if is_told(event):
            client.capture_event(told(event))
        return event

    return [report]


def is_told(event: Mapping[str, Any]) -> bool:
    """Whether an event of the log is one for whoever mends errors."""
    is_bad = event["event"] == FAILED and event.get("type") not in BY_PEOPLE
    return is_bad or event["level"] in ERRORS


def told(event: Mapping[str, Any]) -> Event:
    """Return what Sentry is told of an event of the log; events of one kind are one issue."""
    name, kind = str(event["event"]), str(event.get("type", ""))
    tags = {tag: str(event[tag]) for tag in TAGS if event.get(tag)}
    if event.get("release"):
        tags["run_release"] = str(event["release"])  # `release` is Sentry's own word, for ours
    return {
        "message": f"{name} {kind}".strip(),
        "level": "error",
        "logger": "proveout",
        "tags": tags,
        "extra": {"where": str(event["where"])} if event.get("where") else {},
        "fingerprint": [name, kind, str(event.get("step", ""))],
    }


def _once(error: Exception) -> Processor:
    """Return what adds to the next event of the log, and to no other, that nothing is told."""
    left = [f"{ADDRESS} is no address, so no error is told there: {error}"]

    def warn(_: object, __: str, event: EventDict) -> EventDict:
        if left:
            event["sentry"] = left.pop()
        return event

    return warn
