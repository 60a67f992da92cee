"""The gate: every reason why a workflow may not go to production, all at once."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from proveout.domain.access import NoRight, Right
from proveout.domain.duration import say_roughly
from proveout.domain.release import Stage
from proveout.domain.verdict import Verdict
from proveout.errors import Refusal
from proveout.ready.people import is_known
from proveout.ready.standing import SKEW, cheapest_first

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from proveout.domain.access import Actor
    from proveout.domain.bar import Acceptance, Bar, Waiver
    from proveout.ready.standing import ClaimStanding

FRESH = timedelta(days=30)
"""A verdict that is older says nothing of today."""

LONGEST_WAIVER = timedelta(days=90)
LONGEST_ALONE = timedelta(days=7)
"""How far ahead two people may waive, and one who has no second person."""


class GateBlocked(Refusal):
    """The workflow may not go to production yet; every reason is named.

    Attributes:
        reasons: all of them.
    """

    code = "gate-blocked"

    def __init__(self, release: str, reasons: tuple[Reason, ...], now: datetime) -> None:
        super().__init__(
            f"{release} may not go to production",
            why="; ".join(_sentences(reasons)),
            fix=_fixes(release, reasons, now),
        )
        self.reasons = reasons


class WaiverRefused(Refusal):
    """A claim cannot be waived like this."""

    code = "waiver-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that keeps the gate shut.

    Attributes:
        code: stable name of the kind of reason.
        about: the claim or the assumption; "" where it is about the workflow.
        what: in words.
        fix: the command that removes it.
        takes: how long that is expected to take; None where nobody can say.
        of: for a claim, how many the bar has.
    """

    code: str
    what: str
    fix: str
    about: str = ""
    takes: timedelta | None = None
    of: int = 0


