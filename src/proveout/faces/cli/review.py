"""Commands that answer what waits for a person."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import click

from proveout.domain.duration import duration
from proveout.domain.review import ReviewState
from proveout.faces.cli.operate import SHOWN, parse_input
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    next_step,
    say,
    sign,
    table,
)
from proveout.faces.cli.review_shown import deadline, show
from proveout.faces.review_words import review_v1

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proveout.domain.review import Review
    from proveout.faces.desk import Desk

T = TypeVar("T")


@click.group()
def review() -> None:
    """Answer what waits for a person."""


@review.command("list")
@click.option("--queue", help="Only reviews for this group of people.")
@click.option("--all", "everything", is_flag=True, help="Decided and expired ones too.")
@click.option("--snoozed", is_flag=True, help="Those that are left out of the queue now.")
@click.option("--escalated", is_flag=True, help="Only those that were escalated.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Most reviews to list.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one review.v1 a line.")
def list_reviews(  # noqa: PLR0917 - the command's options
    queue: str | None,
    everything: bool,
    snoozed: bool,
    escalated: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List open reviews, the nearest deadline first."""

    async def listed(desk: Desk) -> list[Review]:
        from proveout.ports.reviews import ReviewFilter

        if everything:
            return await desk.store.reviews(None, queue, limit)
        which = ReviewFilter(queue=queue, snoozed=snoozed, escalated=escalated, limit=limit)
        return await desk.store.waiting(which)

    found = asyncio.run(_read(listed))
    if as_json:
        for one in found:
            answer_json(review_v1(one))
    elif not found:
        say("nothing waits for a person: runs that call review() land here")
    else:
        table(
            [
                (r.id, r.queue, r.state, deadline(r), clean(r.content.decode())[:SHOWN])
                for r in found
            ],
            ("review", "queue", "state", "deadline", "draft"),
        )


@review.command("show")
@click.argument("review_id", metavar="REVIEW")
@click.option("--json", "as_json", is_flag=True, help="Print a review.v1.")
def show_review(review_id: str, as_json: bool) -> None:
    """Show what is to be approved, whole."""
    one = asyncio.run(_read(lambda desk: desk.find(review_id)))
    if as_json:
        answer_json(review_v1(one))
        return
    show(one)
    if one.state in {ReviewState.OPEN, ReviewState.CLAIMED}:
        next_step(
            f"proveout review approve {one.id}",
            f"or: proveout review reject {one.id} --reason TEXT",
        )


@review.command("next")
@click.option("--queue", help="Only reviews for this group of people.")
def next_review(queue: str | None) -> None:
    """Decide one review after another with single keys; a decision can be undone for 10 s."""
    from proveout.faces.cli.review_next import decide_all

    counted = asyncio.run(_act(lambda desk: decide_all(desk, queue)))
    answer(f"{sign('ok')} {counted} decided")


@review.command("claim")
@click.argument("review_id", metavar="REVIEW")
def claim(review_id: str) -> None:
    """Have a review for yourself for a while: nobody else can decide it meanwhile."""
    one = asyncio.run(_act(lambda desk: desk.claim(review_id)))
    until = "" if one.claimed_until is None else f"{one.claimed_until.astimezone():%H:%M:%S %Z}"
    answer(f"{sign('ok')} yours until {until}")


@review.command("release")
@click.argument("review_id", metavar="REVIEW")
def release(review_id: str) -> None:
    """Give a review back without a decision."""
    asyncio.run(_act(lambda desk: desk.release(review_id)))
    answer(f"{sign('ok')} released; it waits for whoever comes first")


@review.command("snooze")
@click.argument("review_id", metavar="REVIEW")
@click.option("--for", "length", required=True, metavar="TIME", help='For how long: "1 h".')
def snooze(review_id: str, length: str) -> None:
    """Leave a review out of the queue for a time; its deadline does not wait."""
    lasts = duration(length)
    one = asyncio.run(_act(lambda desk: desk.snooze(review_id, lasts)))
    until = one.snoozed_until
    words = "" if until is None else f"{until.astimezone():%Y-%m-%d %H:%M %Z}"
    answer(f"{sign('ok')} back in the queue at {words}; deadline {deadline(one)}")


