"""A receiver of this process under audit, as a test asks for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from proveout.domain.delivery import Scheme
from proveout.faces.probing import Asked
from proveout.faces.project import probing
from proveout.ready.probes.catalogue import PROBES
from proveout.ready.probes.conduct import conduct
from proveout.ready.probes.rig import Bounds
from receivers.shop import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proveout.ready.probes.conduct import Probed
    from proveout.ready.probes.probe import Probe, Status

PAYLOAD = json.dumps(
    {
        "id": "evt_1MtHbELkdIwHu7ix",
        "type": "invoice.paid",
        "created": 1_700_000_000,
        "livemode": True,
        "data": {"object": {"id": "in_1MtHbELkdIwHu7ix", "status": "paid", "amount": 1200}},
    }
).encode()

QUICK = Bounds(burst=12, copies=6, rounds=2, tries=5, bursts=2, gap=0, patience=3, settle=0.2)
"""Bounds under which an audit takes a second or two."""


def asked(address: str, name: str, bounds: Bounds = QUICK) -> Asked:
    """Return what is asked of a shop; "none.github" has no fault and GitHub's scheme."""
    return Asked(
        url=f"{address}/{name}/webhook",
        scheme=Scheme(name.partition(".")[2] or "stripe"),
        secret=SECRET,
        payload=PAYLOAD,
        effects_url=f"{address}/{name}/effects/{{id}}",
        state_url=f"{address}/{name}/state/{{id}}",
        bounds=bounds,
    )


async def probed(what: Asked, probes: Sequence[Probe] = PROBES) -> Probed:
    """Return what the probes found."""
    async with probing(what) as rig:
        return await conduct(rig, lambda _: None, probes)


def only(*ids: Iterable[str]) -> list[Probe]:
    """Return the probes of these names, and the first, without which none is asked."""
    wanted = {"P01", *(one for some in ids for one in some)}
    return [one for one in PROBES if one.id in wanted]


def named(found: Probed, *statuses: Status) -> set[str]:
    """Return the names of the probes that ended so."""
    return {one.probe.id for one in found.ended(*statuses)}
