"""Pages of the console full of the worst that people, models and vendors write."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from doubles.account import STORIES, Answers, account_of
from doubles.pages import BERLIN, HALTED, JOURNAL, NOW, PAGES, QUEUE, RUN, review
from proveout.domain.access import Actor, Role
from proveout.domain.experiment import OWN
from proveout.domain.journal import Place
from proveout.domain.release import Halt
from proveout.faces.web.frame import Flash, Tone
from proveout.faces.web.reviews import review_page
from proveout.faces.web.run_detail import run_page
from proveout.faces.web.verdict import verdict_page
from proveout.prove.foresee import foresee
from proveout.prove.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from proveout.faces.web.frame import Frame, Page

ATTACK = '"><img src=x onerror=alert(1)></textarea></pre><script>alert(1)</script>{{ 7 * 7 }}'
STEERING = "safe\u202egnp.exe \x1b[31mred\x00 \u200bhidden"
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitän" * 9
HOSTILE = f"{ATTACK} {STEERING} שלום 你好 🧑‍🚀 {LONG_WORD}"
HUGE = "All work and no play makes a long payload. " * 250

HOSTILE_FRAME = replace(
    HALTED,
    workflow=HOSTILE[:300],
    experiment=f"a/b?{ATTACK}",
    actor=Actor(name=HOSTILE, role=Role.OWNER),
    flash=Flash(text=HOSTILE, tone=Tone.NO),
    halt=Halt(workflow="w", scope="workflow", since=NOW, by=HOSTILE, reason=HOSTILE),
)

DRAWN = frozenset({"look", "sign", "href", "bar", "charts", "exact", "line"})
"""Fields that hold names of signs and classes, drawings and addresses."""

OURS = DRAWN | {
    *("status", "state", "word", "verdict", "act", "id", "run", "replay_of", "token", "code"),
    *("digest", "hash", "evidence", "lock", "older", "before", "command", "commands", "took"),
    *("stable", "canary", "back_to", "release"),
}
"""Fields whose text is always our own: words of ours, ids, digests, names of releases."""


def poisoned(value: Any, text: str = HOSTILE, keep: Collection[str] = OURS) -> Any:
    """Return a value of the pages with each text in it replaced by the worst that people write."""
    kind = cast("type[Any]", type(value))
    if kind is str:
        return text
    if kind is tuple:
        return tuple(poisoned(one, text, keep) for one in value)
    if not is_dataclass(kind):
        return value
    changed = {
        one.name: poisoned(getattr(value, one.name), text, keep)
        for one in fields(kind)
        if one.name not in keep
    }
    return replace(value, **changed)


def attacked_verdict() -> Page:
    """Return the page of an experiment whose answers attack."""
    story = replace(STORIES["go"], answers={OWN: Answers(right=0.6, crash=0.1)})
    account = account_of(story, edit=lambda text: text + HOSTILE)
    account = replace(account, plan=replace(account.plan, question=HOSTILE), dataset=HOSTILE)
    return verdict_page(account, foresee(account.plan, Layout(order=account.order)), (HOSTILE,))


HOSTILE_DRAFT = json.dumps({HOSTILE: HOSTILE, "list": [HOSTILE], "huge": HUGE}).encode()

HOSTILE_PAGES: Mapping[str, tuple[Page, Frame]] = {
    **{
        name: (poisoned(page), HOSTILE_FRAME)
        for name, (page, _) in PAGES.items()
        if not name.startswith("verdict,")
    },
    "verdict": (attacked_verdict(), HOSTILE_FRAME),
    "review, attacked": (
        review_page(review("a/b", HOSTILE_DRAFT), QUEUE, value=HOSTILE_DRAFT, refused=HOSTILE),
        HOSTILE_FRAME,
    ),
    "review of a text": (
        review_page(review("a/c", json.dumps(f"{ATTACK}\n{HUGE}").encode())),
        HOSTILE_FRAME,
    ),
    "run, huge": (
        run_page(
            replace(RUN, value=json.dumps(HUGE).encode(), note=HUGE),
            [replace(one, arguments=HOSTILE, place=Place("0", HOSTILE, 0)) for one in JOURNAL],
            HOSTILE,
            NOW,
            BERLIN,
        ),
        HOSTILE_FRAME,
    ),
}
"""Every page full of attacks, steering characters and words that never end."""
