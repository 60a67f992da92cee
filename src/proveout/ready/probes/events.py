"""P20 and P21: what an event says of itself is heeded, its time and its mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.ports.receiver import NoWitness
from proveout.ready.findings import Severity
from proveout.ready.probes.judge import not_acknowledged, said
from proveout.ready.probes.probe import Due, Framework, Notion, Probe, Shown, Standing

if TYPE_CHECKING:
    from proveout.ready.probes.rig import Rig

EARLIER = timedelta(minutes=2)
"""How much older the event is that arrives second."""

STATUS_ASIDE = ("pending", "draft")
"""What an object's status was before; the second where the sample's own is the first."""

LOOK_AGAIN = 0.05


async def order(rig: Rig) -> Shown:
    """Send an event about an object, then an older one about the same object."""
    if (why := _cannot_tell(rig)) is not None:
        return Shown(sent="", received="", unsure=why)
    new = rig.sample.status or "paid"
    old = next(one for one in STATUS_ASIDE if one != new)
    latest = replace(rig.event(), status=new)
    earlier = replace(rig.event(), object=latest.object, status=old, made=latest.made - EARLIER)
    name = str(latest.object)
    sent = f'one object\'s status "{new}", then "{old}" from two minutes before'
    first = await rig.send(rig.letter(latest))
    if not first.is_acknowledged:
        return Shown(sent=sent, received=said(first), fault=f"the first is refused: {said(first)}")
    seen = await _seen(rig, name)
    if seen != new:
        unsure = f"the state never showed the first event's status: {seen}"
        return Shown(sent=sent, received=said(first), unsure=unsure)
    second = await rig.send(rig.letter(earlier))
    unsure = f'it refuses the status "{old}"' if second.is_refused else ""
    return Shown(
        sent=sent,
        received=f"{said(first)} and {said(second)}",
        fault="" if unsure else not_acknowledged([("the older is not acknowledged", second)]),
        unsure=unsure,
        standing=Standing(object=name, status=new),
    )


def _cannot_tell(rig: Rig) -> str | None:
    """Return why the order of events cannot be probed, or None."""
    if not rig.witness.shows:
        return "nothing shows the state: --state-url"
    if rig.event().object is None:
        return "the payload has no object with an id: data.object.id"
    if not rig.sample.has_time():
        return "the payload does not say when it happened"
    return None


async def _seen(rig: Rig, name: str) -> str | None:
    """Return the status of an object once it has one, or what is said in its place."""
    began = rig.clock.monotonic()
    while True:
        try:
            status = await rig.status(name)
        except NoWitness as error:
            return str(error)
        passed = rig.clock.monotonic() - began
        if status is not None or passed > rig.bounds.patience:
            return status
        await rig.clock.sleep(max(LOOK_AGAIN, passed / 8))


async def try_out(rig: Rig) -> Shown:
    """Send an event of the provider's test mode."""
    event = rig.event(is_live=False)
    answer = await rig.send(rig.letter(event))
    unsure = ""
    if rig.witness.counts and rig.lag is None:
        unsure = "no event had an effect, so it shows nothing that this one had none"
    return Shown(
        sent='a valid event with "livemode": false',
        received=said(answer),
        fault=not_acknowledged([("it is not acknowledged", answer)]),
        unsure=unsure,
        dues=(Due(event=event.id, count=0),),
        is_about_effects=True,
    )


P20 = Probe(
    id="P20",
    title="The newest state wins, in whichever order events arrive",
    severity=Severity.HIGH,
    why="No provider promises an order: a late event sets a paid invoice back to pending, and "
    "nobody sees why.",
    fix="Keep the time of the event beside the object and write only when it is newer, in one "
    "statement; or fetch the object's present state from the provider's API.",
    fixes={
        Framework.DJANGO: "Write with Object.objects.filter(id=…, changed__lt=event_time)"
        ".update(status=…, changed=event_time), which is one statement.",
        Framework.FLASK: "Write with UPDATE … SET status = :s, changed = :t WHERE id = :id AND "
        "changed < :t, which is one statement.",
        Framework.FASTAPI: "Write with UPDATE … SET status = :s, changed = :t WHERE id = :id AND "
        "changed < :t, which is one statement.",
        Framework.EXPRESS: "Write with UPDATE … SET status = $1, changed = $2 WHERE id = $3 AND "
        "changed < $2, which is one statement.",
    },
    perform=order,
)

P21 = Probe(
    id="P21",
    title="Test mode has no effects",
    severity=Severity.HIGH,
    why="Somebody who tries something out in the provider's test mode ships goods, or credits "
    "accounts, in production.",
    fix="Acknowledge events with livemode false in production, and do nothing.",
    needs=Notion.TEST_MODE,
    perform=try_out,
)
