"""Conducting the probes: one after the other, effects counted once all of them are done."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proveout.ports.receiver import NoWitness, ReceiverNotReachable
from proveout.ready.findings import Severity
from proveout.ready.probes.catalogue import PROBES
from proveout.ready.probes.framework import recognised
from proveout.ready.probes.judge import Aftermath, concluded, veiled
from proveout.ready.probes.probe import Result, Shown, Status
from proveout.ready.probes.repeats import UNCOUNTED
from proveout.ready.probes.rig import Gone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from proveout.ready.probes.probe import Framework, Probe
    from proveout.ready.probes.rig import Rig

READS_ALL = "P06"
"""The probe that reads what all the others were answered, and so comes last."""

SHORT_PATIENCE = 2.0
"""Seconds to wait for an effect, at least, once it is known how soon they come."""

LONGEST_SETTLE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What the probes found.

    Attributes:
        results: in the order of the catalogue.
        framework: what the receiver is written with, or None.
        deliveries: count of everything that was sent and answered.
        began: when.
        seconds: how long it took.
    """

    results: tuple[Result, ...]
    framework: Framework | None
    deliveries: int
    began: datetime
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether nothing failed and nothing was blocked."""
        return not any(one.status in (Status.FAILED, Status.BLOCKED) for one in self.results)

    def ended(self, *statuses: Status) -> tuple[Result, ...]:
        """Return the results of the probes that ended so."""
        return tuple(one for one in self.results if one.status in statuses)

    @property
    def word(self) -> str:
        """The outcome in a word or three."""
        if not self.holds:
            return "FAILED"
        return "NO FAULT FOUND" if self.ended(Status.UNTESTED) else "PASSED"

    @property
    def account(self) -> str:
        """How many probes ended in which way, and how bad those are that failed."""
        counts = {status: len(self.ended(status)) for status in Status}
        parts = [f"{count} {status}" for status, count in counts.items() if count]
        worst = [one.probe.severity for one in self.ended(Status.FAILED)]
        names = [
            f"{worst.count(severity)} {severity}" for severity in Severity if severity in worst
        ]
        failed = f"; of those that failed {', '.join(names)}" if names else ""
        return f"{', '.join(parts)}{failed}"

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Why probes were not asked or not answered: names of probes, and the reason they share."""
        reasons: dict[str, list[str]] = {}
        for one in self.ended(Status.BLOCKED, Status.UNTESTED, Status.NOT_APPLICABLE):
            reasons.setdefault(f"{one.status}: {one.note}", []).append(one.probe.id)
        return tuple((_range(ids), reason) for reason, ids in reasons.items())


def _range(ids: Sequence[str]) -> str:
    """Return "P02 to P23" for all that follow on each other, else each by its name."""
    numbers = [int(one[1:]) for one in ids]
    if len(ids) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):  # noqa: PLR2004 - a range
        return f"{ids[0]} to {ids[-1]}"
    return ", ".join(ids)


async def conduct(
    rig: Rig, tell: Callable[[Probe], None], probes: Sequence[Probe] = PROBES
) -> Probed:
    """Put every probe to a receiver.

    Args:
        rig: the receiver, and what may be sent.
        tell: is told of each probe as it begins.
        probes: in the order of their results; the first is the one without which none is asked.

    Raises:
        ReceiverNotReachable: nobody takes a connection at all.
    """
    at, began = rig.clock.now(), rig.clock.monotonic()
    visited = await rig.receiver.visit()
    shown = await _shown(rig, tell, probes)
    counts, states = await _recount(rig, list(shown.values()))
    framework = recognised([visited, *(one.answer for one in rig.heard)])
    after = Aftermath(framework=framework, counts=counts, states=states)
    return Probed(
        results=tuple(_veiled(_result(one, rig, shown, after), rig) for one in probes),
        framework=framework,
        deliveries=len(rig.heard),
        began=at,
        seconds=rig.clock.monotonic() - began,
    )


