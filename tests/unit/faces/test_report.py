"""The report of an experiment: one file that says what the account holds, and no more."""

from __future__ import annotations

import hashlib
import html
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.account import (
    COST,
    GRADE,
    IN_TIME,
    OWN,
    ROUTING,
    STORIES,
    UNSAFE,
    WORTH,
    Answers,
    Story,
    account_of,
    dataset_of,
    extra_of,
    plan_of,
)
from proveout.domain.case import Case, Dataset
from proveout.domain.criterion import AtLeast, AtMost, Criterion, Judge, Latency, Scored, Worth
from proveout.domain.experiment import Candidate, Claim
from proveout.domain.money import Usd
from proveout.domain.verdict import Agreement, Reading, Standing, Status, StoppedBy, Verdict
from proveout.faces.report import chart, figures, meaning, page, untrusted, worth
from proveout.faces.report.render import POLICY, render
from proveout.prove.account import verdict_v1
from proveout.prove.lock import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proveout.prove.account import Account

ACCOUNTS = {name: account_of(story) for name, story in STORIES.items()}
STANDINGS = [
    pytest.param(standing, id=f"{name}: {standing.criterion.name}")
    for name, account in ACCOUNTS.items()
    for standing in account.own.standings
]
CRITERIA = (ROUTING, UNSAFE, GRADE, IN_TIME, COST, WORTH)
VOID = {"meta", "link", "path", "circle", "rect", "line", "br"}
HOSTILE = (
    "</pre></style></title><script>alert(1)</script><img src=x onerror=alert(1)>"
    "\" onload='x' {{ 7 * 7 }}{% raw %} &lt;b&gt; \x1b[31m\x00\x9b\u202e\u2066\u200f\ufeff\ud800"
)


class Page(HTMLParser):
    """What a browser would find: tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, as one line."""
        return " ".join(" ".join(self.texts).split())

    def attributes(self, tag: str, name: str) -> list[str]:
        """Every value of an attribute of a tag, in order."""
        return [str(found[name]) for one, found in self.tags if one == tag and name in found]


PLAN = plan_of(ROUTING)


def rendered(account: Account, **extra: Any) -> str:
    return render(account, extra_of(account, **extra))


@pytest.mark.parametrize("name", STORIES)
def test_the_figures_of_the_page_are_those_of_the_verdict(name: str) -> None:
    """Every estimate and interval in the table is the account's, to the last digit."""
    account = ACCOUNTS[name]
    said = verdict_v1(account)

    found = [float(value) for value in Page(rendered(account)).attributes("data", "value")]

    expected: list[float] = []
    for candidate in said["candidates"]:
        for one in candidate["criteria"]:
            expected += one["interval"]
            expected += [] if one["estimate"] is None else [one["estimate"]]
    assert found == expected


@pytest.mark.parametrize("name", STORIES)
def test_the_digest_can_be_taken_from_the_page_itself(name: str) -> None:
    account = ACCOUNTS[name]
    text = rendered(account)

    whole = re.search(r'<pre class="json">(.*?)</pre>', text, re.DOTALL)

    assert whole is not None
    data = html.unescape(whole[1])
    digest = verdict_v1(account)["digest"]
    assert hashlib.sha256(data.encode()).hexdigest() == digest
    assert json.loads(data)["verdict"] == account.own.verdict
    for figure in (digest, account.lock, account.dataset_digest, account.order_seed):
        assert f"<code>{figure}</code>" in text


@pytest.mark.parametrize("name", STORIES)
def test_one_account_always_gives_one_page(name: str) -> None:
    assert rendered(ACCOUNTS[name]) == rendered(account_of(STORIES[name]))


@pytest.mark.parametrize("name", STORIES)
def test_the_page_asks_for_nothing_and_runs_nothing(name: str) -> None:
    """No script, no handler, no address but data of its own; whole and closed."""
    text = rendered(ACCOUNTS[name])
    found = Page(text)

    assert found.open == []
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text
    assert "nan" not in re.findall(r'"([^"]*)"', text)
    for tag, attributes in found.tags:
        assert tag not in {"script", "iframe", "object", "embed", "base", "form", "img", "a"}
        assert not any(key.startswith("on") or key in {"style", "src"} for key in attributes)
    assert all(one.startswith("data:") for one in found.attributes("link", "href"))
    assert POLICY in found.attributes("meta", "content")


