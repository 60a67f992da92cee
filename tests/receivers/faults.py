"""What is wrong with receivers of webhooks, one fault at a time, and which probes find it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FRAMEWORKS = ("Flask", "FastAPI", "Django", "WSGI")
"""What the receivers are written with."""


class Fault(StrEnum):
    """One fault, by the name under which a receiver has it."""

    NONE = "none"
    REDIRECT = "redirect"
    LOGIN = "login"
    CSRF = "csrf"
    WRONG_KEY = "wrong-secret"
    SLOW = "slow"
    UNSIGNED = "unsigned"
    UNCHECKED = "unchecked"
    EMPTY_KEY = "empty-secret"
    SEEN_SIGNATURE = "seen-signature"
    ACTS_FIRST = "acts-first"
    TELLS_SIGNATURE = "tells-signature"
    TELLS_KEY = "tells-secret"
    TRACEBACK = "traceback"
    REWRITTEN = "rewritten"
    ASCII = "ascii"
    NO_AGE = "no-age"
    NARROW = "narrow"
    NO_FUTURE = "no-future"
    FIRST_SIGNATURE = "first-signature"
    HEADER_CRASH = "header-crash"
    JSON_CRASH = "json-crash"
    KNOWN_TYPES = "known-types"
    NO_MEMORY = "no-memory"
    BY_SIGNATURE = "by-signature"
    LOOK_THEN_ACT = "look-then-act"
    UNIQUE_CRASH = "unique-crash"
    ONE_BY_ONE = "one-by-one"
    THROTTLED = "throttled"
    REMEMBERS_FIRST = "remembers-first"
    SWALLOWS = "swallows"
    LAST_WINS = "last-wins"
    TEST_ACTS = "test-acts"
    SHORT_BODY = "short-body"
    GIVES_UP = "gives-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault, what it is in words, and what finds it.

    Attributes:
        found: probes that fail, each time.
        may: further probes that may fail with it, by the moment at which things happen.
    """

    fault: Fault
    words: str
    found: tuple[str, ...]
    may: tuple[str, ...] = ()


CASES = (
    Case(fault=Fault.REDIRECT, words="redirects to its address with a slash", found=("P01",)),
    Case(fault=Fault.LOGIN, words="stands behind a login", found=("P01",)),
    Case(fault=Fault.CSRF, words="wants a CSRF token", found=("P01",)),
    Case(fault=Fault.WRONG_KEY, words="has another endpoint's secret", found=("P01",)),
    Case(fault=Fault.SLOW, words="does slow work before it answers", found=("P02",)),
    Case(
        fault=Fault.UNSIGNED, words="checks a signature only if there is one", found=("P03", "P12")
    ),
    Case(
        fault=Fault.UNCHECKED,
        words="looks for a signature and never checks it",
        found=("P04", "P05", "P09", "P12"),
    ),
    Case(fault=Fault.EMPTY_KEY, words="falls back to an empty secret", found=("P04",)),
    Case(fault=Fault.SEEN_SIGNATURE, words="trusts a signature that it has seen", found=("P05",)),
    Case(
        fault=Fault.ACTS_FIRST,
        words="acts, and checks the signature afterwards",
        found=("P03", "P04", "P05", "P09"),
    ),
    Case(fault=Fault.TELLS_SIGNATURE, words="names the expected signature", found=("P06",)),
    Case(fault=Fault.TELLS_KEY, words="shows its secret in an error", found=("P06",)),
    Case(fault=Fault.TRACEBACK, words="shows a traceback", found=("P06",)),
    Case(
        fault=Fault.REWRITTEN,
        words="parses the body and writes it again before it checks",
        found=("P07", "P08"),
    ),
    Case(fault=Fault.ASCII, words="decodes the body as ASCII", found=("P08",)),
    Case(fault=Fault.NO_AGE, words="never looks at the signed time", found=("P09",)),
    Case(fault=Fault.NARROW, words="tolerates one minute", found=("P10",)),
    Case(fault=Fault.NO_FUTURE, words="refuses a clock that is ahead", found=("P10",)),
    Case(fault=Fault.FIRST_SIGNATURE, words="reads the first signature alone", found=("P11",)),
    Case(fault=Fault.HEADER_CRASH, words="crashes on a malformed header", found=("P12",)),
    Case(fault=Fault.JSON_CRASH, words="crashes on broken JSON", found=("P13",)),
    Case(fault=Fault.KNOWN_TYPES, words="refuses types that it does not know", found=("P14",)),
    Case(
        fault=Fault.NO_MEMORY,
        words="does not remember events",
        found=("P15", "P16", "P17", "P23"),
    ),
    Case(
        fault=Fault.BY_SIGNATURE,
        words="tells repetitions by their signature",
        found=("P16", "P23"),
    ),
    Case(
        fault=Fault.LOOK_THEN_ACT,
        words="looks whether it knows an event, then acts, then remembers",
        found=("P17",),
        may=("P23",),
    ),
    Case(
        fault=Fault.UNIQUE_CRASH,
        words="answers 500 to an event that it knows",
        found=("P15", "P16", "P17"),
        may=("P23",),
    ),
    Case(fault=Fault.ONE_BY_ONE, words="takes one delivery at a time", found=("P18",)),
    Case(fault=Fault.THROTTLED, words="turns a burst away with 429", found=("P18",)),
    Case(fault=Fault.REMEMBERS_FIRST, words="remembers an event before it acts", found=("P19",)),
    Case(fault=Fault.SWALLOWS, words="catches errors and answers 200", found=("P19",)),
    Case(fault=Fault.LAST_WINS, words="keeps the state that came last", found=("P20",)),
    Case(fault=Fault.TEST_ACTS, words="acts on events of the test mode", found=("P21",)),
    Case(fault=Fault.SHORT_BODY, words="takes 100 kB at most", found=("P22",)),
    Case(
        fault=Fault.GIVES_UP,
        words="remembers an event, and gives up when its caller hangs up",
        found=("P23",),
    ),
)
"""Every fault; a receiver without any is `Fault.NONE`."""
