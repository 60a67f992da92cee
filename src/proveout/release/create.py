"""Creating a release: the same content is the same release, however often it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proveout.domain.ledger import Deed
from proveout.domain.release import Release
from proveout.domain.unit import NewRelease
from proveout.errors import Mistake
from proveout.release.decide import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.release.decide import Office
    from proveout.release.snapshot import Snapshot

SHORTEST = 6
"""Characters of a digest that are enough to name a release."""


class NoSuchRelease(Mistake):
    """No release has that name or digest."""

    code = "no-such-release"


class Created(NamedTuple):
    """A release, and whether it is new."""

    release: Release
    is_new: bool


async def create(
    office: Office, workflow: str, snapshot: Snapshot, settings: bytes, actor: str
) -> Created:
    """Keep a snapshot as the next release of its workflow; one that is known is returned."""
    known = await office.store.release(snapshot.digest)
    if known is not None:
        return Created(known, is_new=False)
    made: list[Release] = []

    async def think() -> Decision:
        others = await office.store.releases(workflow)
        release = Release(
            digest=snapshot.digest,
            workflow=workflow,
            number=1 + max((one.number for one in others), default=0),
            manifest=snapshot.manifest,
            code=snapshot.code,
            environment=snapshot.environment,
            created=office.clock.now(),
            by=actor,
        )
        made[:] = [release]
        facts = {
            "workflow": workflow,
            "digest": release.digest,
            "code": release.code,
            "environment": release.environment,
        }
        deed = Deed(actor=actor, act="create release", subject=release.name, facts=facts)
        new = NewRelease(release=release, archive=snapshot.archive, settings=settings)
        return Decision(deed=deed, changes=(new,))

    await decide(office, think)
    return Created(made[0], is_new=True)


def named(releases: Sequence[Release], name: str) -> Release:
    """Return the release called `name`: r3, its digest, or at least six characters of it.

    Raises:
        NoSuchRelease: there is none, or more than one.
    """
    found = [one for one in releases if name in {one.name, one.digest}]
    if not found and len(name) >= SHORTEST:
        found = [one for one in releases if one.digest.startswith(name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in releases)
    raise NoSuchRelease(
        f'there is no release "{name}"' if not found else f'"{name}" names {len(found)} releases',
        why=f"there are {names}" if names else "none was created yet",
        fix=("proveout release list",) if names else ("proveout release create",),
    )
