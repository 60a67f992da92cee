"""The zone of this machine, by name where it has one."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, tzinfo

LOCALTIME = Path("/etc/localtime")
ZONES = "zoneinfo/"
PLAIN = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu"})


def local_zone(environ: Mapping[str, str], now: datetime, link: Path = LOCALTIME) -> tzinfo:
    """Return the zone that this machine keeps: `TZ`, or what its clock is set to.

    Where it has no name that is known here, its offset of `now` is all there is.
    """
    named = environ.get("TZ", "").removeprefix(":")
    if not named and link.is_symlink():
        _, _, named = str(link.resolve()).partition(ZONES)
    if named in PLAIN:
        return UTC
    try:
        return ZoneInfo(named)
    except (ValueError, OSError, LookupError):
        return now.astimezone().tzinfo or UTC