@review.command("assign")
@click.argument("review_id", metavar="REVIEW")
@click.option("--to", "person", required=True, metavar="NAME", help="A user or a group.")
def assign(review_id: str, person: str) -> None:
    """Mean a review for somebody; "" for whoever comes first."""
    asyncio.run(_act(lambda desk: desk.assign(review_id, person)))
    answer(f"{sign('ok')} {f'for {clean(person)}' if person else 'for whoever comes first'}")


@review.command("approve")
@click.argument("review_id", metavar="REVIEW")
@click.option("--edit", metavar="JSON", help="Approve this instead of the draft.")
@click.option("--digest", help="Refuse unless the draft has this digest.")
@click.option("--by", default="", help="Who decides; you by default.")
def approve(review_id: str, edit: str | None, digest: str | None, by: str) -> None:
    """Approve a draft, or an edit of it; its run goes on, at once."""
    content = None if edit is None else parse_input(edit, None, "--edit")[0]

    async def approved(desk: Desk) -> Review:
        seen = digest or (await desk.find(review_id)).digest
        return await desk.approve(review_id, seen, content, by=by)

    one = asyncio.run(_act(approved))
    if one.is_waiting:
        answer(f"{sign('open')} approved by {clean(one.approved_by)}; it takes a second person")
        return
    answer(f"{sign('ok')} approved{' with an edit' if edit else ''}; its run goes on")


@review.command("edit")
@click.argument("review_id", metavar="REVIEW")
@click.option("--content", metavar="JSON", help="The new content; your editor opens without.")
def edit(review_id: str, content: str | None) -> None:
    """Put another content in the place of a draft; decides nothing."""

    async def edited(desk: Desk) -> Review:
        from proveout.faces.cli.review_next import edited_text

        seen = await desk.find(review_id)
        text = edited_text(seen) if content is None else content
        if text is None:
            return seen
        return await desk.edit(review_id, seen.digest, parse_input(text, None, "--content")[0])

    one = asyncio.run(_act(edited))
    answer(f"{sign('ok')} its digest is {one.digest}")
    next_step(f"proveout review approve {one.id}")


@review.command("reject")
@click.argument("review_id", metavar="REVIEW")
@click.option("--reason", default="", help="Why, for whoever reads the run.")
@click.option("--code", default="", help="One of the queue's reasons, where it has some.")
@click.option("--digest", help="Refuse unless the draft has this digest.")
@click.option("--by", default="", help="Who decides; you by default.")
def reject(review_id: str, reason: str, code: str, digest: str | None, by: str) -> None:
    """Reject a draft; it has no value for its run, which goes on at once."""

    async def rejected(desk: Desk) -> Review:
        seen = digest or (await desk.find(review_id)).digest
        return await desk.reject(review_id, seen, reason, code=code, by=by)

    asyncio.run(_act(rejected))
    answer(f"{sign('ok')} rejected; its run goes on without the draft")


@review.command("escalate")
@click.argument("review_id", metavar="REVIEW")
@click.option("--why", required=True, help="Why somebody else must decide.")
def escalate(review_id: str, why: str) -> None:
    """Hand a review to the people who decide what others cannot."""
    asyncio.run(_act(lambda desk: desk.escalate(review_id, why)))
    answer(f"{sign('ok')} escalated; it is nobody's until one of them takes it")


@review.command("undo")
@click.argument("review_id", metavar="REVIEW")
def undo(review_id: str) -> None:
    """Take back your decision before it takes effect, or your first approval of two."""
    asyncio.run(_act(lambda desk: desk.undo(review_id)))
    answer(f"{sign('ok')} undone; it waits again")


async def _act(do: Callable[[Desk], Awaitable[T]]) -> T:
    """Return what a person did, once they were found to have the right to."""
    from proveout.domain.access import Right
    from proveout.faces.desk import Desk
    from proveout.faces.operating import acting, operating

    async with operating() as project:
        actor = await acting(project, Right.REVIEW)
        return await do(Desk(project.office, project.settings, actor))


async def _read(do: Callable[[Desk], Awaitable[T]]) -> T:
    from proveout.domain.access import Actor, Role
    from proveout.faces.desk import Desk
    from proveout.faces.project import Project

    async with Project.open() as project:
        nobody = Actor(name="", role=Role.VIEWER)
        return await do(Desk(project.office, project.settings, nobody))