CLAIM_OPEN = "claim-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictOnRecord:
    """The newest verdict on the workflow itself.

    Attributes:
        changed: what has changed since, of all that it depends on: "the code", "the dataset".
        is_unchecked: whether it rests on a judge whom nobody checks.
    """

    experiment: str
    verdict: Verdict
    reached: datetime
    changed: tuple[str, ...] = ()
    is_unchecked: bool = False

    def is_fresh(self, now: datetime) -> bool:
        """Whether it still speaks of what would be released now."""
        return not self.changed and -SKEW <= now - self.reached <= FRESH


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Somebody asks to move a workflow into production.

    Attributes:
        release: its short name, or what the actor called it.
        is_known: whether there is such a release.
        verdict: None where none was reached yet.
        worth_asked: whether the experiment asks if the workflow is worth it.
    """

    workflow: str
    release: str
    is_known: bool
    stage: Stage
    actor: Actor
    standings: tuple[ClaimStanding, ...]
    verdict: VerdictOnRecord | None
    worth_asked: bool
    assumptions: tuple[str, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()


def judge(proposal: Proposal, now: datetime) -> tuple[Reason, ...]:
    """Return every reason against it, claims first and the cheapest of them first; () for none."""
    return (
        *claim_reasons(proposal.standings),
        *verdict_reasons(proposal.verdict, now),
        *_worth_reasons(worth_asked=proposal.worth_asked),
        *_assumption_reasons(proposal),
        *_actor_reasons(proposal.actor),
        *_release_reasons(proposal),
    )


def check(proposal: Proposal, now: datetime) -> None:
    """Leave quietly when nothing speaks against the proposal.

    Raises:
        GateBlocked: something does; all of it is named.
    """
    reasons = judge(proposal, now)
    if reasons:
        raise GateBlocked(proposal.release, reasons, now)


def claim_reasons(standings: tuple[ClaimStanding, ...]) -> tuple[Reason, ...]:
    """Return one reason for each open claim, the cheapest first."""
    return tuple(
        Reason(
            code=CLAIM_OPEN,
            about=one.claim.name,
            what=f"{one.claim.name} is {one.status}: {one.why}",
            fix=one.claim.command,
            takes=one.claim.takes,
            of=len(standings),
        )
        for one in cheapest_first(standings)
    )


def verdict_reasons(verdict: VerdictOnRecord | None, now: datetime) -> tuple[Reason, ...]:
    """Return why the newest verdict is no fresh GO on exactly what would be released."""
    if verdict is None:
        what = "no experiment has reached a verdict"
        return (Reason(code="no-verdict", what=what, fix="proveout prove"),)
    fix = f"proveout prove {shlex.quote(verdict.experiment)}"
    if verdict.changed:
        what = f"the verdict is stale: {_listed(verdict.changed)} changed since"
        return (Reason(code="stale-verdict", what=what, fix=fix),)
    if verdict.verdict is not Verdict.GO:
        what = f"the verdict is {verdict.verdict}, not GO"
        return (Reason(code="verdict-not-go", what=what, fix=fix),)
    if verdict.is_unchecked:
        what = "the verdict is according to an unchecked judge"
        advice = f"declare labels = 0.25 beside judge = true, then {fix}"
        return (Reason(code="unchecked-judge", what=what, fix=advice),)
    if not verdict.is_fresh(now):
        age = (now - verdict.reached).days
        what = f"the verdict is stale: {f'{age} days old' if age > 0 else 'dated in the future'}"
        return (Reason(code="stale-verdict", what=what, fix=f"{fix} --again"),)
    return ()


def open_assumptions(
    workflow: str, assumptions: Iterable[str], acceptances: Iterable[Acceptance]
) -> tuple[str, ...]:
    """Return the assumptions that nobody retired, measured or accepted by name."""
    settled = {
        one.assumption for one in acceptances if one.workflow == workflow and is_known(one.by)
    }
    return tuple(one for one in assumptions if one not in settled)


def _worth_reasons(*, worth_asked: bool) -> tuple[Reason, ...]:
    if worth_asked:
        return ()
    what = "nobody asked whether it is worth it"
    return (Reason(code="worth-not-asked", what=what, fix="add [prove.worth] to proveout.toml"),)


def _assumption_reasons(proposal: Proposal) -> tuple[Reason, ...]:
    left = open_assumptions(proposal.workflow, proposal.assumptions, proposal.acceptances)
    return tuple(
        Reason(
            code="assumption-open",
            about=one,
            what=f"nobody has retired, measured or accepted the assumption {one!r}",
            fix=f"proveout promote {shlex.quote(proposal.release)} --accept {shlex.quote(one)}",
        )
        for one in left
    )


def _actor_reasons(actor: Actor) -> tuple[Reason, ...]:
    try:
        actor.check(Right.PROMOTE)
    except NoRight as error:
        return (Reason(code="no-right", what=error.message, fix=error.fix[0]),)
    return ()


def _release_reasons(proposal: Proposal) -> tuple[Reason, ...]:
    found: list[Reason] = []
    if not proposal.is_known:
        what = f"no release of {proposal.workflow} is called {proposal.release!r}"
        found.append(Reason(code="release-unknown", what=what, fix="proveout release list"))
    if proposal.stage is Stage.PRODUCTION:
        what = f"{proposal.workflow} is in production already; a canary moves releases"
        fix = f"proveout canary {shlex.quote(proposal.release)} --share 5%"
        found.append(Reason(code="in-production", what=what, fix=fix))
    return tuple(found)


# What the refusal says


def _sentences(reasons: tuple[Reason, ...]) -> list[str]:
    claims = [one for one in reasons if one.code == CLAIM_OPEN]
    others = [one.what for one in reasons if one.code != CLAIM_OPEN]
    if not claims:
        return others
    verb = "is" if len(claims) == 1 else "are"
    count = f"{len(claims)} of {claims[0].of} claims of the production bar {verb} not proven"
    return [count, *others]


def _fixes(release: str, reasons: tuple[Reason, ...], now: datetime) -> tuple[str, ...]:
    claims = [one for one in reasons if one.code == CLAIM_OPEN]
    others = [one.fix for one in reasons if one.code != CLAIM_OPEN]
    drills = [_remarked(one.fix, _about(one)) for one in claims]
    waive: list[str] = []
    if claims:
        drills[0] = _remarked(claims[0].fix, f"the cheapest, {_about(claims[0])}")
        until = (now + LONGEST_ALONE).date().isoformat()
        about = claims[0].about
        waive = [f"proveout waive {about} --until {until} --reason TEXT --second NAME"]
    audit = _remarked(f"proveout audit {shlex.quote(release)}", "what is open, and why")
    return tuple(dict.fromkeys([audit, *drills, *others, *waive]))


def _about(reason: Reason) -> str:
    return "" if reason.takes is None else f"about {say_roughly(reason.takes)}"


def _remarked(command: str, remark: str) -> str:
    return f"{command:<30}  {remark}"


def _listed(words: tuple[str, ...]) -> str:
    return " and ".join(words)


# Waivers


def check_waiver(waiver: Waiver, bar: Bar, team: Collection[str], now: datetime) -> None:
    """Leave quietly when the waiver may be given.

    Args:
        waiver: as it would be kept.
        bar: must have its claim.
        team: names of everybody who may agree to one, the giver among them or not.
        now: the moment at which it is given.

    Raises:
        NoSuchClaim: the bar has no such claim.
        WaiverRefused: it has no reason, no second person, or too late an end.
    """
    bar.claim(waiver.claim)
    if not waiver.reason.strip():
        raise _refused(waiver, "it says no reason", "--reason TEXT")
    _check_second(waiver, {name: _plain(name) for name in team})
    is_stranger = bool(team) and _plain(waiver.by) not in {_plain(name) for name in team}
    alone = not waiver.second or is_stranger  # of two names, both must be known
    longest = LONGEST_ALONE if alone else LONGEST_WAIVER
    if waiver.until <= now:
        raise _refused(waiver, "its end has passed", f"--until {_day(now + LONGEST_ALONE)}")
    if waiver.until > now + longest:
        who = "without a second person" if alone else "by two people"
        why = f"{who} a waiver lasts at most {longest.days} days"
        raise _refused(waiver, why, f"--until {_day(now + longest)}")


def _check_second(waiver: Waiver, team: dict[str, str]) -> None:
    others = [name for name, plain in team.items() if plain != _plain(waiver.by)]
    if not waiver.second:
        if others:
            why = f"a second person must agree, and there are {len(others)} others"
            raise _refused(waiver, why, f"--second {shlex.quote(min(others))}")
        return
    if _plain(waiver.second) == _plain(waiver.by):
        raise _refused(waiver, f"{waiver.by} cannot be the second person too", "--second NAME")
    if _plain(waiver.second) not in team.values():
        why = f"nobody is known as {waiver.second!r}"
        raise _refused(waiver, why, f"proveout user add {shlex.quote(waiver.second)} --role owner")


def _refused(waiver: Waiver, why: str, fix: str) -> WaiverRefused:
    return WaiverRefused(f"{waiver.claim} cannot be waived like this", why=why, fix=(fix,))


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