async def _shown(
    rig: Rig, tell: Callable[[Probe], None], probes: Sequence[Probe]
) -> dict[str, Shown]:
    """Return what each probe showed that was asked, up to where the receiver was gone."""
    shown: dict[str, Shown] = {}
    first, *others = probes
    for probe in (first, *sorted(others, key=lambda one: one.id == READS_ALL)):
        if _is_asked(probe, rig):
            tell(probe)
            try:
                shown[probe.id] = await probe.perform(rig)
            except Gone as error:
                if probe is first:
                    raise ReceiverNotReachable(
                        "nobody answers at this address",
                        why=str(error),
                        fix=("start the receiver, and check host and port",),
                    ) from None
                shown[probe.id] = Shown(
                    sent="a delivery", received=str(error), fault="it takes no connections any more"
                )
                break
            if probe is first and shown[probe.id].fault:
                break
    return shown


def _is_asked(probe: Probe, rig: Rig) -> bool:
    return probe.needs is None or probe.needs in rig.contract.has


def _result(probe: Probe, rig: Rig, shown: Mapping[str, Shown], after: Aftermath) -> Result:
    if not _is_asked(probe, rig):
        note = f"{rig.contract.name} has no notion of {probe.needs}"
        return Result(probe=probe, status=Status.NOT_APPLICABLE, note=note)
    if probe.id not in shown:
        ended = next(one for one in reversed([*shown.values()]) if one.fault)
        note = f"not asked, for {ended.fault}"
        return Result(probe=probe, status=Status.BLOCKED, note=note)
    return concluded(probe, shown[probe.id], after)


def _veiled(result: Result, rig: Rig) -> Result:
    """Return a result in which no answer repeats the secret, or a signature that it makes."""
    expected = {one.letter.expected.decode("latin-1") for one in rig.heard}
    hidden = [*rig.secrets, *sorted(expected - {""})]
    received, note = (veiled(text, hidden) for text in (result.received, result.note))
    return replace(result, received=received, note=note)


# What deliveries led to


async def _recount(
    rig: Rig, shown: Sequence[Shown]
) -> tuple[dict[str, int] | str, dict[str, str | None] | str]:
    """Return the effects of every event and the status of every object, once they rest.

    One more event is sent first: once it has its effect, no queue holds any of the others. What
    goes beside a queue is given three times as long as the first effect took to show.
    """
    dues = {due.event: due.count for one in shown for due in one.dues}
    objects = [one.standing.object for one in shown if one.standing is not None]
    counts: dict[str, int] | str = UNCOUNTED
    states: dict[str, str | None] | str = {}
    try:
        if rig.witness.counts and dues:
            await _until_due(rig, dues | await _last(rig))
            await rig.clock.sleep(_settle(rig))
            counts = {event: await rig.count(event) for event in dues}
    except NoWitness as error:
        counts = str(error)
    try:
        states = {name: await rig.status(name) for name in objects}
    except NoWitness as error:
        states = str(error)
    return counts, states


async def _last(rig: Rig) -> dict[str, int]:
    """Send one more event, and return that its effect is due; nothing where none had any."""
    if rig.lag is None:
        return {}
    event = rig.event()
    with suppress(Gone):
        await rig.send(rig.letter(event))
        return {event.id: 1}
    return {}


async def _until_due(rig: Rig, dues: Mapping[str, int]) -> None:
    """Return once every effect that is due was seen, or patience ends."""
    patience = rig.bounds.patience if rig.lag is not None else SHORT_PATIENCE
    began = rig.clock.monotonic()
    missing = [event for event, count in dues.items() if count]
    while missing and rig.clock.monotonic() - began < patience:
        missing = [event for event in missing if not await rig.count(event)]
        if missing:
            await rig.clock.sleep(max(0.05, (rig.clock.monotonic() - began) / 8))


def _settle(rig: Rig) -> float:
    lag = rig.lag if rig.lag is not None else 0.0
    return min(LONGEST_SETTLE, max(rig.bounds.settle, 3 * lag))
