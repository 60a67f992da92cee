"""The release plan: what exists, what is open and in which order, and what does not fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from proveout.domain.bar import ClaimStatus
from proveout.domain.duration import say_duration, say_roughly
from proveout.ready.people import UNKNOWN, said

if TYPE_CHECKING:
    from proveout.domain.bar import Claim
    from proveout.ready.people import People, Support
    from proveout.ready.standing import ClaimStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One open claim with its place in the plan.

    Attributes:
        owner: who closes it; "not known yet" where nobody is named.
        needs: the time to plan for: mending and drill, or the drill alone where it passed before.
        start: when its owner comes to it, and what goes before it is done.
        fits: whether it ends within the window.
    """

    standing: ClaimStanding
    owner: str
    needs: timedelta
    start: datetime
    end: datetime
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The way to production, laid against a declared window.

    Attributes:
        items: open claims in the order in which they are to be closed.
        kept: claims that pass already.
        ends: the end of the window.
    """

    workflow: str
    release: str
    made: datetime
    ends: datetime
    items: tuple[Item, ...]
    kept: tuple[ClaimStanding, ...]

    @property
    def proved(self) -> tuple[Item, ...]:
        """What is to be proven within the window."""
        return tuple(one for one in self.items if one.fits)

    @property
    def cut(self) -> tuple[Item, ...]:
        """What does not fit into it."""
        return tuple(one for one in self.items if not one.fits)

    @property
    def done(self) -> datetime:
        """When the last item ends, whether it fits or not."""
        return max((one.end for one in self.items), default=self.made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time in which the plan must fit, for one release.

    Attributes:
        length: how much time there is from now on.
    """

    workflow: str
    release: str
    length: timedelta = timedelta(weeks=12)


def plan(
    standings: tuple[ClaimStanding, ...], people: People, window: Window, now: datetime
) -> Plan:
    """Return the open claims in the order of risk and dependency, laid against the window.

    Everybody closes one claim at a time, people work beside each other, and a claim waits
    for the open ones that are better proven first.
    """
    ends = now + window.length
    left = [one for one in standings if one.is_open]
    items: list[Item] = []
    while left:
        standing, start = _next(left, items, people, now)
        left.remove(standing)
        needs = time_needed(standing)
        items.append(
            Item(
                standing=standing,
                owner=people.who(standing.claim.closes),
                needs=needs,
                start=start,
                end=start + needs,
                fits=start + needs <= ends,
            )
        )
    return Plan(
        workflow=window.workflow,
        release=window.release,
        made=now,
        ends=ends,
        items=tuple(items),
        kept=tuple(one for one in standings if not one.is_open),
    )


def _next(
    left: list[ClaimStanding], items: list[Item], people: People, now: datetime
) -> tuple[ClaimStanding, datetime]:
    """Return what can be begun soonest, the failed and the riskier first, and when."""
    names = {one.claim.name for one in left}
    ready = [one for one in left if not names.intersection(one.claim.after)]
    # A bar whose claims wait for each other in a circle still gets a plan.
    starts = [(one, _start(one.claim, items, people, now)) for one in ready or left]
    return min(starts, key=lambda one: (one[1], _urgency(one[0].status), one[0].claim.risk))


def _start(claim: Claim, items: list[Item], people: People, now: datetime) -> datetime:
    """Return when whoever closes it is free, and what goes before it is closed."""
    who = people.who(claim.closes)
    waits = (one.end for one in items if one.owner == who or one.standing.claim.name in claim.after)
    return max(waits, default=now)


def time_needed(standing: ClaimStanding) -> timedelta:
    """Return the time to plan for: a drill that passed before is only repeated."""
    claim = standing.claim
    repeats = standing.status is ClaimStatus.EXPIRED
    return claim.takes if repeats else claim.mending + claim.takes


def _urgency(status: ClaimStatus) -> int:
    return 0 if status is ClaimStatus.FAILED else 1


# As Markdown


def to_markdown(plan: Plan) -> str:
    """Return the plan as a page of Markdown, the same for the same plan."""
    whole = len(plan.kept) + len(plan.items)
    return "\n".join(
        [
            f"# Release plan: {_cell(plan.workflow)}, {_cell(plan.release)}",
            "",
            f"Made on {_day(plan.made)}. The window ends on {_day(plan.ends)}.",
            f"{len(plan.kept)} of {whole} claims of the production bar pass.",
            "",
            *_outcome(plan),
            "",
            *_keep(plan),
            *_cut(plan),
            *_prove(plan),
            "Times are planned as if every claim that was never proven fails its first drill; one",
            "that passes at once gives its days back. Running a drill is the cheapest estimate.",
            "",
        ]
    )


