"""The report of an experiment as one HTML file: no script, no request, no clock."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from proveout.faces.report import chart, page
from proveout.faces.report.figures import count_of, moment, second
from proveout.faces.report.untrusted import harmless
from proveout.faces.report.worth import worth_rows, worth_standing
from proveout.prove.account import verdict_v1
from proveout.prove.lock import canonical

if TYPE_CHECKING:
    from proveout.prove.account import Account
    from proveout.prove.foresee import Forecast

HERE = "proveout.faces.report"

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What the page may load: nothing; its styles stand within it."""


SVG = "http://www.w3.org/2000/svg"
"""The name by which a picture says that it is SVG; nothing is asked of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What the report says beyond the account.

    Attributes:
        owner: who answers for the workflow, or "".
        version: of proveout.
        verify: command that draws the verdict again from the recorded answers.
        repeat: command that runs the experiment again, on a fresh order.
    """

    workflow: str
    owner: str
    forecast: Forecast
    version: str
    verify: str
    repeat: str


def render(account: Account, extra: Extra) -> str:
    """Return the report as one HTML page; the same account always gives the same page.

    Whatever users, models or vendors wrote is escaped, and characters that steer or
    hide are made visible.
    """
    verdict = verdict_v1(account)
    words: dict[str, Any] = {
        "account": account,
        "plan": account.plan,
        "own": account.own,
        "extra": extra,
        "forecast": extra.forecast,
        "candidates": page.candidates(account),
        "hero": page.deciding(account.own.standings),
        "meaning": page.meaning(account),
        "settling": page.settling(account, extra.forecast),
        "figures": page.key_figures(account, extra.forecast),
        "budget": page.budget(account),
        "foreseen": page.foreseen(extra.forecast),
        "slices": page.slices(account.own),
        "sliced_by": page.sliced_by(account.own),
        "misses": page.misses(account.own),
        "shown_at_once": page.SHOWN_AT_ONCE,
        "worth": _worth(account),
        "trust": page.trust(account),
        "not_proven": page.limits_of_proof(account),
        "practices": tuple(page.practices()),
        "digest": verdict["digest"],
        "verdict_json": canonical({k: v for k, v in verdict.items() if k != "digest"}).decode(),
    }
    return page_of("report.j2", words)


def page_of(template: str, words: dict[str, Any], *, extra_style: str = "") -> str:
    """Return a page of one of our templates, with its style, its sign and its policy within."""
    style = _packaged("report.css") + (_packaged(extra_style) if extra_style else "")
    frame: dict[str, Any] = {
        "policy": POLICY,
        "style": Markup(style),  # noqa: S704 - our own style sheets
        "icon": _favicon(),
        "mark": Markup(_packaged("icon.svg")),  # noqa: S704 - our own picture
    }
    return _environment().get_template(template).render(words | frame)


def _favicon() -> str:
    picture = _packaged("icon.svg").replace("<svg", f'<svg xmlns="{SVG}"', 1)
    return base64.b64encode(picture.encode()).decode()


def _worth(account: Account) -> Any:
    standing = worth_standing(account.own)
    return None if standing is None else worth_rows(standing)


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
        "svg": _svg,
        "meter": _meter,
        "first_up": page.first_up,
        "moment": moment,
        "second": second,
        "count_of": count_of,
    }
    environment.filters.update(filters)
    return environment


def _printed(value: Any) -> Any:
    """Return a value fit for the page; markup is ours alone and stays as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return harmless(value)


def _svg(drawn: str) -> Markup:
    """Return a chart as markup; `chart` escapes what it is given."""
    return Markup(drawn)  # noqa: S704 - see above


def _meter(share: float) -> Markup:
    return _svg(chart.meter(share))


def _packaged(name: str) -> str:
    return resources.files(HERE).joinpath("templates", name).read_text("utf-8")
