"""P01, P14 and P22: what is valid is accepted, whatever it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ports.receiver import NoWitness
from proveout.ready.findings import Severity
from proveout.ready.probes.judge import NO_SUCH_PLACE, said, why_not_accepted
from proveout.ready.probes.probe import Framework, Probe, Shown
from proveout.ready.probes.sample import Form

if TYPE_CHECKING:
    from proveout.ports.receiver import Answer
    from proveout.ready.probes.rig import Rig

LONG_BODY = 300_000
"""Bytes; three times what Express takes unless it is told otherwise."""

LOOK_AGAIN = 0.05
"""Seconds between two looks at the counter."""


async def accept(rig: Rig) -> Shown:
    """Find the form in which a valid delivery is accepted, and how soon it has its effect.

    A receiver that writes the body again before it checks the signature may accept one form
    and refuse the others; that is P07's to tell, and not a reason to ask nothing more.
    """
    answers: list[Answer] = []
    for form in Form:
        rig.form = form
        event = rig.event()
        answers.append(await rig.send(rig.letter(event)))
        if not why_not_accepted(answers[-1])[0]:
            rig.lag = await _lag(rig, event.id)
            return Shown(sent=_SENT, received=said(answers[-1]) + _effect(rig))
        if not answers[-1].is_refused or answers[-1].status in NO_SUCH_PLACE:
            break
    fault, hint = why_not_accepted(answers[0])
    return Shown(sent=_SENT, received=said(answers[0]), fault=fault, hint=hint)


_SENT = "the sample payload as a fresh event, signed now"


async def _lag(rig: Rig, event: str) -> float | None:
    """Return the seconds until the event had its effect; None where none is seen in time."""
    if not rig.witness.counts:
        return None
    began = rig.clock.monotonic()
    while (passed := rig.clock.monotonic() - began) < rig.bounds.patience:
        try:
            if await rig.count(event):
                return passed
        except NoWitness:
            return None
        await rig.clock.sleep(max(LOOK_AGAIN, passed / 8))
    return None


def _effect(rig: Rig) -> str:
    return "" if rig.lag is None else f"; its effect was seen after {rig.lag:.1f} s"


async def accept_unknown(rig: Rig) -> Shown:
    """Send an event of a type that nobody has heard of."""
    event = rig.event(kind="proveout_unheard_of")
    answer = await rig.send(rig.letter(event))
    fault = "" if answer.is_acknowledged else f"it is not acknowledged: {said(answer)}"
    return Shown(sent=f"a signed event of type {event.type}", received=said(answer), fault=fault)


async def accept_long(rig: Rig) -> Shown:
    """Send an event that is as long as a large order."""
    event = rig.event(further={"proveout_padding": "x" * LONG_BODY})
    letter = rig.letter(event)
    answer = await rig.send(letter)
    fault = "" if answer.is_acknowledged else f"it is not acknowledged: {said(answer)}"
    sent = f"a signed event of {len(letter.body):,} bytes"
    return Shown(sent=sent, received=said(answer), fault=fault)


P01 = Probe(
    id="P01",
    title="A valid delivery is accepted, without redirect or login",
    severity=Severity.CRITICAL,
    why="No event arrives. After days of failures the provider turns the endpoint off.",
    fix="Take POST at exactly the address that is registered, without login or CSRF check, and "
    "verify with the secret of this very endpoint.",
    fixes={
        Framework.DJANGO: "Mark the view @csrf_exempt, take it out of login_required and of "
        "LoginRequiredMiddleware, and register the address with the slash that APPEND_SLASH adds.",
        Framework.FLASK: "Leave the route out of before_request logins and of CSRFProtect "
        "(@csrf.exempt), and register the address with or without its slash, as the rule has it.",
        Framework.FASTAPI: "Leave the route out of the router's login dependency, and set "
        "redirect_slashes=False or register the address as the route has it.",
        Framework.EXPRESS: "Mount the route before the session and csurf middleware, and register "
        "the final address, https and slash included.",
    },
    perform=accept,
)

P14 = Probe(
    id="P14",
    title="Events of unknown types are acknowledged",
    severity=Severity.HIGH,
    why="Providers add types. What is refused is sent again for days, and then the endpoint is "
    "turned off, with the types that you do handle.",
    fix="Answer 2xx to every event whose signature is good; log and leave the types that you do "
    "not handle.",
    fixes={
        Framework.FASTAPI: "Do not declare the type as an Enum or Literal in the body's model: "
        "FastAPI answers 422 to others. Answer 200 in the last branch.",
        Framework.DJANGO: "End the view's chain of types with return HttpResponse(status=200), "
        "not with HttpResponseBadRequest.",
        Framework.FLASK: "End the view's chain of types with a 200, not with abort(400).",
        Framework.EXPRESS: "End the switch over event.type with default: res.sendStatus(200).",
    },
    perform=accept_unknown,
)

P22 = Probe(
    id="P22",
    title="A body of 300 kB is accepted",
    severity=Severity.MEDIUM,
    why="Large orders, long threads and big pushes are lost, and nobody notices while tests are "
    "small.",
    fix="Allow bodies of at least 1 MB on this path, in the framework and in every proxy before "
    "it; GitHub sends up to 25 MB.",
    fixes={
        Framework.EXPRESS: 'Raise the limit of 100 kB: express.raw({ type: "*/*", limit: "5mb" }).',
        Framework.FLASK: "Raise MAX_CONTENT_LENGTH, and client_max_body_size where nginx is before "
        "it.",
        Framework.DJANGO: "Raise DATA_UPLOAD_MAX_MEMORY_SIZE, and client_max_body_size where nginx "
        "is before it.",
        Framework.FASTAPI: "Raise the limit of the middleware that counts bytes, and "
        "client_max_body_size where nginx is before it.",
    },
    perform=accept_long,
)
