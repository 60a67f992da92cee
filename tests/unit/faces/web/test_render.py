"""What every page keeps to, whatever its facts."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from doubles.console_pages import CONSOLE_PAGES
from doubles.hostile_pages import (
    ATTACK,
    DRAWN,
    HOSTILE,
    HOSTILE_FRAME,
    HOSTILE_PAGES,
    poisoned,
)
from doubles.pages import CSRF, FRAME, OVERVIEW, PAGES, VIEWER
from proveout.domain.access import Actor, Role
from proveout.domain.release import Stage
from proveout.domain.run import RunState
from proveout.faces.web.frame import Section
from proveout.faces.web.render import POLICY, STATIC, render, static_file
from proveout.faces.web.runs import RunsPage
from proveout.run.query import parse

if TYPE_CHECKING:
    from proveout.faces.web.frame import Frame, Page

POISONED = {
    **{
        name: (poisoned(page, HOSTILE, DRAWN), HOSTILE_FRAME)
        for name, (page, _) in PAGES.items()
        if not name.startswith("verdict,")
    },
    **HOSTILE_PAGES,
}
EVERY = {**PAGES, **CONSOLE_PAGES, **{f"hostile {name}": shown for name, shown in POISONED.items()}}
LIVE = {"script", "img", "iframe", "object", "embed", "base", "link", "style", "foreignobject"}
FIELDS = {"input", "textarea", "select"}
VOID = {"input", "meta", "link", "br", "img", "hr"}
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass
class Form:
    """A form with the fields that it sends."""

    attributes: dict[str, str]
    fields: Counter[str] = field(default_factory=Counter[str])
    values: dict[str, str] = field(default_factory=dict[str, str])


class Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: list[Form] = []
        self.text = ""
        self.open: list[str] = []
        self.torn: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "form":
            self.forms.append(Form(attributes))
        elif "name" in attributes and tag in FIELDS and "form" in self.open:
            self.forms[-1].fields[attributes["name"]] += 1
            self.forms[-1].values[attributes["name"]] = attributes.get("value", "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.torn.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def dangers(text: str) -> list[str]:
    """Return what in a page could run, load or restyle something."""
    found = [
        f"<{tag}>"
        for tag, attributes in Reader(text).tags
        if tag in LIVE
        and not (attributes.get("href") or attributes.get("src") or "").startswith("/static/")
    ]
    for tag, attributes in Reader(text).tags:
        found += [f"{tag} {name}" for name in attributes if name.startswith("on")]
        found += [f"{tag} style" for name in attributes if name == "style"]
        found += [
            f"{tag} {name}={value}"
            for name, value in attributes.items()
            if name in {"href", "action", "src"} and not re.match(r"/(?!/)|#", value)
        ]
    return found


def forms_of(page: Page, frame: Frame) -> list[Form]:
    """Return the forms of a page, but for the two that sign out."""
    forms = Reader(render(page, frame)).forms
    return [form for form in forms if form.attributes["action"] != "/logout"]


@pytest.mark.parametrize("name", EVERY)
def test_nothing_on_a_page_runs_loads_or_restyles(name: str) -> None:
    """No script but our own files, no handler, no inline style, no address that is not ours."""
    text = render(*EVERY[name])

    found = dangers(text)

    assert found == []
    # What is written to be evaluated stands there as it is, on one page in groups of four.
    assert "{{" not in re.sub(r"\{\{[7* ]+\}\}", "", text)


def test_the_dangers_are_found_where_they_are() -> None:
    """The negative control: an attack that is not escaped is seen."""
    text = f"<p>{ATTACK}</p><a href='javascript:1' style='x' onclick='y'>z</a>"

    found = dangers(text)

    assert {"<script>", "<img>", "img onerror", "a style", "a onclick"} <= set(found)
    assert "a href=javascript:1" in found


@pytest.mark.parametrize("name", EVERY)
def test_a_page_is_whole(name: str) -> None:
    """Every tag is closed in its place, and every id is there once."""
    text = render(*EVERY[name])

    reader = Reader(text)

    ids = Counter(attributes["id"] for _, attributes in reader.tags if "id" in attributes)
    assert (reader.torn, reader.open) == ([], [])
    assert [one for one, count in ids.items() if count > 1] == []


@pytest.mark.parametrize("name", EVERY)
def test_what_is_named_is_there(name: str) -> None:
    """Labels and descriptions lead to elements that exist."""
    tags = Reader(render(*EVERY[name])).tags

    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    named = {
        one
        for _, attributes in tags
        for kind in ("for", "aria-labelledby", "aria-describedby")
        for one in attributes.get(kind, "").split()
    }

    assert named - ids == set()


@pytest.mark.parametrize("name", EVERY)
def test_every_form_posts_with_its_token(name: str) -> None:
    """A form without the token of this session would be refused; so none is made.

    What only looks something up is asked for by an address, and carries no token.
    """
    forms = Reader(render(*EVERY[name])).forms

    for form in forms:
        if form.attributes["method"] == "get":
            assert not {"csrf", "reason"} & form.fields.keys()
            continue
        assert form.attributes["method"] == "post"
        assert form.values["csrf"] == CSRF
        assert form.fields["csrf"] == 1


@pytest.mark.parametrize("name", POISONED)
def test_what_people_wrote_is_shown_and_does_nothing(name: str) -> None:
    """An attack can be read as it was written; what steers or hides is made visible."""
    text = render(*POISONED[name])

    assert ATTACK not in text
    assert ATTACK in Reader(text).text
    assert RAW.search(text) is None
    assert "safe⟨U+202E⟩gnp.exe ␛[31mred␀ ⟨U+200B⟩hidden" in text


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_in_which_stage_the_workflow_is(name: str) -> None:
    """Nobody takes a proof of concept for production, on no page."""
    page, frame = PAGES[name]

    proof = render(page, replace(frame, stage=Stage.PROOF_OF_CONCEPT))
    production = render(page, replace(frame, stage=Stage.PRODUCTION))

    assert 'class="stage proof">proof of concept<' in proof
    assert 'class="stage live">production<' in production


@pytest.mark.parametrize("name", PAGES)
def test_the_navigation_marks_where_one_is(name: str) -> None:
    """One entry is the current page, on the desk and on the phone."""
    page, frame = PAGES[name]

    tags = Reader(render(page, frame)).tags

    marked = [one["href"] for tag, one in tags if tag == "a" and one.get("aria-current") == "page"]
    expected = 2 if frame.actor and page.section is not Section.NOWHERE else 0
    assert len([one for one in marked if one.count("/") == 1 or "/verdict/" in one]) == expected


@pytest.mark.parametrize("name", [*PAGES, *CONSOLE_PAGES])
def test_a_link_to_a_list_of_runs_is_a_query_that_can_be_read(name: str) -> None:
    """As if a person had typed it."""
    for _, one in Reader(render(*EVERY[name])).tags:
        address = urlsplit(one.get("href", ""))
        if address.path == "/runs":
            parse(dict(parse_qsl(address.query)).get("q", ""))


def test_a_page_is_the_same_each_time() -> None:
    """No clock and no chance: a page depends on its facts and its frame alone."""
    once, again = render(OVERVIEW, FRAME), render(OVERVIEW, FRAME)

    later = render(OVERVIEW, replace(FRAME, waiting=8))

    assert once == again
    assert once != later


def test_the_way_back_asks_what_of_the_runs_in_flight() -> None:
    """Rollback is one form with three answers, for whoever may."""
    text = render(OVERVIEW, replace(FRAME, actor=Actor(name="cy", role=Role.OPERATOR)))

    form = next(one for one in Reader(text).forms if one.attributes["action"] == "/rollback")

    assert form.fields["treatment"] == 3
    assert '<button class="btn danger big" type="submit">' in text


def test_who_may_not_send_a_form_reads_why() -> None:
    """The button is there, off, and says which role it asks for."""
    page = PAGES["run, failed"][0]

    owner, viewer = render(page, FRAME), render(page, VIEWER)

    assert 'type="submit">' in owner.partition("/replay")[2].partition("</form>")[0]
    off = viewer.partition("/replay")[2].partition("</form>")[0]
    assert 'aria-disabled="true"' in off
    assert 'type="submit"' not in off
    assert "This asks for the role operator; yours is viewer." in off


@pytest.mark.parametrize(
    "name",
    [
        "alert, taken, for a viewer",
        "alerts, for a viewer",
        "dead, for a viewer",
        "overview, halted, for a viewer",
        "releases, canary, for a viewer",
        "replay, for a viewer",
    ],
)
def test_who_may_not_send_a_form_is_given_nothing_to_fill_in(name: str) -> None:
    """A viewer reads which role may, and finds no field, choice or box."""
    text = render(*EVERY[name])

    fields = [field for form in Reader(text).forms for field in form.fields]
    assert set(fields) <= {"csrf"}
    assert 'type="checkbox"' not in text
    assert "This asks for the role operator; yours is viewer." in text


def test_the_next_move_is_a_command_or_a_sentence() -> None:
    """Only what a shell takes stands in a terminal; a name is written as it is."""
    told, plain = render(*PAGES["trouble"]), render(*PAGES["trouble, for a viewer"])

    assert "<code>proveout runs list</code>" in told
    assert ">There is no run 01JD9999</h1>" in told
    assert "<p>Ask an owner</p>" in plain
    assert 'class="term"' not in plain
    assert ">bo may not administer</h1>" in plain


def test_a_key_is_shown_with_a_call_that_uses_it() -> None:
    """The secret is a value; beside it stand a command and where the API is described."""
    text = render(*PAGES["access, a new key"])

    assert '<code class="secret">pk_' in text
    assert "curl -X POST https://proveout.example/api/v1/workflows/support-triage/runs" in text
    assert 'href="/api/v1/openapi.json"' in text
    assert "(12 characters or more)" in text
    assert "<dt>operator</dt><dd>also enqueue" in text


def test_an_owner_is_called_one() -> None:
    """In the plan a name, or that nobody is named, has its label."""
    assert "owner: <bdi>not known yet</bdi>" in render(*CONSOLE_PAGES["plan"])


def test_a_run_that_waits_says_what_its_last_attempt_took() -> None:
    """The list says what the page of the run says."""
    page = PAGES["runs"][0]
    assert isinstance(page, RunsPage)
    waits = next(one for one in page.rows if one.state is RunState.WAITING)

    text = render(replace(page, rows=(replace(waits, elapsed=0.06),)), FRAME)

    assert '<td role="cell" class="num sub" data-label="Last attempt">60 ms</td>' in text


def test_the_closed_gate_says_why_beside_its_button() -> None:
    """A disabled button stays focusable, sends nothing, and its reason is beside it."""
    closed = render(*PAGES["readiness"]).partition('action="/promote"')[2].partition("</form>")[0]
    opened = render(*PAGES["readiness, open"]).partition('action="/promote"')[2]

    assert 'type="button" aria-disabled="true" aria-describedby="closed"' in closed
    assert "4 claims of the bar do not pass." in closed
    assert 'type="submit"' not in closed
    assert 'class="btn primary big" type="submit"' in opened


def test_a_decision_is_bound_to_what_was_shown() -> None:
    """Each way to decide carries the digest of the draft; rejecting asks for a reason."""
    page, frame = PAGES["review"]

    every = forms_of(page, frame)
    forms = [one for one in every if one.attributes["action"].endswith("/decide")]

    assert [one.values["decision"] for one in forms] == ["approve", "edit", "edit", "reject"]
    assert {one.attributes["action"] for one in forms} == {"/reviews/01JE0008/decide"}
    assert {one.values["digest"] for one in forms} == {getattr(page, "digest", None)}
    assert forms[1].fields["field"] == 3  # category, priority and reply
    assert forms[2].fields["content"] == 1
    assert forms[3].fields["reason"] == 1
    assert re.search(r'name="reason"[^>]* required>', render(page, frame))


@pytest.mark.parametrize("name", ["review, edited", "review, too late"])
def test_what_was_decided_cannot_be_decided_again(name: str) -> None:
    """There is no form left, and the page says who decided."""
    page, frame = PAGES[name]

    forms = forms_of(page, frame)

    assert forms == []
    assert "<bdi>bo</bdi>" in render(page, frame)


def test_an_id_cannot_lead_elsewhere() -> None:
    """A slash or a question mark in a name stays in its place of the address."""
    text = render(*HOSTILE_PAGES["review, attacked"])

    actions = {form.attributes["action"] for form in Reader(text).forms}

    assert "/reviews/a%2Fb/decide" in actions
    assert 'href="/verdict/a%2Fb%3F%22%3E' in text


def test_one_primary_button_a_page() -> None:
    """What is to be done next stands out once, or not at all."""
    for page, frame in PAGES.values():
        text = render(page, frame)

        assert len(re.findall(r'class="btn (?:primary|go)', text)) <= 1


def test_files_beside_the_pages_are_served_by_name_alone() -> None:
    """A name that is not listed is no file, wherever it points."""
    for name in STATIC:
        assert static_file(name)

    for name in ("../render.py", "style.css/..", ""):
        with pytest.raises(KeyError):
            static_file(name)


def test_the_style_sheet_asks_for_nothing_elsewhere() -> None:
    """No font, no import, no address: the look works without a network."""
    style = static_file("style.css").decode()

    assert "@import" not in style
    assert re.findall(r"url\(", style) == []


def test_the_policy_lets_no_script_stand_in_a_page() -> None:
    """Our own files run, and nothing that a page could be made to hold."""
    assert "script-src 'self';" in POLICY
    assert "unsafe" not in POLICY


def test_every_key_that_is_shown_is_one_of_the_page() -> None:
    """A key in a button or a link is the key that presses it."""
    for name in ("review", "review, undoable", "reviews"):
        text = render(*PAGES[name])
        keyed = set(re.findall(r'data-key="(.)"', text))
        shown = {
            one.lower() for one in re.findall(r"<kbd[^>]*>(.)</kbd></(?:button|summary)>", text)
        }
        assert shown <= keyed
