"""Pages as HTML: a page's facts and the frame in, one text out; no clock, no store, no script."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from proveout.faces.report import chart
from proveout.faces.report.figures import count_of
from proveout.faces.report.page import first_up, rough_time
from proveout.faces.report.untrusted import excerpt, harmless, readable
from proveout.faces.web import moments
from proveout.faces.web.looks import look_of
from proveout.faces.web.marked import pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.faces.web.frame import Frame, Page

HERE = "proveout.faces.web"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What the pages may load: our own files, and nothing that stands in the page itself."""

SCRIPT = "text/javascript; charset=utf-8"

STATIC: Mapping[str, str] = {
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "desk.js": SCRIPT,
    "live.js": SCRIPT,
    "keys.js": SCRIPT,
    "htmx.min.js": SCRIPT,
}
"""The files beside the pages, with their media types."""

VENDORED: Mapping[str, str] = {"htmx.min.js": "htmx.org"}
"""Those of others, with the package that they came in."""

SHORT_DIGEST = 10
"""Characters of a digest that are shown where its whole is not needed."""

ID_END = 8
"""Characters of the end of an id that tell it from others beside it."""

MOST_SHOWN = 200_000
"""Characters of one value that a page shows at most."""


def render(page: Page, frame: Frame, *, is_fragment: bool = False) -> str:
    """Return a page as HTML, or what of it may change; the same facts give the same text.

    Whatever users, models or vendors wrote is escaped, and characters that steer or
    hide are made visible.
    """
    return (
        _environment()
        .get_template(page.template)
        .render(page=page, frame=frame, is_fragment=is_fragment)
    )


def static_file(name: str) -> bytes:
    """Return the content of a file beside the pages.

    Raises:
        KeyError: `STATIC` does not name it.
    """
    if name not in STATIC:
        raise KeyError(name)
    folder = ("static", "vendor", VENDORED[name]) if name in VENDORED else ("static",)
    return resources.files(HERE).joinpath(*folder, name).read_bytes()


@cache
def _environment() -> Environment:
    """Return the templates' surroundings; every value that they print is made harmless."""
    environment = Environment(
        loader=PackageLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "machine_time": moments.machine_time,
        "utc_time": moments.utc_time,
        "full_time": moments.full_time,
        "short_time": moments.short_time,
        "day": moments.day,
        "took": moments.took,
        "age": rough_time,
        "look": look_of,
        "count_of": count_of,
        "excerpt": excerpt,
        "readable": readable,
        "short": _short,
        "id_end": _id_end,
        "first_up": first_up,
        "svg": _svg,
        "meter": _meter,
        "split": _split,
        "initials": _initials,
        "part": _part,
        "marked": pieces,
    }
    environment.filters.update(filters)
    words: dict[str, Any] = {
        "time_left": moments.time_left,
        "zone_words": moments.zone_words,
        "zone_short": moments.zone_short,
        "most_shown": MOST_SHOWN,
        "soon": timedelta(minutes=15),
    }
    environment.globals.update(words)
    return environment


def _printed(value: Any) -> Any:
    """Return a value fit for the page; markup is ours alone and stays as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return harmless(value)


def _short(digest: str) -> str:
    return digest[:SHORT_DIGEST]


def _id_end(name: str) -> str:
    """Return an id, or the end of a long one.

    >>> _id_end("01a22fe4b41400f5a878216726"), _id_end("01JD4877")
    ('…78216726', '01JD4877')
    """
    return name if len(name) <= ID_END + 4 else f"…{name[-ID_END:]}"


def _svg(drawn: str) -> Markup:
    """Return a chart as markup; `chart` escapes what it is given."""
    return Markup(drawn)  # noqa: S704 - see above


def _meter(share: float) -> Markup:
    return _svg(chart.meter(share))


def _split(parts: list[tuple[float, str]]) -> Markup:
    """Return a bar of several parts, each a share and a class of our own."""
    x, drawn = 0.0, ""
    for share, look in parts:
        width = max(0.0, 100 * share - 0.4)
        drawn += f'<rect class="{look}" x="{x:.2f}%" width="{width:.2f}%" height="8"/>'
        x += 100 * share
    return _svg(f'<svg class="split" height="8" aria-hidden="true">{drawn}</svg>')


def _part(name: str) -> str:
    """Return a name as one part of an address, whatever it holds.

    >>> _part("a/b?c")
    'a%2Fb%3Fc'
    """
    return quote(name, safe="")


def _initials(name: str) -> str:
    """Return up to two letters for a name.

    >>> _initials("ana maria ruiz"), _initials("ops")
    ('AR', 'O')
    """
    words = name.split()
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [name[:1]]
    return "".join(letters).upper()