def _outcome(plan: Plan) -> list[str]:
    if not plan.items:
        return [f"Nothing is open: `proveout promote {_code(plan.release)}`"]
    if not plan.cut:
        return [f"Everything fits: the last claim is closed by {_day(plan.done)}."]
    count = len(plan.cut)
    claims = f"{count} claim does" if count == 1 else f"{count} claims do"
    return [f"**{claims} not fit**: at this pace the last one is closed by {_day(plan.done)}."]


def _keep(plan: Plan) -> list[str]:
    rows = [
        (one.claim.title, one.status, one.why, "" if one.until is None else _day(one.until))
        for one in plan.kept
    ]
    return _section("Keep", ("claim", "status", "why", "valid until"), rows)


def _cut(plan: Plan) -> list[str]:
    rows = [
        (one.standing.claim.title, _day(one.end), _way_out(one.standing.claim)) for one in plan.cut
    ]
    section = _section("Cut", ("claim", "would be closed by", "what to do"), rows)
    if section:
        section += ["A waiver needs a second name, a reason and an end; every audit prints it.", ""]
    return section


def _way_out(claim: Claim) -> str:
    later = f"move the date, or `proveout waive {claim.name}`"
    if claim.only_with is None:
        return later
    return f"launch with no {claim.only_with}: then it is not needed; or {later}"


def _prove(plan: Plan) -> list[str]:
    rows = [
        (
            str(number),
            one.standing.claim.title,
            f"{one.standing.status}: {one.standing.why}",
            one.owner,
            f"`{one.standing.claim.command}`",
            say_roughly(one.standing.claim.takes),
            say_duration(_in_words(one.needs)),
            _day(one.end),
        )
        for number, one in enumerate(plan.items, 1)
        if one.fits
    ]
    head = ("", "claim", "now", "who", "command", "drill", "plan for", "by")
    return _section("Prove", head, rows)


def _in_words(time: timedelta) -> timedelta:
    """Return a time of days without the time of its drill."""
    day = timedelta(days=1)
    return time if time < day else time // day * day


def _section(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    lines = [head, tuple("---" for _ in head), *(tuple(map(_cell, row)) for row in rows)]
    return [f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""]


# Support


def support_markdown(workflow: str, people: People, support: Support) -> str:
    """Return what users may expect as a page of Markdown; what nobody said is "not known yet"."""
    first = UNKNOWN if support.first_answer is None else say_duration(support.first_answer)
    paged = [f"{said(one.who)}, {_after(one.after)}" for one in support.paged]
    return "\n".join(
        [
            f"# Support: {_cell(workflow)}",
            "",
            f"- **Hours**: {_cell(said(support.hours))}",
            f"- **Time to first answer**: {first}",
            f"- **How users hear of trouble**: {_cell(said(support.channel))}",
            f"- **Owner**: {_cell(said(people.owner))}",
            f"- **Operator**: {_cell(said(people.operator))}",
            f"- **Reviewer**: {_cell(said(people.reviewer))}",
            f"- **Receives the results**: {_cell(said(people.downstream))}",
            "",
            *_list("Who is paged", paged, "1."),
            *_list("What is not supported", [said(one) for one in support.not_supported], "-"),
        ]
    )


def _after(time: timedelta) -> str:
    return f"after {say_duration(time)}" if time else "at once"


def _list(title: str, rows: list[str], mark: str) -> list[str]:
    lines = [f"{mark} {_cell(row)}" for row in rows] or [f"{UNKNOWN[0].upper()}{UNKNOWN[1:]}."]
    return [f"## {title}", "", *lines, ""]


_MARKUP = re.compile(r"([\\|<>*_\[\]])")
_CODE = re.compile(r"(`[^`]*`)")


def _cell(text: str) -> str:
    """Return text on one line, with nothing in it that Markdown would obey but code."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(
        one.replace("|", r"\|") if index % 2 else _MARKUP.sub(r"\\\1", one)
        for index, one in enumerate(parts)
    )


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "")


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
