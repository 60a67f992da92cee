"""P07, P08 and P13: the signature is of the raw bytes, and broken ones are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ready.findings import Severity
from proveout.ready.probes.judge import not_acknowledged, not_refused, summary
from proveout.ready.probes.probe import Framework, Probe, Shown
from proveout.ready.probes.sample import Form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.ports.receiver import Answer
    from proveout.ready.probes.rig import Rig
    from proveout.ready.probes.sample import Event

MARK = "proveout-mark"
"""A text in a body that is replaced by what no JSON writer writes."""

WORDS = "Zürich, Ελλάδα, 東京, 🚚"
"""Text of two, three and four bytes a character."""

BROKEN = (
    ("a body that was cut off", b'{"id": "evt_'),
    ("a body in words", b"no JSON at all"),
    ("an empty body", b""),
    ("a body that is not UTF-8", b'{"id": "\xff\xfe"}'),
)


async def keep_raw(rig: Rig) -> Shown:
    """Send valid bodies that read the same and are written in other ways."""
    answers: list[tuple[str, Answer]] = []
    for name, event, body in unlikely(rig):
        answers.append((f"{name} is not acknowledged", await rig.send(rig.letter(event, body))))
    return Shown(
        sent="valid events: compact, pretty-printed, with escapes, with floats like 1.0 and 1e2",
        received=summary([answer for _, answer in answers]),
        fault=not_acknowledged(answers),
    )


def unlikely(rig: Rig) -> Iterator[tuple[str, Event, bytes]]:
    """Yield valid bodies, each written as some provider writes them, with its name."""
    for name, form in (("a spaced body", Form.SPACED), ("a compact body", Form.COMPACT)):
        event = rig.event()
        yield name, event, form.write(rig.sample.content_of(event))
    event = rig.event()
    yield "a pretty-printed body", event, Form.PRETTY.write(rig.sample.content_of(event)) + b"\n"
    for name, text in (
        ("a body with escapes", rb'"\u00e9t\u00e9 \/ \u0041"'),
        ("a body with floats", b"[1.0, 1e2, 0.10, -0.0]"),
    ):
        event = rig.event(further={"proveout_value": MARK})
        yield name, event, rig.body(event).replace(f'"{MARK}"'.encode(), text)


async def accept_text(rig: Rig) -> Shown:
    """Send an event with text beyond ASCII, in UTF-8."""
    event = rig.event(further={"proveout_text": MARK})
    body = rig.body(event).replace(MARK.encode(), WORDS.encode())
    answer = await rig.send(rig.letter(event, body))
    return Shown(
        sent=f"a valid event with {WORDS} in UTF-8",
        received=summary([answer]),
        fault=not_acknowledged([("it is not acknowledged", answer)]),
    )


async def refuse_broken(rig: Rig) -> Shown:
    """Send bodies that are no JSON under signatures that are good."""
    answers: list[tuple[str, Answer]] = []
    for name, body in BROKEN:
        answers.append((name, await rig.send(rig.letter(rig.event(), body))))
    return Shown(
        sent=f"{len(BROKEN)} bodies that are no JSON, signed as they are",
        received=summary([answer for _, answer in answers]),
        fault=not_refused(answers),
    )


P07 = Probe(
    id="P07",
    title="The signature is checked over the raw body",
    severity=Severity.HIGH,
    why="A body that is parsed and written again differs by a blank, an escape or a float, and "
    "valid events are refused, some today, more after the provider's next release.",
    fix="Read the raw bytes before anything parses them, verify, and parse afterwards.",
    fixes={
        Framework.FLASK: "Verify over request.get_data(), not over json.dumps(request.get_json()).",
        Framework.FASTAPI: "Take request: Request and verify over await request.body(); a "
        "parameter with a model has been parsed already.",
        Framework.DJANGO: "Verify over request.body, before request.POST or a parser of REST "
        "framework reads it.",
        Framework.EXPRESS: 'Mount express.raw({ type: "*/*" }) on this route before '
        "app.use(express.json()), and verify over the Buffer in req.body.",
    },
    perform=keep_raw,
)

P08 = Probe(
    id="P08",
    title="Text beyond ASCII is accepted",
    severity=Severity.HIGH,
    why="The first customer from Zürich or Tokyo is refused, and only that one.",
    fix="Treat the body as bytes until it is verified, then decode it as UTF-8.",
    fixes={
        Framework.FLASK: "Verify over request.get_data() as bytes, without as_text and without "
        "encoding it again.",
        Framework.FASTAPI: "Verify over await request.body() as bytes.",
        Framework.DJANGO: "Verify over request.body as bytes.",
        Framework.EXPRESS: 'Verify over the Buffer in req.body, without toString("latin1").',
    },
    perform=accept_text,
)

P13 = Probe(
    id="P13",
    title="Signed broken JSON is refused with a 4xx, never a 5xx",
    severity=Severity.LOW,
    why="A proxy that cuts bodies off looks like a bug of yours, and each is sent again for days.",
    fix="Parse within a try, and answer 400 when it fails: also on bytes that are not UTF-8.",
    fixes={
        Framework.FLASK: "abort(400) on ValueError around json.loads(request.get_data()); "
        "UnicodeDecodeError is one, too.",
        Framework.FASTAPI: "raise HTTPException(400) on ValueError around json.loads(body); "
        "UnicodeDecodeError is one, too.",
        Framework.DJANGO: "return HttpResponseBadRequest() on ValueError around "
        "json.loads(request.body); UnicodeDecodeError is one, too.",
        Framework.EXPRESS: "Answer 400 from a catch around JSON.parse(req.body).",
    },
    perform=refuse_broken,
)