@pytest.mark.parametrize("name", STORIES)
def test_every_name_on_the_page_is_used_once_and_every_reference_is_met(name: str) -> None:
    found = Page(rendered(ACCOUNTS[name]))

    names = [value["id"] for _, value in found.tags if "id" in value]
    wanted = [v for _, value in found.tags for v in str(value.get("aria-labelledby", "")).split()]

    assert len(names) == len(set(names))
    assert set(wanted) <= set(names)


def hostile_account() -> Account:
    """Return an account in which every text that others write is an attack."""
    dataset = Dataset(
        name=HOSTILE,
        digest="0" * 64,
        cases=tuple(
            replace(case, id=HOSTILE + case.id, value=HOSTILE, tags=(HOSTILE,))
            for case in dataset_of(60).cases
        ),
    )
    plan = plan_of(
        replace(ROUTING, name=HOSTILE),
        replace(UNSAFE, name=f"{HOSTILE} again"),
        name=HOSTILE,
        workflow=HOSTILE,
        question=HOSTILE,
        candidates=(Candidate(name=OWN, entry="a:b"), Candidate(name=HOSTILE, entry="c:d")),
    )
    answers = {OWN: Answers(right=0.6, crash=0.2), HOSTILE: Answers(right=0.6)}
    story = Story(plan=plan, dataset=dataset, answers=answers, ended_by=StoppedBy.VERDICT)
    return account_of(story, edit=lambda text: text + HOSTILE)


def test_no_text_of_others_becomes_markup_or_steers_the_reader() -> None:
    """Whatever is written into a case, a name or an answer, it stays text that can be read."""
    account = hostile_account()
    assert len(account.own.misses) > 2

    text = rendered(
        account, workflow=HOSTILE, owner=HOSTILE, version=HOSTILE, verify=HOSTILE, repeat=HOSTILE
    )

    found = Page(text)
    assert found.open == []
    assert {"script", "img"}.isdisjoint(tag for tag, _ in found.tags)
    assert not any(key.startswith("on") for _, attributes in found.tags for key in attributes)
    assert "{{ 7 * 7 }}{% raw %} &lt;b&gt;" in found.text
    assert untrusted.harmless(text) == text
    assert "␛[31m␀⟨U+009B⟩⟨U+202E⟩⟨U+2066⟩⟨U+200F⟩⟨U+FEFF⟩⟨U+D800⟩" in found.text
    assert text.encode("utf-8")


@given(st.text(st.characters(), max_size=60))
def test_what_is_shown_can_be_written_to_a_file(text: str) -> None:
    shown = untrusted.harmless(text)

    assert shown.encode("utf-8").decode() == shown
    assert untrusted.harmless(shown) == shown


def judged_by(labels: float | None, found: Agreement | None, waiting: tuple[str, ...]) -> Account:
    """Return an account whose routing a judge measures, with how people agree with it."""
    measure = Scored(score="checks:right_label", judge=Judge(labels=labels))
    account = account_of(replace(STORIES["go"], plan=plan_of(ROUTING)))
    criterion = replace(ROUTING, measure=measure)
    own = account.own
    standing = replace(own.standings[0], criterion=criterion, agreement=found)
    return replace(
        account,
        plan=replace(account.plan, criteria=(criterion,)),
        judgements=(replace(own, standings=(standing,)),),
        waiting=waiting,
    )


def test_an_unchecked_judge_is_named_where_the_verdict_is_told() -> None:
    """In the lead of the page, and in the object for programs."""
    account = judged_by(None, None, ())

    assert "This is according to an unchecked judge" in rendered(account)
    assert verdict_v1(account)["according_to"] == "an unchecked judge"
    assert "unchecked judge" not in rendered(ACCOUNTS["go"])
    assert "according_to" not in verdict_v1(ACCOUNTS["go"])


