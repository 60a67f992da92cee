"""Commands that answer what waits for a person."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from proveout.domain.review import Answer, ReviewId, ReviewState
from proveout.domain.unit import Decide, Decided, UnitId
from proveout.errors import Refusal
from proveout.faces.cli.operate import SHOWN, parse_input
from proveout.faces.cli.output import (
    answer,
    answer_json,
    clean,
    faint,
    next_step,
    say,
    sign,
    strong,
    table,
)

if TYPE_CHECKING:
    from proveout.domain.review import Review
    from proveout.faces.project import Project


class AlreadyDecided(Refusal):
    """The review is no longer open, or its content is another than was shown."""

    code = "already-decided"


@click.group()
def review() -> None:
    """Answer what waits for a person."""


@review.command("list")
@click.option("--queue", help="Only reviews for this group of people.")
@click.option("--all", "everything", is_flag=True, help="Decided and expired ones too.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="Most reviews to list.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one review.v1 a line.")
def list_reviews(queue: str | None, everything: bool, limit: int, as_json: bool) -> None:
    """List open reviews, the nearest deadline first."""
    state = None if everything else ReviewState.OPEN
    found = asyncio.run(_list_reviews(state, queue, limit))
    if as_json:
        for one in found:
            answer_json(review_v1(one))
    elif not found:
        say("nothing waits for a person: runs that call review() land here")
    else:
        table(
            [
                (r.id, r.queue, r.state, _deadline(r), clean(r.content.decode())[:SHOWN])
                for r in found
            ],
            ("review", "queue", "state", "deadline", "draft"),
        )


def _deadline(one: Review) -> str:
    return "none" if one.deadline is None else f"{one.deadline.astimezone():%Y-%m-%d %H:%M %Z}"


def review_v1(one: Review) -> dict[str, Any]:
    """Return a review as the object that callers outside rely on."""
    return {
        "schema": "review.v1",
        "id": one.id,
        "run": one.run,
        "queue": one.queue,
        "state": one.state,
        "content": None if one.is_pruned else json.loads(one.content),
        "digest": one.digest,
        "opened_at": one.opened.isoformat(),
        "deadline": None if one.deadline is None else one.deadline.isoformat(),
        "approved": None if one.answer is None else one.answer.approved,
        "by": None if one.answer is None else one.answer.by,
        "reason": None if one.answer is None else one.answer.reason,
    }


async def _list_reviews(state: ReviewState | None, queue: str | None, limit: int) -> list[Review]:
    from proveout.faces.project import Project

    async with Project.open() as project:
        return await project.store.reviews(state, queue, limit)


@review.command("show")
@click.argument("review_id", metavar="REVIEW")
@click.option("--json", "as_json", is_flag=True, help="Print a review.v1.")
def show_review(review_id: str, as_json: bool) -> None:
    """Show what is to be approved, whole."""
    one = asyncio.run(_one_review(review_id))
    if as_json:
        answer_json(review_v1(one))
        return
    answer(f"{strong(one.id)}  {one.queue} · {one.state} · run {one.run}")
    answer(f"  deadline  {_deadline(one)}")
    answer(f"  digest    {faint(one.digest)}")
    answer()
    text = "pruned" if one.is_pruned else _indented(one.content)
    answer("\n".join(f"  {clean(line)}" for line in text.splitlines()))
    if one.state is ReviewState.OPEN:
        next_step(
            f"proveout review approve {one.id}",
            f"or: proveout review reject {one.id} --reason TEXT",
        )


def _indented(content: bytes) -> str:
    return json.dumps(json.loads(content), indent=2, ensure_ascii=False)


async def _one_review(review_id: str) -> Review:
    from proveout.faces.project import Project

    async with Project.open() as project:
        return await _find(project, review_id)


async def _find(project: Project, review_id: str) -> Review:
    from proveout.faces.project import NoSuch

    found = await project.store.review(ReviewId(review_id))
    if found is None:
        raise NoSuch(f"there is no review {review_id}", fix=("proveout review list",))
    return found


@review.command("approve")
@click.argument("review_id", metavar="REVIEW")
@click.option("--edit", metavar="JSON", help="Approve this instead of the draft.")
@click.option("--digest", help="Refuse unless the draft has this digest.")
@click.option("--by", help="Who decides; the user of this machine by default.")
def approve(review_id: str, edit: str | None, digest: str | None, by: str | None) -> None:
    """Approve a draft, or an edit of it; its run goes on."""
    content = None if edit is None else parse_input(edit, None, "--edit")[0]
    asyncio.run(_decide(review_id, digest, by, approved=True, content=content, reason=""))
    answer(f"{sign('ok')} approved{' with an edit' if edit else ''}; its run goes on")


@review.command("reject")
@click.argument("review_id", metavar="REVIEW")
@click.option("--reason", required=True, help="Why, for whoever reads the run.")
@click.option("--digest", help="Refuse unless the draft has this digest.")
@click.option("--by", help="Who decides; the user of this machine by default.")
def reject(review_id: str, reason: str, digest: str | None, by: str | None) -> None:
    """Reject a draft; it has no value for its run."""
    asyncio.run(_decide(review_id, digest, by, approved=False, content=None, reason=reason))
    answer(f"{sign('ok')} rejected; its run goes on without the draft")


async def _decide(
    review_id: str,
    digest: str | None,
    by: str | None,
    *,
    approved: bool,
    content: bytes | None,
    reason: str,
) -> None:
    from proveout.domain.access import Right
    from proveout.faces.operating import acting, operating

    async with operating() as project:
        actor = await acting(project, Right.REVIEW)
        shown = await _find(project, review_id)
        decision = Decide(
            id=UnitId(project.bench.ids.new()),
            review=shown.id,
            digest=digest or shown.digest,
            answer=Answer(
                approved=approved,
                content=shown.content if content is None else content,
                by=actor.name if by in {None, actor.name} else f"{by}, through {actor.name}",
                reason=reason,
            ),
        )
        if not isinstance(await project.store.write(decision), Decided):
            now = await _find(project, review_id)
            raise AlreadyDecided(
                f"review {review_id} is {now.state}",
                why="one decision counts, for exactly the content that was shown",
                fix=(f"proveout review show {review_id}",),
            )
