"""Telemetry as `proveout.toml` declares it: what is told, and where people look at traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from proveout.domain.duration import shown
from proveout.domain.trace import trace_id

if TYPE_CHECKING:
    from proveout.faces.settings_reader import Reader

BLANKS = ("{trace}", "{run}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetrySettings:
    """What is told outside.

    Attributes:
        trace_link: address of a trace in the viewer that people use, with blanks for the
            ids; "" for none.
        bodies: whether inputs, results and words of errors are told.
    """

    trace_link: str = ""
    bodies: bool = False

    def link(self, run: str) -> str:
        """Return where the trace of a run is looked at; "" where nobody said."""
        return self.trace_link.replace("{trace}", trace_id(run)).replace("{run}", run)


def read_telemetry(row: Reader | None) -> TelemetrySettings:
    """Return what the file says of telemetry.

    Raises:
        SettingsMistake: the link is none, or leads to the same place for every run.
    """
    if row is None:
        return TelemetrySettings()
    link = row.text("trace_link")
    if link and (
        urlsplit(link).scheme not in {"https", "http"} or not any(one in link for one in BLANKS)
    ):
        raise row.mistake(
            f"trace_link {shown(link)} leads to no trace",
            "trace_link",
            why="it is an address with a blank for the trace or the run",
            fix=(row.example("trace_link"),),
        )
    return TelemetrySettings(trace_link=link, bodies=row.is_true("bodies"))