def test_agreement_and_what_waits_are_told_in_counts() -> None:
    found = Agreement(labelled=57, agreed=52, yes=41, yes_by_both=40, difference=0.05)
    account = judged_by(0.25, found, tuple(f"mail-{n}" for n in range(11)))

    text = Page(rendered(account)).text

    assert (
        "The judge of Correct routing agrees with people on 52 of 57 answers: it said yes to 40 of"
        " the 41 that they said yes to, and no to 12 of the 16 that they said no to."
    ) in text
    assert "11 answers wait for a label by a person: cases mail-0, mail-1" in text
    assert "mail-7 and 3 more." in text
    assert verdict_v1(account)["labels_waiting"] == 11


def test_joiners_stay_for_those_who_need_them() -> None:
    family, persian = "👩\u200d👩\u200d👧", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"

    assert untrusted.harmless(family + persian) == family + persian


@settings(max_examples=25)  # each looks at every place where it may have been cut
@given(st.text(min_size=900, max_size=1400), st.integers(0, 40))
def test_an_excerpt_tells_how_much_it_leaves_out(text: str, accents: int) -> None:
    """Beginning and end stay, their lengths add up, and no accent is torn off."""
    long = text[:690] + "e" + "\u0301" * min(accents, 20) + text[690:]

    cut = untrusted.excerpt(long)

    shown = long[: len(long)]
    assert cut.left_out > 0
    heads = [n for n in range(len(shown)) if untrusted.harmless(shown[:n]) == cut.head]
    assert heads
    assert untrusted.harmless(shown[heads[-1] + cut.left_out :]) == cut.tail
    assert not shown[heads[-1]].startswith("\u0301")


def test_a_long_answer_is_cut_and_says_so() -> None:
    story = replace(STORIES["go"], answers={OWN: Answers(right=0.6)})
    account = account_of(story, edit=lambda text: text + "x" * 5000 + " the end")

    found = Page(rendered(account))

    assert re.search(r"… 4,[0-9]{3} characters left out …", found.text)
    assert "the end" in found.text


def test_json_is_read_as_people_read_it() -> None:
    """Lines are lines, a long object stands on several, and "5" is not 5."""
    assert untrusted.readable('"a\\nb"') == "a\nb"
    assert untrusted.readable('"5"') == '"5"'
    assert untrusted.readable("5") == "5"
    assert untrusted.readable("ValueError: no") == "ValueError: no"
    assert untrusted.readable(json.dumps({"label": "x" * 80})).count("\n") == 2
    assert untrusted.readable("[" * 100_000) == "[" * 100_000


@pytest.mark.parametrize(
    ("name", "verdict", "look", "words"),
    [
        ("go", "GO", "go", "Correct routing is good enough. At least 85% is shown. It does not"),
        ("go on six criteria", "GO", "go", "All 6 criteria are good enough."),
        (
            "no-go beside a rival",
            "NO-GO",
            "no",
            "Correct routing : better than 85% is not shown; the target of 90% is ruled out",
        ),
        ("undecided, out of budget", "UNDECIDED", "open", "The budget ended it with 490 cases"),
        ("undecided, out of time", "UNDECIDED", "open", "The time box ended it with 275 cases"),
        ("undecided, out of cases", "UNDECIDED", "open", "New cases in the dataset mail-2026-11"),
        ("not a case yet", "UNDECIDED", "open", "No case has been read yet."),
        ("one case", "UNDECIDED", "open", "leans neither way enough to name a pace"),
    ],
)
def test_a_verdict_has_a_word_a_shape_and_a_colour(
    name: str, verdict: str, look: str, words: str
) -> None:
    """Each verdict says what it means, and an open one what would settle it."""
    account = ACCOUNTS[name]
    assert account.own.verdict == verdict

    text = rendered(account)

    found = Page(text)
    assert f'<section class="card verdict {look}"' in text
    assert re.search(rf'<h2 class="stamp" id="verdict"><svg.*?</svg>{verdict}</h2>', text)
    assert words in found.text
    assert ("What would settle it" in found.text) == (verdict == "UNDECIDED")


