"""What the doors of a project need; handed in, so that a drill can hand in other parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from proveout.domain.delivery import Headers, Scheme, Verified

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from proveout.faces.access import Access
    from proveout.faces.settings import Settings
    from proveout.faces.tallies import Tallies
    from proveout.ports.clock import Clock, Ids
    from proveout.ports.store import Store

Verifier = Callable[[Headers, bytes, Sequence[bytes], datetime], Verified]
"""Headers, raw body, secrets and the time, to what the delivery says; or `BadDelivery`."""

ParseSecret = Callable[[Scheme, str], bytes]
"""What a scheme signs with, from the text of a secret; or a `Mistake` that does not show it."""

Accept = Callable[[str, bytes], bytes]
"""Name of a workflow and an input of JSON, to the input as canonical JSON; or a `Mistake`."""


LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names by which a machine reaches itself."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How deliveries are verified.

    Attributes:
        verifiers: by the scheme of the source.
        parse_secret: what each scheme signs with.
        environ: where the secrets are, by the names that the settings give.
    """

    verifiers: Mapping[Scheme, Verifier]
    parse_secret: ParseSecret
    environ: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The parts behind the HTTP doors of one project.

    Attributes:
        accept: refuses an input that the workflow cannot take.
        is_loopback: the server listens on this machine alone; its figures need no key then.
        is_draining: whether the server is on its way out and should get nothing new.
        claims: how many claims of the production bar have which status; None for no such figure.
        tallies: counts of runs that ended; None where nobody counts them.
    """

    settings: Settings
    store: Store
    clock: Clock
    ids: Ids
    log: FilteringBoundLogger
    access: Access
    hooks: Hooks
    accept: Accept
    is_loopback: bool = True
    is_draining: Callable[[], bool] = _never
    claims: Callable[[], Awaitable[Mapping[str, int]]] | None = None
    tallies: Tallies | None = None
