"""P15 to P17, P19 and P23: however often an event is sent, it has one effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ports.receiver import Letter
from proveout.ready.findings import Severity
from proveout.ready.probes.judge import not_acknowledged, said, summary
from proveout.ready.probes.probe import Due, Framework, Notion, Probe, Shown

if TYPE_CHECKING:
    from proveout.ports.receiver import Answer
    from proveout.ready.probes.rig import Rig
    from proveout.ready.probes.sample import Event

AGAIN = (0.1, 0.5, 2.0)
"""Seconds before the tries that follow a failed one; providers wait longer."""

FIRST_AGE = 60
"""Seconds before now at which a first try was signed; no two tries have the same signature."""

HANG_UPS = ((0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (1.0, 0.0))
"""When callers hang up, as a share of the quickest answer, and seconds until they send again."""

UNCOUNTED = "nothing counts effects: --effects-url or --effects-command"

UNIQUE = (
    "In one transaction, insert the event's id under a unique constraint and do the work; when "
    "the id is there already, answer 200 and do nothing."
)


async def repeat(rig: Rig) -> Shown:
    """Send the same bytes three times, one after the other."""
    event = rig.event()
    letter = rig.letter(event)
    again = Letter(headers=(*letter.headers, *rig.contract.again), body=letter.body)
    answers = [await rig.send(one) for one in (letter, again, again)]
    return Shown(
        sent="one event three times, in sequence, byte for byte",
        received=summary(answers),
        fault=_unacknowledged(answers),
        dues=(Due(event=event.id, count=1),),
        is_about_effects=True,
    )


async def repeat_signed(rig: Rig) -> Shown:
    """Send one event three times, each time signed at another second."""
    event = rig.event()
    answers: list[Answer] = []
    for age in (20, 10, 0):
        letter = rig.letter(event, age=age)
        headers = (*letter.headers, *(rig.contract.again if answers else ()))
        answers.append(await rig.send(Letter(headers=headers, body=letter.body)))
    return Shown(
        sent="one event three times, in sequence, each with a time and a signature of its own",
        received=summary(answers),
        fault=_unacknowledged(answers),
        dues=(Due(event=event.id, count=1),),
        is_about_effects=True,
    )


async def repeat_at_once(rig: Rig) -> Shown:
    """Send copies of one event whose last bytes arrive at the same moment; then another event."""
    answers: list[Answer] = []
    events: list[Event] = []
    for _ in range(rig.bounds.rounds):
        events.append(rig.event())
        copies = [rig.letter(events[-1])] * rig.bounds.copies
        answers += await rig.send_together(copies, same_moment=True)
    return Shown(
        sent=f"{len(events)} events, {rig.bounds.copies} copies each, at the same moment",
        received=summary(answers),
        fault=_unacknowledged(answers),
        dues=tuple(Due(event=event.id, count=1) for event in events),
        is_about_effects=True,
    )


async def poison(rig: Rig) -> Shown:
    """Send an event on which a handler that cooperates fails once, as often as a provider would."""
    sent = "an event whose data.object.poison makes a cooperating handler fail once"
    if not rig.witness.counts:
        return Shown(sent="", received="", unsure=UNCOUNTED)
    event = rig.event(poison=f"poison-{rig.ids.new()}")
    answers = await _until_acknowledged(rig, event)
    if all(answer.is_refused for answer in answers):
        return Shown(
            sent=sent, received=summary(answers), unsure="it refuses the field data.object.poison"
        )
    last = answers[-1]
    return Shown(
        sent=f"{sent}; sent again until it is acknowledged",
        received=summary(answers),
        fault="" if last.is_acknowledged else f"it is never acknowledged: {said(last)}",
        dues=(Due(event=event.id, count=1),),
        is_about_effects=True,
    )


async def hang_up(rig: Rig) -> Shown:
    """Hang up at once, half way and at the end of the quickest time; send each event again."""
    events: list[Event] = []
    answers: list[Answer] = []
    for share, pause in HANG_UPS:
        events.append(rig.event())
        letter = rig.letter(events[-1], age=FIRST_AGE)
        await rig.receiver.hang_up(letter, min(share * rig.fastest, 1.0))
        await rig.clock.sleep(pause)
        answers.append((await _until_acknowledged(rig, events[-1]))[-1])
    return Shown(
        sent=f"{len(events)} events whose caller hangs up before the answer, each sent again",
        received=summary(answers),
        fault=_unacknowledged(answers),
        dues=tuple(Due(event=event.id, count=1) for event in events),
        is_about_effects=True,
    )


async def _until_acknowledged(rig: Rig, event: Event) -> list[Answer]:
    """Send an event, signed afresh each time, until it is acknowledged; return every answer."""
    answers = [await rig.send(rig.letter(event, age=10 * len(AGAIN)))]
    for left, pause in zip(reversed(range(len(AGAIN))), AGAIN, strict=True):
        if answers[-1].is_acknowledged:
            break
        await rig.clock.sleep(pause)
        letter = rig.letter(event, age=10 * left)
        headers = (*letter.headers, *rig.contract.again)
        answers.append(await rig.send(Letter(headers=headers, body=letter.body)))
    return answers


def _unacknowledged(answers: list[Answer]) -> str:
    return not_acknowledged(
        (f"number {at} is not acknowledged", answer) for at, answer in enumerate(answers, 1)
    )


P15 = Probe(
    id="P15",
    title="The same delivery again has one effect",
    severity=Severity.CRITICAL,
    why="Every provider sends some events twice: customers are charged, credited or written to "
    "twice.",
    fix=UNIQUE,
    fixes={
        Framework.DJANGO: "Within transaction.atomic(), Event.objects.get_or_create(id=…) on a "
        "unique field, and do the work only when it was created; answer 200 in both cases.",
        Framework.FLASK: "INSERT … ON CONFLICT DO NOTHING the event's id in the transaction that "
        "does the work; when no row was inserted, return 200.",
        Framework.FASTAPI: "INSERT … ON CONFLICT DO NOTHING the event's id in the transaction that "
        "does the work; when no row was inserted, return 200.",
        Framework.EXPRESS: "INSERT … ON CONFLICT DO NOTHING the event's id in the transaction that "
        "does the work; when no row was inserted, res.sendStatus(200). A Map in memory forgets at "
        "the next deploy.",
    },
    perform=repeat,
)

P16 = Probe(
    id="P16",
    title="An event sent again under a new signature has one effect",
    severity=Severity.CRITICAL,
    why="Each retry has its own time and signature; whoever tells repetitions by the signature or "
    "by a digest of the headers does the work again on every retry.",
    fix=f"Tell repetitions by the provider's id of the event alone. {UNIQUE}",
    needs=Notion.FRESH,
    perform=repeat_signed,
)

P17 = Probe(
    id="P17",
    title="Copies that arrive at the same moment have one effect",
    severity=Severity.CRITICAL,
    why="A retry often arrives while the first is still at work: look, then act, then remember "
    "does the work twice, or answers 500 to the second.",
    fix=f"Let the database decide, not an if. {UNIQUE}",
    fixes={
        Framework.DJANGO: "Catch IntegrityError around create() within its own atomic() and answer "
        "200; exists() before it does not help.",
        Framework.FLASK: "Insert first, and work only when a row was inserted; a SELECT before "
        "it, or a set in memory, is a race between threads and workers.",
        Framework.FASTAPI: "Insert first, and work only when a row was inserted; between a look "
        "and an await another request comes in.",
        Framework.EXPRESS: "Insert first, and work only when a row was inserted; between a look "
        "and an await another request comes in.",
    },
    perform=repeat_at_once,
)

P19 = Probe(
    id="P19",
    title="A first try that fails is not swallowed",
    severity=Severity.CRITICAL,
    why="The id is remembered before the work is done, or an error is caught and answered 200: "
    "the provider's retry finds the event done, and it is lost.",
    fix="Remember the id in the same transaction as the work, so that both are undone together; "
    "answer 500 when the work fails, or keep the event in a queue that tries again.",
    fixes={
        Framework.DJANGO: "Put get_or_create() and the work into one transaction.atomic(), and let "
        "the error out, so that Django answers 500.",
        Framework.FLASK: "Commit the id together with the work, and let the error out, so that "
        "Flask answers 500.",
        Framework.FASTAPI: "Commit the id together with the work, and let the error out; what "
        "BackgroundTasks does after the answer nobody sends again.",
        Framework.EXPRESS: "Commit the id together with the work, and next(err) when it fails; "
        "what follows res.sendStatus(200) nobody sends again.",
    },
    perform=poison,
)

P23 = Probe(
    id="P23",
    title="A caller that hangs up and tries again causes one effect",
    severity=Severity.HIGH,
    why="Providers stop waiting after seconds and send again, while the first try may be at work, "
    "be cancelled half way, or be done.",
    fix=f"{UNIQUE} Do not tie the work to the connection.",
    fixes={
        Framework.FASTAPI: "Do not act on request.is_disconnected(), and shield the transaction "
        "from cancellation by middleware.",
    },
    perform=hang_up,
)