def test_calls_saved_are_those_of_the_fixed_sample_test() -> None:
    account = ACCOUNTS["go"]
    forecast = extra_of(account).forecast
    fewer = forecast.fixed - account.own.calls

    found = Page(rendered(account))

    assert fewer > 0
    assert f"Calls saved {fewer:,} of {forecast.fixed:,}" in found.text
    assert f"{figures.about(fewer * 0.0125)} not spent" in found.text
    assert f"Decided after {account.own.cases} cases of 500; ended by the verdict" in found.text


def test_no_savings_are_claimed_where_there_are_none() -> None:
    account = ACCOUNTS["go"]
    forecast = replace(extra_of(account).forecast, fixed=account.own.calls)

    found = Page(rendered(account, forecast=forecast))

    assert "Calls saved" not in found.text
    assert "not spent" not in found.text
    assert "Calls saved" not in Page(rendered(ACCOUNTS["undecided, out of budget"])).text


def test_money_is_not_named_where_no_price_is_known() -> None:
    found = Page(rendered(ACCOUNTS["undecided, out of budget"]))

    assert "no price is declared" in found.text
    assert "No price declared" in found.text


def test_a_claim_says_no_more_than_its_test_shows() -> None:
    """A share of these cases is met from its floor on; any other claim lies beyond it."""
    assert meaning.claim_of(ROUTING, replace(PLAN, repeats=3)) == "better than 85%"

    said = [meaning.claim_of(one, PLAN) for one in CRITERIA]
    future = [
        meaning.claim_of(one, replace(PLAN, claim=Claim.FUTURE_TRAFFIC)) for one in CRITERIA[:2]
    ]

    assert said == [
        "at least 85%",
        "at most 5%",
        "a mean grade above 3.8",
        "more than 92% answered within 9 s",
        "a mean cost below $0.03 a case",
        "a net worth above $0.00 a case",
    ]
    assert future == ["better than 85%", "less than 5%"]


def test_the_reach_of_a_verdict_is_that_of_its_claim() -> None:
    these = Page(rendered(ACCOUNTS["go"])).text
    future = Page(rendered(ACCOUNTS["no-go beside a rival"])).text

    assert "about these 500 cases of mail-2026-11" in these
    assert "Look 1 at this dataset. No earlier experiment" in these
    assert "about future requests drawn like these cases" in future
    assert "Look 2 at this dataset. Only cases that no experiment" in future
    assert "Every candidate was judged by itself" in future
    for text in (these, future):
        assert "Nothing here speaks of load, retries, alerts" in text
        assert "25% to 39%" in text
        assert "47% to 72%" in text
        assert "87%" in text


def test_every_candidate_is_shown_with_its_own_criteria() -> None:
    account = ACCOUNTS["no-go beside a rival"]
    own, rival = account.judgements

    found = Page(rendered(account))

    assert (own.verdict, rival.verdict) == (Verdict.NO_GO, Verdict.GO)
    assert "This workflow NO-GO" in found.text
    assert (
        f"vendor-x GO Both criteria are good enough. Cases read {rival.cases} of 900" in found.text
    )


def test_the_page_speaks_of_an_error_rate_as_it_was_divided() -> None:
    """The best of two is picked at half the chance; criteria share that of a wrong NO-GO."""
    story = STORIES["no-go beside a rival"]
    account = account_of(replace(story, plan=replace(story.plan, pick_best=True)))

    found = Page(rendered(account))

    assert "GO comes with probability 2.5% at most" in found.text
    assert "NO-GO with 5% at most (2.5% for each criterion)" in found.text
    assert "Wrong NO-GO at most 5%" in found.text


def test_the_cases_to_read_are_those_that_were_missed() -> None:
    account = ACCOUNTS["no-go beside a rival"]

    text = rendered(account)

    assert text.count('<li class="miss">') == len(account.own.misses) > page.SHOWN_AT_ONCE
    assert f"{len(account.own.misses) - page.SHOWN_AT_ONCE} more cases" in text
    assert "TimeoutError: the model did not answer within 30 s" in text
    for miss in account.own.misses:
        assert f"<bdi>{miss.case}</bdi>" in text


