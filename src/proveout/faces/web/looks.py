"""How each status looks: a word, a sign with a shape of its own, and a tone that repeats them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from proveout.faces.web.frame import Tone

if TYPE_CHECKING:
    from collections.abc import Mapping


class Look(NamedTuple):
    """One status as it is shown."""

    tone: Tone
    sign: str
    word: str


LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        # runs
        "QUEUED": Look(Tone.PLAIN, "ring", "queued"),
        "RUNNING": Look(Tone.INFO, "dot", "running"),
        "WAITING": Look(Tone.WAIT, "hourglass", "waiting"),
        "PARKED": Look(Tone.WAIT, "pause", "parked"),
        "SUCCEEDED": Look(Tone.GO, "check", "succeeded"),
        "FAILED": Look(Tone.NO, "cross", "failed"),
        "DEAD": Look(Tone.NO, "dead", "dead"),
        "CANCELLED": Look(Tone.PLAIN, "ban", "cancelled"),
        # verdicts and criteria
        "GO": Look(Tone.GO, "check", "GO"),
        "NO-GO": Look(Tone.NO, "cross", "NO-GO"),
        "UNDECIDED": Look(Tone.WAIT, "open", "UNDECIDED"),
        "MET": Look(Tone.GO, "check", "met"),
        "OPEN": Look(Tone.WAIT, "open", "open"),
        # claims
        "PROVEN": Look(Tone.GO, "check", "proven"),
        "EXPIRED": Look(Tone.WAIT, "clock", "expired"),
        "CLAIMED": Look(Tone.WAIT, "quote", "claimed"),
        "MISSING": Look(Tone.NO, "ring", "missing"),
        "NOT NEEDED": Look(Tone.PLAIN, "dash", "not needed"),
        "WAIVED": Look(Tone.PLAIN, "flag", "waived"),
        # drills
        "PASSED": Look(Tone.GO, "check", "passed"),
        "ABORTED": Look(Tone.WAIT, "alert", "aborted"),
        "NEVER": Look(Tone.PLAIN, "ring", "never"),
        # reviews
        "APPROVED": Look(Tone.GO, "check", "approved"),
        "EDITED": Look(Tone.GO, "check", "edited and approved"),
        "REJECTED": Look(Tone.NO, "cross", "rejected"),
        "DECIDED": Look(Tone.PLAIN, "check", "decided"),
        "SUPERSEDED": Look(Tone.PLAIN, "ban", "superseded"),
        # alerts
        "PAGE": Look(Tone.NO, "alert", "page"),
        "TICKET": Look(Tone.WAIT, "flag", "ticket"),
        "ACKNOWLEDGED": Look(Tone.INFO, "person", "taken"),
        "SILENCED": Look(Tone.PLAIN, "ban", "silenced"),
        "FOLLOWS": Look(Tone.PLAIN, "dash", "follows"),
        "OVER": Look(Tone.GO, "check", "over"),
        # releases
        "CREATED": Look(Tone.PLAIN, "ring", "created"),
        "CANARY": Look(Tone.INFO, "dot", "canary"),
        "STABLE": Look(Tone.GO, "check", "stable"),
        "DRAINING": Look(Tone.WAIT, "hourglass", "draining"),
        "RETIRED": Look(Tone.PLAIN, "dash", "retired"),
        # steps of the path
        "DONE": Look(Tone.GO, "check", "done"),
        "NOW": Look(Tone.INFO, "dot", "now"),
        "BLOCKED": Look(Tone.NO, "cross", "blocked"),
        "AHEAD": Look(Tone.PLAIN, "ring", "ahead"),
    }
)


def look_of(status: str) -> Look:
    """Return how a status looks; one that is not known is shown by its word alone.

    >>> look_of("dead").word, look_of("NEVER_HEARD").word
    ('dead', 'never heard')
    """
    known = LOOKS.get(status.upper().replace("_", " "))
    return known or Look(Tone.PLAIN, "ring", status.lower().replace("_", " "))
