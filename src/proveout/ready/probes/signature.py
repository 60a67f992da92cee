"""P03 to P06, P11 and P12: only the provider's own signature lets in, and nothing tells it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from proveout.ports.receiver import Letter
from proveout.ready.findings import Severity
from proveout.ready.probes.judge import leaks, not_acknowledged, not_refused, said, summary
from proveout.ready.probes.probe import Due, Framework, Notion, Probe, Shown
from proveout.ready.probes.rig import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proveout.domain.delivery import Headers
    from proveout.ports.receiver import Answer
    from proveout.ready.probes.contract import Contract
    from proveout.ready.probes.rig import Rig
    from proveout.ready.probes.sample import Event

WHOLE = (
    ("an empty header", b""),
    ("a header of words", b"not a signature"),
    ("a header of separators", b",=,;= ,v1,t=,"),
)
"""What stands in the place of the whole header."""

BARE = (
    ("a signature of no characters", b""),
    ("a signature of the wrong alphabet", b"*!" * 32),
    ("a signature that is not ASCII", b"\xc3\xa9\xff" * 20),
    ("a signature of 6 kB", b"a" * 6_000),
)
"""What stands in the place of the signature alone."""

MOMENTS = (
    ("a time in words", b"soon"),
    ("no time", b""),
    ("a negative time", b"-1"),
    ("a time of 40 digits", b"9" * 40),
    ("a time that is no number", b"nan"),
    ("a time that is not ASCII", b"\xd9\xa1\xff"),
)
"""What stands in the place of the signed time."""


async def refuse_unsigned(rig: Rig) -> Shown:
    """Send an event without its signature."""
    event = rig.event()
    signed = rig.letter(event)
    bare = rig.contract.bare(signed.headers)
    headers = rig.contract.unsigned(signed.headers)
    answer = await rig.send(Letter(headers=headers, body=signed.body, expected=bare))
    return Shown(
        sent="a valid event without its signature",
        received=said(answer),
        fault=not_refused([("what is not signed", answer)]),
        dues=(Due(event=event.id, count=0),),
    )


async def refuse_others(rig: Rig) -> Shown:
    """Send an event signed with another secret, and one signed with none."""
    dues: list[Due] = []
    answers: list[tuple[str, Answer]] = []
    for key in (Key.OTHER, Key.EMPTY):
        event = rig.event()
        answer = await rig.send(rig.letter(event, key=key))
        answers.append((f"what {key.value} signed", answer))
        dues.append(Due(event=event.id, count=0))
    return Shown(
        sent="two valid events, signed with another secret and with an empty one",
        received=" and ".join(said(answer) for _, answer in answers),
        fault=not_refused(answers),
        dues=tuple(dues),
    )


async def refuse_changed(rig: Rig) -> Shown:
    """Send an event, and then another body under the very headers of the first."""
    event, other = rig.event(), rig.event()
    recorded = rig.letter(event)
    first = await rig.send(recorded)
    body = rig.body(other)
    changed = Letter(headers=recorded.headers, body=body, expected=_right(rig, event, body))
    answer = await rig.send(changed)
    return Shown(
        sent="a valid event, then another body under its headers",
        received=f"{said(first)} and {said(answer)}",
        fault=not_refused([("the other body", answer)]),
        dues=(Due(event=event.id, count=1), Due(event=other.id, count=0)),
    )


def _right(rig: Rig, event: Event, body: bytes) -> bytes:
    """Return the signature that would have been right, now."""
    return rig.contract.bare(rig.letter(event, body).headers)


async def reveal(rig: Rig) -> Shown:
    """Read all that was answered so far; nothing more is sent."""
    found: dict[str, None] = {}
    for one in rig.heard:
        found |= dict.fromkeys(leaks(one.answer, rig.secrets, one.letter.expected))
    return Shown(
        sent=f"nothing more: the answers to all {len(rig.heard)} deliveries were read",
        received=", ".join(found) or "nothing that a stranger must not know",
        fault=f"an answer shows {', '.join(found)}" if found else "",
    )


async def rotate(rig: Rig) -> Shown:
    """Send an event with a signature of another secret first, then its own."""
    event = rig.event()
    other = rig.contract.bare(rig.letter(event, key=Key.OTHER).headers)
    letter = rig.letter(event)
    headers = rig.contract.signed_twice(letter.headers, other)
    answer = await rig.send(Letter(headers=headers, body=letter.body))
    return Shown(
        sent="a valid event with two signatures: of an old secret, then of its own",
        received=said(answer),
        fault=not_acknowledged([("it is taken for a forgery", answer)]),
    )


async def refuse_malformed(rig: Rig) -> Shown:
    """Send an event under one malformed header after the other."""
    answers: list[tuple[str, Answer]] = []
    for name, change in malformed(rig.contract):
        letter = rig.letter(rig.event())
        bad = Letter(
            headers=change(letter.headers),
            body=letter.body,
            expected=rig.contract.bare(letter.headers),
        )
        answers.append((name, await rig.send(bad)))
    return Shown(
        sent=f"valid events under {len(answers)} malformed headers, one at a time",
        received=summary([answer for _, answer in answers]),
        fault=not_refused(answers),
    )


def malformed(contract: Contract) -> Iterator[tuple[str, Callable[[Headers], Headers]]]:
    """Yield every way to spoil good headers, with its name."""
    for name, value in WHOLE:
        yield name, partial(contract.written_as, value=value)
    for name, value in BARE:
        yield name, partial(contract.signed_as, bare=value)
    if contract.moment is not None:
        for name, value in MOMENTS:
            yield name, partial(contract.at, moment=value)


P03 = Probe(
    id="P03",
    title="An unsigned delivery is refused",
    severity=Severity.CRITICAL,
    why="Whoever finds the address can make events up: paid invoices, merged code, new orders.",
    fix="Answer 400 when the header of the signature is missing, before anything else is read.",
    fixes={
        Framework.FLASK: "Begin the view with: if not request.headers.get(HEADER): abort(400).",
        Framework.FASTAPI: "Begin the route with: if not request.headers.get(HEADER): raise "
        "HTTPException(400). Header() with a default of None lets it through.",
        Framework.DJANGO: "Begin the view with: if not request.headers.get(HEADER): return "
        "HttpResponseBadRequest().",
        Framework.EXPRESS: "Begin the route with: if (!req.get(HEADER)) return "
        "res.sendStatus(400).",
    },
    perform=refuse_unsigned,
)

P04 = Probe(
    id="P04",
    title="A delivery signed with another secret is refused",
    severity=Severity.CRITICAL,
    why="The signature is looked for and not checked, or the secret is empty where it runs: "
    "anyone can sign.",
    fix="Compute the signature with the endpoint's secret, compare in constant time, answer 400 "
    "when it differs; refuse to start when the secret is empty.",
    fixes={
        Framework.FLASK: "Compare with hmac.compare_digest and abort(400); read the secret with "
        "os.environ[NAME], which fails when it is missing.",
        Framework.FASTAPI: "Compare with hmac.compare_digest and raise HTTPException(400); read "
        "the secret with os.environ[NAME], which fails when it is missing.",
        Framework.DJANGO: "Compare with constant_time_compare and return HttpResponseBadRequest(); "
        "read the secret in settings.py with os.environ[NAME], which fails when it is missing.",
        Framework.EXPRESS: "Compare with crypto.timingSafeEqual and answer 400; throw at start "
        "when process.env.NAME is undefined.",
    },
    perform=refuse_others,
)

P05 = Probe(
    id="P05",
    title="A changed body is refused",
    severity=Severity.CRITICAL,
    why="Whoever records one delivery can send any other content under its signature.",
    fix="Compute the signature over the whole raw body of this very request.",
    fixes={
        Framework.FLASK: "Compute the signature over request.get_data().",
        Framework.FASTAPI: "Compute the signature over await request.body().",
        Framework.DJANGO: "Compute the signature over request.body.",
        Framework.EXPRESS: "Compute the signature over the Buffer that express.raw() leaves in "
        "req.body.",
    },
    perform=refuse_changed,
)

P06 = Probe(
    id="P06",
    title="Errors show no secret, no signature and no traceback",
    severity=Severity.HIGH,
    why="With the signature that would have been right, or the secret, anyone can sign; a "
    "traceback tells the rest.",
    fix="Answer bad deliveries with fixed words, log the reason, and turn debugging off.",
    fixes={
        Framework.FLASK: "Run without debug=True, and abort(400) with fixed words.",
        Framework.FASTAPI: "Drop FastAPI(debug=True), and raise HTTPException(400, fixed words), "
        "never detail=str(error).",
        Framework.DJANGO: "Set DEBUG = False, and return HttpResponseBadRequest(fixed words), "
        "never str(error).",
        Framework.EXPRESS: "Set NODE_ENV=production, and add an error handler that answers fixed "
        "words, never err.stack.",
    },
    perform=reveal,
)

P11 = Probe(
    id="P11",
    title="Two signatures are accepted while a secret is replaced",
    severity=Severity.MEDIUM,
    why="For hours after a secret is rolled the provider signs with both; a receiver that looks "
    "at one of them loses these events.",
    fix="Accept a delivery when any of its signatures is right, in whichever order.",
    needs=Notion.SEVERAL,
    perform=rotate,
)

P12 = Probe(
    id="P12",
    title="Malformed headers are refused with a 4xx, never a 5xx",
    severity=Severity.MEDIUM,
    why="A stranger can fill the error log and the pager, and a 5xx asks to be sent again.",
    fix="Catch whatever reading the header raises, such as a time that is no number, base64 that "
    "is none, or text that is not ASCII, and answer 400.",
    fixes={
        Framework.FLASK: "Compare bytes (text beyond ASCII makes hmac.compare_digest raise "
        "TypeError), and abort(400) on ValueError, OverflowError and binascii.Error.",
        Framework.FASTAPI: "Compare bytes (text beyond ASCII makes hmac.compare_digest raise "
        "TypeError), and raise HTTPException(400) on ValueError, OverflowError and binascii.Error.",
        Framework.DJANGO: "Compare bytes (text beyond ASCII makes hmac.compare_digest raise "
        "TypeError), and return HttpResponseBadRequest() on ValueError, OverflowError and "
        "binascii.Error.",
        Framework.EXPRESS: "Compare lengths before crypto.timingSafeEqual, which throws when they "
        "differ, and answer 400 from a catch around the check.",
    },
    perform=refuse_malformed,
)