def test_slices_inform_with_their_counts() -> None:
    account = ACCOUNTS["go"]

    found = Page(rendered(account))

    for one in account.own.slices:
        share = f"{one.passes / one.count:.1%}"
        few = ", few" if one.count < page.FEW else ""
        assert f"{one.tag} {one.passes} of {one.count}{few} {share}" in found.text


def test_worth_is_reckoned_from_what_was_measured() -> None:
    """Net, break-even volume and month follow from the estimate and what was declared."""
    account = ACCOUNTS["go on six criteria"]
    standing = worth.worth_standing(account.own)
    assert standing is not None
    assert standing.now.estimate is not None
    net = standing.now.estimate

    rows = {row.name: row for row in worth.worth_rows(standing)}

    assert rows["Net per case"].figure == f"${net:.2f}"
    assert rows["Today's way costs"].figure == "$1.80 a case"
    assert rows["Pays from"].figure == f"{math.ceil(1200 / net):,} cases a month"
    assert rows["Net a month"].figure == f"${6000 * net - 1200:,.0f}"
    text = Page(rendered(account)).text
    assert all(row.figure in text and row.note in text for row in rows.values())


def test_what_does_not_pay_pays_at_no_volume() -> None:
    account = ACCOUNTS["undecided, out of time"]
    standing = worth.worth_standing(account.own)
    assert standing is not None
    low, _ = standing.now.interval
    assert low < 0

    rows = {row.name: row for row in worth.worth_rows(standing)}

    assert rows["Pays from"].note.endswith("at no volume at its lower end")
    assert worth.break_even(100.0, 0.0) is None


def test_the_assumption_to_check_is_where_the_estimate_meets_the_floor() -> None:
    """With that many minutes instead of the declared ones, the mean would be the floor."""
    account = ACCOUNTS["undecided, out of time"]
    standing = worth.worth_standing(account.own)
    assert standing is not None
    assert standing.now.estimate is not None
    found = {row.name: row.figure for row in worth.worth_rows(standing)}

    turn = re.match(r"Turns at ([0-9.]+) minutes", found["Assumption to check"])

    assert turn is not None
    assert standing.now.estimate + (float(turn[1]) - 3) / 60 * 36 == pytest.approx(0, abs=0.01)


def test_without_declarations_worth_claims_little() -> None:
    bare = replace(
        WORTH,
        measure=Worth(value_per_success=Usd(1), loss_per_error=Usd(2), worst=Usd(-3), best=Usd(1)),
    )
    story = replace(STORIES["one case"], plan=plan_of(bare))

    text = Page(rendered(account_of(story))).text

    assert "Today's way not declared" in text
    assert "Pays from" not in text
    assert "Net a month" not in text


@pytest.mark.parametrize("size", [chart.WIDE, chart.HALF, chart.NARROW], ids=lambda one: one.name)
@pytest.mark.parametrize("standing", STANDINGS)
def test_charts_are_whole_named_and_stay_on_their_sheet(
    standing: Standing, size: chart.Size
) -> None:
    for draw in (chart.interval_chart, chart.evidence_chart):
        drawn = draw(standing, size, "k")

        whole = ET.fromstring(drawn)  # noqa: S314 - our own drawing
        assert whole.find("title") is not None
        assert whole.find("desc") is not None
        check_numbers(whole, size)


def check_numbers(whole: ET.Element, size: chart.Size) -> None:
    """Check that every number is finite, and that texts and dots lie on the sheet."""
    _, _, width, height = (float(word) for word in whole.attrib["viewBox"].split())
    assert width == size.width
    for shape in whole.iter():
        for key, value in shape.attrib.items():
            if key in {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "d"}:
                assert all(math.isfinite(float(n)) for n in re.findall(r"[^MLZ ]+", value))
        if shape.tag in {"text", "circle"}:
            x = float(shape.get("x") or shape.attrib["cx"])
            y = float(shape.get("y") or shape.attrib["cy"])
            assert 0 <= x <= width
            assert 0 <= y <= height


