"""Answering: people take an alert, or silence a rule, and the ledger says who."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from proveout.domain.alert import Acknowledgement, AlertState, Rule, Silence
from proveout.domain.duration import say_duration
from proveout.domain.ledger import Deed
from proveout.domain.record import Kind, encode
from proveout.domain.review import ReviewId, ReviewState
from proveout.domain.unit import Keep
from proveout.errors import Mistake, Refusal
from proveout.release.decide import amend
from proveout.watch.tick import alerts_of, silences_of

if TYPE_CHECKING:
    from proveout.release.decide import Office

LONGEST_REASON = 2_000
"""Characters of a reason."""

LONGEST = timedelta(days=30)
"""A silence that lasts longer is a rule that nobody wants."""


class NoSuchAlert(Mistake):
    """There is no alert, and no open review, of that name."""

    code = "no-such-alert"


class NothingToTake(Refusal):
    """The alert is over, or the review was answered."""

    code = "nothing-to-take"


class BadSilence(Mistake):
    """A silence lacks its reason or its end, or would last too long."""

    code = "bad-silence"


class NotSilenced(Refusal):
    """There is no such silence."""

    code = "not-silenced"


async def acknowledge(
    office: Office, workflow: str, name: str, by: str, lasts: timedelta
) -> Acknowledgement:
    """Take an alert, or an open review, for a time: nobody else is told of it meanwhile.

    Args:
        office: what it is taken with.
        workflow: whose alerts they are.
        name: an alert's id, or a subject such as "review:ID".
        by: who takes it.
        lasts: it comes back after this time.

    Raises:
        NoSuchAlert: there is none of that name.
        NothingToTake: it is over.
    """
    subject = await _subject(office, workflow, name)
    now = office.clock.now()
    taken = Acknowledgement(subject=subject, by=by, at=now, until=now + lasts)
    deed = Deed(
        actor=by,
        act="acknowledge",
        subject=subject,
        facts={"workflow": workflow, "for": say_duration(lasts)},
    )
    keep = Keep(kind=Kind.ACKNOWLEDGEMENT, name=subject, body=encode(taken))
    await amend(office, deed, (keep,), over_gap=True)
    return taken


async def _subject(office: Office, workflow: str, name: str) -> str:
    kind, _, rest = name.rpartition(":")
    if kind == "review":
        review = await office.store.review(ReviewId(rest))
        if review is None:
            raise NoSuchAlert(f"there is no review {rest}", fix=("proveout review list",))
        if review.state is not ReviewState.OPEN:
            raise NothingToTake(f"review {rest} is {review.state}", why="somebody was quicker")
        return name
    alert = (await alerts_of(office.store, workflow)).get(rest)
    if alert is None:
        raise NoSuchAlert(f"there is no alert {rest}", fix=("proveout alerts list",))
    if alert.state is AlertState.RESOLVED:
        raise NothingToTake(f"alert {rest} is over", why="its rule holds again")
    return alert.subject


async def silence(
    office: Office, rule: Rule | None, by: str, reason: str, lasts: timedelta
) -> Silence:
    """Have nobody told of a rule, or of any, for a time; its reason stands beside it.

    Raises:
        BadSilence: it has no reason, or no end that is near enough.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or "\0" in reason:
        raise BadSilence(
            "a silence needs a reason", why="whoever finds it later asks why nobody was told"
        )
    if not lasts or lasts > LONGEST:
        raise BadSilence(
            f"a silence of {say_duration(lasts)} is none",
            why=f"it has an end, at most {say_duration(LONGEST)} away",
            fix=('--for "2 h"',),
        )
    now = office.clock.now()
    made = Silence(
        id=office.ids.new(), rule=rule, by=by, reason=reason, begins=now, ends=now + lasts
    )
    what = "every rule" if rule is None else rule.value
    facts = {"reason": reason, "for": say_duration(lasts)}
    deed = Deed(actor=by, act="silence", subject=what, facts=facts)
    keep = Keep(kind=Kind.SILENCE, name=made.id, body=encode(made))
    await amend(office, deed, (keep,), over_gap=True)
    return made


async def end_silence(office: Office, name: str, by: str) -> Silence:
    """Have people told again of what a silence covered; return the silence.

    Raises:
        NotSilenced: there is none of that id.
    """
    found = next((one for one in await silences_of(office.store) if one.id == name), None)
    if found is None:
        raise NotSilenced(f"there is no silence {name}", fix=("proveout alerts list",))
    what = "every rule" if found.rule is None else found.rule.value
    deed = Deed(actor=by, act="end silence", subject=what, facts={"reason": found.reason})
    await amend(office, deed, (Keep(kind=Kind.SILENCE, name=found.id, body=None),), over_gap=True)
    return found