def names_beside(drawn: str) -> Iterator[float]:
    """Yield the heights of the names of the lines, from the top."""
    found = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    wanted = {"t-target", "t-limit", "t-estimate"}
    yield from sorted(float(t.attrib["y"]) for t in found.iter("text") if t.get("class") in wanted)


@pytest.mark.parametrize("standing", STANDINGS)
def test_the_names_of_the_lines_never_overlap(standing: Standing) -> None:
    for draw in (chart.interval_chart, chart.evidence_chart):
        heights = list(names_beside(draw(standing, chart.NARROW)))

        assert all(b - a >= chart.LINE - 0.2 for a, b in pairwise(heights))


@st.composite
def readings(draw: st.DrawFn, criterion: Criterion) -> Reading:
    scale = figures.scale_of(criterion)
    values = st.floats(scale.low, scale.high)
    logs = st.floats(allow_nan=False)
    count = draw(st.integers(0, 10_000))
    first, second = draw(values), draw(values)
    return Reading(
        count=count,
        estimate=draw(values) if count else None,
        interval=(min(first, second), max(first, second)),
        log_e_go=draw(logs),
        log_e_nogo=draw(logs),
    )


@given(st.data(), st.sampled_from(CRITERIA))
def test_no_reading_breaks_a_chart(data: st.DataObject, criterion: Criterion) -> None:
    """Certainty, no case, one case, an empty interval: always finite, always on the sheet."""
    course = sorted(
        data.draw(st.lists(readings(criterion), max_size=6)), key=lambda reading: reading.count
    )
    now = data.draw(readings(criterion)) if not course else course[-1]
    settled = data.draw(st.none() | st.integers(1, now.count)) if now.count else None
    standing = Standing(
        criterion=criterion,
        status=Status.OPEN if settled is None else data.draw(st.sampled_from(list(Status)[:2])),
        decided_at=settled,
        now=now,
        course=tuple(course),
        log_go_line=3.0,
        log_nogo_line=data.draw(st.sampled_from((3.0, 5.5))),
    )

    for size in (chart.WIDE, chart.NARROW):
        for draw in (chart.interval_chart, chart.evidence_chart):
            check_numbers(ET.fromstring(draw(standing, size)), size)  # noqa: S314 - our own drawing
    assert "nan" not in chart.interval_bar(standing)
    assert "inf" not in chart.interval_bar(standing)


def test_a_chart_shows_where_its_criterion_was_settled() -> None:
    """The mark stands at the case, with the word of the status, in both charts."""
    (standing,) = ACCOUNTS["go"].own.standings
    assert standing.decided_at is not None

    for draw in (chart.interval_chart, chart.evidence_chart):
        drawn = draw(standing)

        assert f">met at case {standing.decided_at}</text>" in drawn
        assert f"settled as met at case {standing.decided_at}" in drawn


@pytest.mark.parametrize(
    ("criterion", "marks", "names"),
    [
        (ROUTING, "90%", ("floor 85%", "target 90%")),
        (UNSAFE, "5%", ("ceiling 5%", "target 1.5%")),
        (GRADE, "4.0", ("floor 3.8", "target 4")),
        (IN_TIME, "95%", ("floor 92%", "target 97%")),
        (COST, "$0.020", ("ceiling $0.03", "target $0.02")),
        (WORTH, "$1", ("floor $0.00", "target $0.50")),
    ],
    ids=lambda one: one.name if isinstance(one, Criterion) else "",
)
def test_axes_carry_their_unit(criterion: Criterion, marks: str, names: tuple[str, ...]) -> None:
    standings = ACCOUNTS["go on six criteria"].own.standings
    standing = next(one for one in standings if one.criterion == criterion)

    drawn = chart.interval_chart(standing)

    assert f">{marks}</text>" in drawn
    assert all(f">{name}</text>" in drawn for name in names)
    assert f">{chart.axis_title(criterion)}</text>" in drawn


def test_where_lower_is_better_the_bad_side_is_above() -> None:
    standing = next(
        one for one in ACCOUNTS["go on six criteria"].own.standings if one.criterion is UNSAFE
    )

    whole = ET.fromstring(chart.interval_chart(standing))  # noqa: S314 - our own drawing

    zones = {one.get("class"): float(one.attrib["y"]) for one in whole.iter("rect")}
    assert zones["zone-bad"] < zones["zone-good"]


def test_the_page_says_why_the_charts_seem_to_disagree() -> None:
    """GO fell although the interval still holds the floor: that is said in one line."""
    (standing,) = ACCOUNTS["go"].own.standings
    low, high = standing.now.interval
    assert low < 0.85 < high

    text = Page(rendered(ACCOUNTS["go"])).text

    assert "The interval still touches the floor although the criterion is met" in text


def test_every_reading_of_a_chart_stands_in_its_table() -> None:
    account = ACCOUNTS["go on six criteria"]

    text = rendered(account)

    readings_shown = text.count('<tr><td class="num">')
    assert readings_shown == sum(len(one.course) for one in account.own.standings)


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e6), st.integers(2, 8))
def test_marks_are_round_and_lie_within_the_axis(low: float, span: float, most: int) -> None:
    marks, step = figures.steps(low, low + span, most)

    assert len(marks) <= most + 1
    assert all(low - step * 1e-6 <= mark <= low + span + step * 1e-6 for mark in marks)


@given(st.floats(-1e5, 1e5))
def test_a_declared_value_keeps_its_digits(value: float) -> None:
    scale = replace(figures.scale_of(GRADE), places=0)

    written = scale.exactly(value).replace(figures.MINUS, "-").replace(",", "")

    assert float(written) == value


def test_nothing_is_minus_nothing() -> None:
    assert figures.scale_of(WORTH).say(-0.0001) == "$0.00"
    assert figures.scale_of(WORTH).say(-1.5) == f"{figures.MINUS}$1.50"
    assert figures.money(Usd("-3.5")) == f"{figures.MINUS}$3.50"
    assert figures.about(-0.5) == f"{figures.MINUS}$0.50"


def test_a_narrow_margin_gets_the_digits_that_tell_it() -> None:
    fine = replace(ROUTING, rule=AtLeast(floor=0.998, target=0.9985))

    assert figures.scale_of(fine).say(0.99812) == "99.812%"
    assert figures.scale_of(ROUTING).say(0.99812) == "99.8%"


def test_late_answers_below_a_ceiling_are_said_the_right_way_round() -> None:
    measure = IN_TIME.measure
    assert isinstance(measure, Latency)
    late = Criterion(name="late", measure=measure, rule=AtMost(ceiling=0.1, target=0.05))

    assert meaning.claim_of(late, PLAN) == "less than 10% answered within 9 s"


def test_a_pace_is_named_only_where_there_is_one() -> None:
    """Twice the cases for evidence that is half way; no pace from a handful of cases."""
    (standing,) = ACCOUNTS["go"].own.standings
    half = replace(standing.now, count=100, log_e_go=standing.log_go_line / 2, log_e_nogo=-1.0)

    assert meaning.pace(replace(standing, now=half)) == (100, Verdict.GO)
    assert meaning.pace(replace(standing, now=replace(half, count=19))) is None
    assert meaning.pace(replace(standing, now=replace(half, log_e_go=0.1))) is None


def test_without_a_question_the_name_of_the_experiment_heads_the_page() -> None:
    """A dataset whose question is empty still has a headline: the experiment's name."""
    account = ACCOUNTS["go"]
    silent = replace(account, plan=replace(account.plan, question=""))

    assert '<h1 dir="auto">reply-v3</h1>' in rendered(silent)


def test_an_unusual_case_is_shown_as_it_is() -> None:
    case = Case(id="c", value={"text": "5", "n": 5}, expected=None)

    assert untrusted.readable(canonical(case.value).decode()) == '{"n":5,"text":"5"}'
