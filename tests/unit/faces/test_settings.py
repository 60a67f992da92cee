"""`proveout.toml`: what it says, and the line of what it cannot say."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proveout.domain.criterion import (
    AtLeast,
    AtMost,
    Baseline,
    Cost,
    Graded,
    Latency,
    Lead,
    Scored,
    Worth,
)
from proveout.domain.delivery import Scheme
from proveout.domain.experiment import (
    AnswersFile,
    Budget,
    Candidate,
    Claim,
    Command,
    Endpoint,
    ErrorRates,
)
from proveout.domain.money import Usd
from proveout.errors import Mistake
from proveout.faces import settings
from proveout.faces.settings import (
    EscalationTier,
    EvidenceAge,
    ObjectiveSettings,
    ProductionSettings,
    Settings,
    SupportSettings,
)
from proveout.faces.settings_reader import SettingsMistake
from proveout.faces.settings_sources import SourceSettings
from proveout.faces.units import rate
from proveout.run.prune import Keeping

SMALL = """\
[workflow]
name = "triage"
entry = "app.flow:triage"

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = { calls = 100 }

[[prove.criteria]]
score = "exact"
floor = 0.85
target = 0.90
"""

PAIR = (
    SMALL
    + """
[[prove.criteria]]
name = "beats the vendor"
score = "exact"
lead_over = "vendor"
floor = 0
target = 0.05

[prove.candidates.vendor]
entry = "app.flow:vendor"
"""
)

RULE = SMALL[SMALL.index("score") :]
TONE = 'score = "tone"\nlow = 0\nhigh = 2'

WHOLE = """\
[workflow]
name = "triage"
entry = "app.flow:triage"
question = "Is it good?"
owner = "Ana"
operator = "Ben"
reviewer = "Cem"
downstream = "help desk API"
assumptions = ["English only", "few"]
testers = ["dee@example.org"]
files = ["prompts/**", "rules.json"]

[[prove]]
name = "reply-v3"
dataset = "cases.jsonl"
time_box = "10 days"
budget = { calls = 3000, money = "20 USD" }
claim = "future traffic"
estimand = "per request"
repeats = 1
pick = "best"
wrong_go = 0.01
wrong_no_go = 0.1
concurrency = 3
price_per_call = "0.004 USD"
cap_per_call = "0.02 USD"

[[prove.criteria]]
name = "correct routing"
score = "routed"
floor = 0.85
target = 0.90

[[prove.criteria]]
name = "tone"
score = "app.scores:tone"
low = 1
high = 5
variance_guess = 0.8
floor = 3
target = 4

[[prove.criteria]]
name = "promises"
score = "promised"
ceiling = 0.02
target = 0.005

[[prove.criteria]]
latency = "4 s"
floor = 0.92
target = 0.95

[[prove.criteria]]
cost = true
ceiling = "0.01 USD"
target = 0.008

[prove.worth]
value_per_success = "1.20 USD"
loss_per_error = "6 USD"
baseline = { minutes = 6, person_hour = "38 USD" }
volume = "300 per day"
fixed_cost = "900 USD per month"

[prove.candidates.vendor]
entry = "vendor:answer"
price_per_call = "0.01 USD"

[[prove]]
name = "second"
dataset = "cases.jsonl"
time_box = "4h"
budget = { calls = 5 }
worth = "not asked"
criteria = [ { score = "exact", floor = 0.1, target = 0.2 } ]

[production]
profile = "customer"
peak = "40 per minute"
headroom = 3
window = "6 weeks"
objective = { success = 0.99, within = "60 s" }
escalation = [ { to = "a", after = "0 min" }, { to = "b", after = "15 min" } ]
support = { hours = "Mon-Fri 9-17", first_answer = "4 h", not_supported = ["attachments"] }
policy = { worker-loss = "14 days" }
runbook = "RUNBOOK.md"

[sources.billing]
scheme = "stripe"
secret_env = "BILLING_SECRET"
types = ["invoice.paid"]
input = "data.object"

[sources.code]
scheme = "github"
secret_env = ["CODE_SECRET", "CODE_SECRET_OLD"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "cases.jsonl").write_text('{"input": 1}\n')
    (folder / "RUNBOOK.md").write_text("# When it breaks\n")
    return folder


def read(folder: Path, content: str | bytes) -> Settings:
    path = folder / "proveout.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return settings.load(path)


def refused(folder: Path, content: str | bytes) -> SettingsMistake:
    with pytest.raises(SettingsMistake) as caught:
        read(folder, content)
    return caught.value


def line_of(said: str, text: str) -> int:
    assert text.count(said) == 1, f"{said!r} must stand once, to name its line"
    return text[: text.index(said)].count("\n") + 1


# What is read


def test_what_is_not_said_has_the_defaults_of_the_contract(folder: Path) -> None:
    """The contract lists them: rates of 0.05, these cases, eight at once, worth not asked."""
    (experiment,) = read(folder, SMALL).experiments
    plan = experiment.plan

    assert (experiment.name, plan.name, plan.workflow) == ("triage", "triage", "triage")
    assert experiment.dataset == folder / "cases.jsonl"
    assert not experiment.worth_asked
    assert plan.claim is Claim.THESE_CASES
    assert plan.errors == ErrorRates(wrong_go=0.05, wrong_no_go=0.05)
    assert (plan.concurrency, plan.pick_best) == (8, False)
    assert plan.time_box == timedelta(days=10)
    assert plan.budget == Budget(calls=100)
    assert plan.candidates == (Candidate(name="workflow", entry="app.flow:triage"),)
    assert [criterion.name for criterion in plan.criteria] == ["exact"]


def test_all_that_a_workflow_says_is_kept(folder: Path) -> None:
    workflow = read(folder, WHOLE).workflow

    assert (workflow.name, workflow.entry) == ("triage", "app.flow:triage")
    assert (workflow.question, workflow.downstream) == ("Is it good?", "help desk API")
    assert (workflow.owner, workflow.operator, workflow.reviewer) == ("Ana", "Ben", "Cem")
    assert workflow.assumptions == ("English only", "few")
    assert workflow.testers == ("dee@example.org",)
    assert workflow.files == ("prompts/**", "rules.json")


def test_all_that_an_experiment_says_is_in_its_plan(folder: Path) -> None:
    first, second = read(folder, WHOLE).experiments
    plan = first.plan

    assert (first.name, second.name) == ("reply-v3", "second")
    assert (first.worth_asked, second.worth_asked) == (True, False)
    assert (plan.workflow, plan.question) == ("triage", "Is it good?")
    assert plan.claim is Claim.FUTURE_TRAFFIC
    assert plan.errors == ErrorRates(wrong_go=0.01, wrong_no_go=0.1)
    assert (plan.concurrency, plan.pick_best) == (3, True)
    assert plan.budget == Budget(calls=3000, money=Usd(20), cap_per_call=Usd("0.02"))
    assert plan.candidates == (
        Candidate(name="workflow", entry="app.flow:triage", price_per_call=Usd("0.004")),
        Candidate(name="vendor", entry="vendor:answer", price_per_call=Usd("0.01")),
    )
    assert second.plan.time_box == timedelta(hours=4)


def test_each_measure_has_its_own_rule(folder: Path) -> None:
    """Pass/fail, graded, lower is better, latency and cost, in the order of the file."""
    *criteria, worth = read(folder, WHOLE).experiments[0].plan.criteria

    assert [(c.name, c.measure, c.rule) for c in criteria] == [
        ("correct routing", Scored(score="app.flow:routed"), AtLeast(floor=0.85, target=0.9)),
        (
            "tone",
            Scored(score="app.scores:tone", graded=Graded(low=1, high=5, variance_guess=0.8)),
            AtLeast(floor=3, target=4),
        ),
        ("promises", Scored(score="app.flow:promised"), AtMost(ceiling=0.02, target=0.005)),
        ("within 4 s", Latency(within=timedelta(seconds=4)), AtLeast(floor=0.92, target=0.95)),
        ("cost", Cost(cap=Usd("0.02")), AtMost(ceiling=0.01, target=0.008)),
    ]
    assert worth.name == "worth"


def test_a_lead_is_measured_by_the_score_of_both(folder: Path) -> None:
    """Named after both where it has no name; its guess is about the difference."""
    lead = "low = 0\nhigh = 2\nvariance_guess = 3"
    pair = read(folder, PAIR).experiments[0].plan
    graded = read(
        folder,
        PAIR.replace('name = "beats the vendor"\n', "").replace(
            'score = "exact"\nlead', f'score = "tone"\n{lead}\nlead'
        ),
    )

    assert pair.criteria[1].name == "beats the vendor"
    assert pair.criteria[1].measure == Lead(over="vendor", scored=Scored(score="exact"))
    assert pair.criteria[1].rule == AtLeast(floor=0, target=0.05)
    assert [one.name for one in pair.criteria_of("vendor")] == ["exact"]
    [_, criterion] = graded.experiments[0].plan.criteria
    assert criterion.name == "tone, lead over vendor"
    assert criterion.measure == Lead(
        over="vendor",
        scored=Scored(score="app.flow:tone", graded=Graded(low=0, high=2)),
        variance_guess=3,
    )


def test_a_lead_beside_worth_needs_no_other_criterion(folder: Path) -> None:
    """The other candidate is judged by what it is worth."""
    free = PAIR.replace("[[prove.criteria]]\n" + RULE, "", 1)
    free = free.replace("[prove]", '[prove]\nprice_per_call = "0 USD"')
    worth = '[prove.worth]\nvalue_per_success = "1 USD"\nloss_per_error = "6 USD"\n'

    plan = read(folder, f'{free}price_per_call = "0 USD"\n{worth}').experiments[0].plan

    assert [one.name for one in plan.criteria_of("vendor")] == ["worth"]


@pytest.mark.parametrize(
    ("old", "new", "at", "problem", "fix"),
    [
        (
            '"vendor"',
            '"vendo"',
            "lead_over",
            'there is no candidate "vendo" to lead over',
            'lead_over = "vendor"',
        ),
        (
            '"vendor"',
            '"workflow"',
            "lead_over",
            "leads over the workflow itself",
            'lead_over = "vendor"',
        ),
        ('"vendor"', '""', "lead_over", 'there is no candidate ""', 'lead_over = "vendor"'),
        ('"vendor"', "3", "lead_over", "lead_over must be a text", 'lead_over = "vendor"'),
        (
            '[prove.candidates.vendor]\nentry = "app.flow:vendor"\n',
            "",
            "lead_over",
            "there is no candidate",
            "[prove.candidates.vendor]",
        ),
        (
            'score = "exact"\nlead',
            'latency = "4 s"\nlead',
            "lead_over",
            "lead_over does not go with latency",
            "remove lead_over",
        ),
        (
            'score = "exact"\nlead',
            "cost = true\nlead",
            "lead_over",
            "lead_over does not go with cost",
            "remove lead_over",
        ),
        (
            "floor = 0\ntarget = 0.05",
            "ceiling = 0\ntarget = -0.05",
            "ceiling = 0",
            "takes a floor, not a ceiling",
            "floor = 0",
        ),
        ("target = 0.05", "target = 5", "target = 5", "between -1 and 1", "target = 0.05"),
        ("floor = 0\n", "floor = -1\n", "floor = -1", "between -1 and 1", "floor = 0.05"),
        (
            "target = 0.05",
            "target = 0.05\nvariance_guess = 1.1",
            "variance_guess",
            "cannot be the variance of values from -1 to 1",
            "variance_guess = 0.25",
        ),
        (
            "target = 0.05",
            "target = 0.05\nlow = 0",
            "low = 0",
            "needs both low and high",
            "low = 0",
        ),
    ],
)
def test_a_lead_that_cannot_be_is_named(
    folder: Path, *, old: str, new: str, at: str, problem: str, fix: str
) -> None:
    text = PAIR.replace(old, new)

    mistake = refused(folder, text)

    assert mistake.message.startswith(f"proveout.toml:{line_of(at, text)}: ")
    assert problem in mistake.message
    assert fix in mistake.fix


def test_leads_alone_are_refused(folder: Path) -> None:
    """Whoever leads may be bad all the same."""
    mistake = refused(folder, PAIR.replace("[[prove.criteria]]\n" + RULE, "", 1))

    assert "every criterion is a lead" in mistake.message
    assert "may still not be good enough" in (mistake.why or "")


def test_worth_is_one_more_criterion(folder: Path) -> None:
    """Floor 0; best, worst and target follow from what was declared."""
    worth = read(folder, WHOLE).experiments[0].plan.criteria[-1]

    assert worth.rule == AtLeast(floor=0, target=1.25)
    assert worth.measure == Worth(
        value_per_success=Usd("1.20"),
        loss_per_error=Usd(6),
        worst=Usd("-2.22"),
        best=Usd("5"),
        baseline=Baseline(minutes=6, person_hour=Usd(38)),
        volume_per_month=9120,
        fixed_cost_per_month=Usd(900),
    )


def test_the_bounds_of_worth_hold_what_cannot_be_written_in_full(folder: Path) -> None:
    """A third of a dollar is rounded away from the cases, so that none leaves the bounds."""
    text = WHOLE.replace("minutes = 6", "minutes = 10").replace('"38 USD"', '"20 USD"')

    measure = read(folder, text).experiments[0].plan.criteria[-1].measure

    assert isinstance(measure, Worth)
    assert measure.best == Usd("4.533334")
    assert measure.worst == Usd("-2.686667")


def test_worth_takes_bounds_and_a_target_of_its_own(folder: Path) -> None:
    own = '[prove.worth]\nworst = "-9 USD"\nbest = "$6"\ntarget = "0.50 USD"'

    worth = read(folder, WHOLE.replace("[prove.worth]", own)).experiments[0].plan.criteria[-1]

    assert isinstance(worth.measure, Worth)
    assert (worth.measure.worst, worth.measure.best) == (Usd(-9), Usd(6))
    assert worth.rule == AtLeast(floor=0, target=0.5)


def test_all_that_production_asks_for_is_kept(folder: Path) -> None:
    assert read(folder, WHOLE).production == ProductionSettings(
        profile="customer",
        peak=rate("40 per minute"),
        headroom=3,
        window=timedelta(weeks=6),
        objective=ObjectiveSettings(success=0.99, within=timedelta(minutes=1)),
        escalation=(
            EscalationTier(to="a", after=timedelta(0)),
            EscalationTier(to="b", after=timedelta(minutes=15)),
        ),
        support=SupportSettings(
            hours="Mon-Fri 9-17",
            first_answer=timedelta(hours=4),
            not_supported=("attachments",),
        ),
        policy=(EvidenceAge(claim="worker-loss", at_most=timedelta(days=14)),),
        runbook=folder / "RUNBOOK.md",
    )


def test_all_that_a_source_says_is_kept_and_no_secret(folder: Path) -> None:
    """A source names the variables of its secrets, two while one is being changed."""
    assert read(folder, WHOLE).sources == (
        SourceSettings(
            name="billing",
            scheme=Scheme.STRIPE,
            secret_env=("BILLING_SECRET",),
            types=("invoice.paid",),
            input="data.object",
        ),
        SourceSettings(
            name="code", scheme=Scheme.GITHUB, secret_env=("CODE_SECRET", "CODE_SECRET_OLD")
        ),
    )
    assert read(folder, SMALL).sources == ()


@pytest.mark.parametrize("listed", [False, True])
def test_a_secret_in_the_place_of_a_variable_is_refused_and_not_shown(
    folder: Path, listed: bool
) -> None:
    """The mistake names the line; whoever reads the log does not learn the secret."""
    secret = "whsec_" + "MfKQ9r8GKYqrTwjU"
    value = f'["BILLING_SECRET", "{secret}"]' if listed else f'"{secret}"'

    mistake = refused(folder, WHOLE.replace('"BILLING_SECRET"', value))

    assert "never the secret itself" in mistake.message
    assert mistake.line == line_of('secret_env = "BILLING_SECRET"', WHOLE)
    assert secret not in f"{mistake.message}{mistake.why}{mistake.fix}"


def test_a_workflow_that_proves_nothing_yet_may_still_run(folder: Path) -> None:
    found = read(folder, SMALL[: SMALL.index("[prove]")])

    assert found.experiments == ()
    assert found.production is None


def test_a_money_budget_reserves_the_dearest_price_where_there_is_no_cap(folder: Path) -> None:
    found = read(
        folder,
        WHOLE.replace('cap_per_call = "0.02 USD"', "").replace("cost = true", 'cost = "0.05 USD"'),
    )

    assert found.experiments[0].plan.budget.cap_per_call == Usd("0.01")


def test_the_file_knows_where_it_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is read from the working directory and kept as an absolute one."""
    read(folder, SMALL)
    monkeypatch.chdir(folder)

    found = settings.load(Path("proveout.toml"))

    assert found.path == folder / "proveout.toml"
    assert found.folder == folder
    assert found.experiments[0].dataset == folder / "cases.jsonl"


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(folder: Path) -> None:
    assert read(folder, "\ufeff" + SMALL.replace("\n", "\r\n")) == read(folder, SMALL)


def test_what_is_kept_and_for_how_long(folder: Path) -> None:
    """For ever, unless it is said; keys stay for longer than what they protect."""
    shop = '\n[sources.shop]\nscheme = "stripe"\nsecret_env = "SHOP"\n'
    said = SMALL.replace("[workflow]", '[workflow]\nretention = "90 days"') + shop

    silent, kept = read(folder, SMALL), read(folder, said)

    assert silent.keeping is None
    assert kept.keeping == Keeping(
        workflow="triage",
        sources=("shop",),
        payloads=timedelta(days=90),
        keys=timedelta(days=400),
    )


# What is refused: in SMALL, `old` becomes `new`; the line is that of `at`


@pytest.mark.parametrize(
    ("old", "new", "at", "problem"),
    [
        # keys and types
        ("floor = 0.85", "florr = 0.85", "florr", 'has no key "florr"; did you mean floor?'),
        ("[prove]", "[prov]", "[prov]", 'the file has no key "prov"; did you mean prove?'),
        ("[prove]", "[prove]\nlow = 1", "low =", "[prove] has no key"),
        ("[workflow]", "[workflow]\n'ÿ' = 1", "'ÿ'", 'no key "ÿ"'),
        ('time_box = "10 days"\n', "", "[prove]", "[prove] needs time_box"),
        ("[[prove.criteria]]", "[[prove.criterai]]", "[[prove.criterai]]", "mean criteria?"),
        ('name = "triage"\n', "", "[workflow]", "[workflow] needs name"),
        ('entry = "app.flow:triage"\n', "", "[workflow]", "[workflow] needs entry"),
        ('"10 days"', "10", "time_box", "time_box must be a duration in quotes, not 10"),
        ('"10 days"', "1979-05-27", "time_box", "not a date or time"),
        ("{ calls = 100 }", '{ calls = "many" }', "budget", 'a whole number, not "many"'),
        ("{ calls = 100 }", "{ calls = 1.5 }", "budget", "a whole number, not 1.5"),
        ("{ calls = 100 }", "{ calls = true }", "budget", "a whole number, not true"),
        ("{ calls = 100 }", "100", "budget", "budget must be a table, not 100"),
        ("floor = 0.85", 'floor = "85 %"', "floor", 'floor must be a number, not "85 %"'),
        ("floor = 0.85", "floor = true", "floor", "floor must be a number, not true"),
        ("[[prove.criteria]]", "[prove.criteria]", "[prove.criteria]", "a list of tables"),
        ("[workflow]", "[workflow]\ntesters = [\n'a',\n7]", "7]", "a list of texts, not 7"),
        (
            "[workflow]",
            "[workflow]\nretention = '90 days'\nkeys = '30 days'",
            "keys = ",
            "keys are kept for 30 days, and payloads for 90 days",
        ),
        (
            "[workflow]",
            "[workflow]\nretention = '500 days'",
            "retention",
            "keys are kept for 400 days, and payloads for 500 days",
        ),
        ("[workflow]", "[workflow]\nretention = '0 days'", "retention", "more than nothing"),
        # units
        ('"10 days"', '"4 parsecs"', "time_box", 'no unit of time is called "parsecs"'),
        ('"10 days"', '"0 days"', "time_box", "time_box must be more than nothing"),
        ("{ calls = 100 }", '{ money = "20 EUR" }', "budget", "in another currency: EUR"),
        ("{ calls = 100 }", '{ money = "-5 USD" }', "budget", "money $-5.00 is below nothing"),
        # numbers
        ("floor = 0.85", "floor = nan", "floor", "a finite number"),
        ("floor = 0.85", "floor = -inf", "floor", "a finite number"),
        ("floor = 0.85", "floor = 1e999", "floor", "a finite number"),
        ("floor = 0.85", f"floor = {'9' * 400}", "floor", "a number of enormous size"),
        ("[prove]", "[prove]\nwrong_go = 5", "wrong_go", "wrong_go 5 does not lie between 0 and 1"),
        ("[prove]", "[prove]\nwrong_no_go = 0", "wrong_no_go", "does not lie between 0 and 1"),
        ("[prove]", "[prove]\nconcurrency = 0", "concurrency", "must lie between 1 and"),
        # names and choices
        ('"triage"', '"my triage"', 'name = "my', '"my triage" cannot be a name'),
        ('"triage"', '"../x"', 'name = "..', '"../x" cannot be a name'),
        ('"triage"', '""', 'name = ""', '"" cannot be a name'),
        ('"triage"', '"tri\\nage"', 'name = "tri', "cannot be a name"),
        ('"app.flow:triage"', '"app.flow.triage"', "entry", "not of the form module:attribute"),
        ('"app.flow:triage"', '"app/flow.py:triage"', "entry", "not of the form"),
        ("[prove]", "[prove]\nclaim = 'this'", "claim", 'claim cannot be "this"'),
        ("[prove]", "[prove]\nclaim = ''", "claim", 'claim cannot be ""'),
        ("[prove]", "[prove]\nworth = 'no'", "worth", 'worth cannot be "no"'),
        # budget
        ("{ calls = 100 }", "{}", "budget", "budget limits neither calls nor money"),
        ("{ calls = 100 }", "{ calls = 0 }", "budget", "calls must lie between 1 and"),
        ("{ calls = 100 }", '{ money = "5 USD" }', "budget", "what a call can cost"),
        (
            "{ calls = 100 }",
            '{ money = "5 USD" }\ncap_per_call = "6 USD"',
            "budget",
            "one call may cost $6.00, more than the whole budget of $5.00",
        ),
        (
            "[prove]",
            '[prove]\ncap_per_call = "1 USD"\nprice_per_call = "2 USD"',
            "price_per_call",
            "price_per_call $2.00 is more than cap_per_call $1.00",
        ),
        # files
        ('"cases.jsonl"', '"no.jsonl"', "dataset", 'the dataset "no.jsonl" is not a file'),
        ('"cases.jsonl"', '"."', "dataset", "is not a file"),
        ('"cases.jsonl"', '"a\\u0000b"', "dataset", "is not a file"),
        ('"cases.jsonl"', f'"{"x" * 5000}"', "dataset", "is not a file"),
        # criteria
        ("target = 0.90", "", "[[prove.criteria]]", "[[prove.criteria]] needs target"),
        ("floor = 0.85", "", "[[prove.criteria]]", "criterion 1 has no floor or ceiling"),
        ("floor = 0.85", "floor = 0.85\nceiling = 1", "ceiling", "has both floor and ceiling"),
        ('score = "exact"', "", "[[prove.criteria]]", "criterion 1 has no measure"),
        ('score = "exact"', 'name = "a"', "[[prove.criteria]]", 'criterion "a" has no measure'),
        ("floor = 0.85", 'floor = 0.85\nlatency = "1 s"', "latency", "has both score and latency"),
        ("target = 0.90", "target = 0.8", "target", "target 0.8 lies below its floor 0.85"),
        ("target = 0.90", "target = 0.8500000001", "target", "is too close to its floor 0.85"),
        ("target = 0.90", "target = 0.85", "target", "target 0.85 equals its floor 0.85"),
        ("floor = 0.85", "ceiling = 0.85", "target", "target 0.9 lies above its ceiling 0.85"),
        ("floor = 0.85", "floor = 85", "floor", "floor 85 does not lie between 0 and 1"),
        ("floor = 0.85", "floor = 0", "floor", "floor 0 does not lie between 0 and 1"),
        ("target = 0.90", "target = 1", "target", "target 1 does not lie between 0 and 1"),
        (RULE, f"{TONE}\nfloor = 0.85\ntarget = 3", "target", "between 0 and 2"),
        (RULE, f"{TONE}\nfloor = 0\ntarget = 0.9", "floor", "between 0 and 2"),
        (
            "floor = 0.85",
            "floor = 0.85\nlow = 0",
            "low = 0",
            "has low, and needs both low and high",
        ),
        ("floor = 0.85", "floor = 0.85\nlow = 2\nhigh = 1", "high", "high 1 must lie above low 2"),
        ("floor = 0.85", "floor = 0.85\nvariance_guess = 1", "variance", "both low and high"),
        (
            "floor = 0.85",
            "floor = 0.85\nlow = 0\nhigh = 2\nvariance_guess = 1.1",
            "variance_guess",
            "variance_guess 1.1 cannot be the variance of values from 0 to 2",
        ),
        ('"exact"', '"exakt"', "score", 'no score is called "exakt"'),
        ('"exact"', '"my score"', "score =", 'no score is called "my score"'),
        ('"exact"', '"a b:c"', "score", "not of the form module:attribute"),
        ('"exact"', '"exact"\nname = ""', 'name = ""', '"" cannot be the name of a criterion'),
        (SMALL[SMALL.index("[[") :], "criteria = []", "criteria = []", "criteria is empty"),
        (SMALL[SMALL.index("[prove") :], "[[prove]]", "[[prove]]", "[prove] needs dataset"),
        ('"exact"', '"exact"\nname = "worth"', 'name = "worth"', 'cannot be called "worth"'),
        ('score = "exact"', 'latency = "1 s"\nlow = 0', "low =", "low does not go with latency"),
        # scores that come with Proveout
        ('"exact"', '"exact"\nlow = 0\nhigh = 1', "low =", "low does not go with exact"),
        ('"exact"', '"set recall"\nlow = 0\nhigh = 1', "low =", "does not go with set recall"),
        ('"exact"', '"exact"\ntolerance = 1', "tolerance", "tolerance does not go with exact"),
        ('"exact"', '"routed"\nfield = "team"', "field", "field does not go with app.flow:routed"),
        ('"exact"', '"exact"\njudge = true', "judge", "judge does not go with exact"),
        ('"exact"', '"exact"\nlabels = 0.5', "labels", "labels does not go with exact"),
        ('"exact"', '"routed"\nlabels = 0.5', "labels", "its score is no judge"),
        ('"exact"', '"routed"\njudge = false\nlabels = 1', "labels", "its score is no judge"),
        ('"exact"', '"routed"\njudge = 1', "judge", "judge must be true or false, not 1"),
        (
            '"exact"',
            '"routed"\njudge = true\nlabels = 0',
            "labels",
            "labels 0 does not lie above 0",
        ),
        ('"exact"', '"routed"\njudge = true\nlabels = 25', "labels", "labels 25 does not lie"),
        ('"exact"', '"routed"\njudge = true\nlabels = true', "labels", "labels must be a number"),
        ('score = "exact"', 'latency = "1 s"\njudge = true', "judge", "does not go with latency"),
        # decisions of people
        ('"exact"', '"accepted unedited"\njudge = true', "judge", "does not go with accepted"),
        ('"exact"', '"accepted unedited"\nlabels = 0.5', "labels", "does not go with accepted"),
        ('"exact"', '"accepted unedited"\nlow = 0\nhigh = 1', "low =", "does not go with accepted"),
        ('"exact"', '"accepted unedited"\nfield = "a"', "field", "does not go with accepted"),
        ('"exact"\nfloor', '"accepted unedited"\nceiling', "ceiling", "does not go with accepted"),
        ('"exact"', '"accepted unedted"', "score", 'no score is called "accepted unedted"'),
        ('"exact"', '"choice"', "[[prove.criteria]]", "the score choice needs choices"),
        ('"exact"', '"choice"\nchoices = ["a"]', "choices", "choices are at least two"),
        ('"exact"', '"choice"\nchoices = ["a", "A "]', "choices", "choices are at least two"),
        ('"exact"', '"pattern"', "[[prove.criteria]]", "the score pattern needs pattern"),
        ('"exact"', '"pattern"\npattern = "("', "pattern =", "pattern is no regular expression"),
        ('"exact"', '"number"\ntolerance = "2 m"', "tolerance", "'2 m' is no tolerance"),
        ('"exact"', '"number"\ntolerance = -1', "tolerance", "-1.0 is no tolerance"),
        ('"exact"', '"number"\ntolerance = [1]', "tolerance", "must be a number or a percentage"),
        ('score = "exact"', 'latency = "1 s"\nfield = "a"', "field", "does not go with latency"),
        # measures other than scores
        ('score = "exact"\nfloor', 'latency = "1 s"\nceiling', "ceiling", "takes a floor, not a"),
        ('score = "exact"', "cost = false", "cost", "cost cannot be false"),
        ('score = "exact"', "cost = 1", "cost", "cost must be true, or money in quotes, not 1"),
        ('score = "exact"', "cost = true", "cost", "measures cost without a cap"),
        ('score = "exact"', 'cost = "1 USD"', "cost", "candidate workflow has no price_per_call"),
        # not in this version
        ("[prove]", "[prove]\nestimand = 'per cat'", "estimand", 'estimand cannot be "per cat"'),
        ("[prove]", "[prove]\npick = 'all'", "pick", 'pick cannot be "all"'),
        # candidates
        ("[prove]", "[prove.candidates.b]\nrate = 1\n[prove]", "rate", "rate is not supported in"),
        ("[prove]", "[prove.candidates.b]\n[prove]", "[prove.candidates.b]", "b has nothing that"),
        (
            "[prove]",
            "[prove.candidates.'b c']\nentry = 'a:b'\n[prove]",
            "[prove.candidates.'b c']",
            '"b c" cannot be a name',
        ),
        (
            "[prove]",
            "[prove.candidates.workflow]\nentry = 'a:b'\n[prove]",
            "[prove.candidates.workflow]",
            "a candidate cannot be called workflow",
        ),
        # production
        ("[prove]", "[production]\nprofile = 'x'\n[prove]", "profile", 'profile cannot be "x"'),
        ("[prove]", "[production]\npeak = '4'\n[prove]", "peak", 'peak "4" is not a rate'),
        ("[prove]", "[production]\npeak = '0 per day'\n[prove]", "peak", "more than nothing"),
        ("[prove]", "[production]\nheadroom = -1\n[prove]", "headroom", "more than 0, and is -1"),
        ("[prove]", "[production]\npolicy = {a = '3'}\n[prove]", "policy", "its unit is missing"),
        ("[prove]", "[production]\nrunbook = 'no.md'\n[prove]", "runbook", '"no.md" is not a file'),
        # files and sources
        ("[prove]", "files = ['../x']\n[prove]", "files", 'files cannot name "../x"'),
        ("[prove]", "files = ['/etc/**']\n[prove]", "files", "files cannot name"),
        ("[prove]", "files = ['']\n[prove]", "files", 'files cannot name ""'),
        (
            "[prove]",
            "[sources.a]\nscheme = 'paypal'\nsecret_env = 'A'\n[prove]",
            "scheme",
            'scheme cannot be "paypal"',
        ),
        (
            "[prove]",
            "[sources.a]\nscheme = 'github'\nsecret_env = []\n[prove]",
            "secret_env",
            "secret_env names no variable",
        ),
        (
            "[prove]",
            "[sources.a]\nscheme = 'github'\nsecret_env = 'A'\ninput = 'a..b'\n[prove]",
            "input",
            'input "a..b" is no path into the body',
        ),
        (
            "[prove]",
            "[sources.a]\nscheme = 'github'\nsecret = 'A'\n[prove]",
            "secret",
            "did you mean secret_env?",
        ),
        (
            "[prove]",
            "[production]\nescalation = [\n{to = 'a', after = '1 h'},\n{to = 'b'}]\n[prove]",
            "{to = 'b'}",
            '"b" is told before the tier above it',
        ),
    ],
)
def test_a_line_that_cannot_be_is_named(
    folder: Path, old: str, new: str, at: str, problem: str
) -> None:
    """The message starts with file and line, and says what is wrong in its own words."""
    assert SMALL.count(old) == 1
    text = SMALL.replace(old, new)

    mistake = refused(folder, text)

    assert isinstance(mistake, Mistake)
    assert mistake.code == "settings"
    assert mistake.message.startswith(f"proveout.toml:{line_of(at, text)}: ")
    assert problem in mistake.message


VENDOR = "[prove.candidates.vendor]\n"
URL = VENDOR + 'url = "https://vendor.example/a"\n'


def candidate(folder: Path, text: str) -> Candidate:
    (folder / "answers.jsonl").write_text('{"id": "1", "output": 1}\n')
    return read(folder, SMALL + text).experiments[0].plan.candidates[1]


def test_a_candidate_may_answer_elsewhere(folder: Path) -> None:
    """An address, a command or a file, with what goes with it."""
    url = 'url = "http://Localhost:8000/a?b=c"\nallow_private = ["localhost"]\n'
    more = 'headers_env = { Authorization = "KEY" }\ntimeout = "20 s"\nprice_per_call = "1 USD"\n'

    over_http = candidate(folder, VENDOR + url + more)
    command = candidate(folder, VENDOR + 'command = ["./answer", "--flag"]\nreuse = true\n')
    answers = candidate(folder, VENDOR + 'answers = "answers.jsonl"\n')

    assert over_http == Candidate(
        name="vendor",
        entry=Endpoint(
            url="http://Localhost:8000/a?b=c",
            headers_env=(("Authorization", "KEY"),),
            timeout=timedelta(seconds=20),
            allow_private=("localhost",),
        ),
        price_per_call=Usd(1),
    )
    assert command.entry == Command(words=("./answer", "--flag"), timeout=timedelta(minutes=1))
    assert answers.entry == AnswersFile(file="answers.jsonl")
    assert [one.is_exploratory for one in (over_http, command, answers)] == [False, False, True]
    assert [one.is_reusable for one in (over_http, command, answers)] == [False, True, False]


def test_a_release_remembers_a_file_of_answers_that_is_gone(folder: Path) -> None:
    """What was kept with a release is read wherever it stands."""
    text = SMALL + VENDOR + 'answers = "gone.jsonl"\n'

    stored = settings.load_stored(text.encode(), folder / "proveout.toml")

    assert stored.experiments[0].plan.candidates[1].entry == AnswersFile(file="gone.jsonl")


@pytest.mark.parametrize(
    ("text", "at", "problem"),
    [
        (URL + "entry = 'a:b'", "url =", "the candidate vendor has both entry and url"),
        (URL + "command = ['a']", "command", "has both url and command"),
        (VENDOR + "entry = 'a:b'\ntimeout = '1 s'", "timeout", "timeout does not go with entry"),
        (VENDOR + "command = ['a']\nallow_private = []", "allow_private", "go with command"),
        (VENDOR + "entry = 'a:b'\nreuse = true", "reuse", "reuse does not go with entry"),
        (VENDOR + "command = ['a']\nheaders_env = {}", "headers_env", "not go with command"),
        (URL + "timeout = '0 s'", "timeout", "timeout must be more than nothing"),
        (URL + "timeout = 20", "timeout", "timeout must be a duration in quotes, not 20"),
        (URL + "headers = { a = 'b' }", "headers", "headers is not supported in this version"),
        # addresses
        (VENDOR + "url = ''", "url", 'url "" is no address to post to'),
        (VENDOR + "url = 'ftp://a.example'", "url", "is no address to post to"),
        (VENDOR + "url = 'https:/a'", "url", "is no address to post to"),
        (VENDOR + "url = 'https://a.example:x'", "url", "is no address to post to"),
        (VENDOR + "url = 'https://a.example:99999'", "url", "is no address to post to"),
        (VENDOR + "url = 'https://[a.example'", "url", "is no address to post to"),
        (VENDOR + "url = 'https://a.example/a b'", "url", "is no address to post to"),
        (VENDOR + "url = 'https://ä.example'", "url", "is no address to post to"),
        (VENDOR + "url = 'https://a.example/#b'", "url", "is no address to post to"),
        (VENDOR + f"url = 'https://a.example/{'a' * 2000}'", "url", "is no address to post to"),
        (VENDOR + "url = 'https://me:hush@a.example'", "url", "not hold a user or a password"),
        (URL + "allow_private = ['b.example']", "allow_private", 'names "b.example", and url'),
        (URL + "allow_private = 'a'", "allow_private", "must be a list of texts"),
        # headers
        (URL + "headers_env = 'KEY'", "headers_env", "a table of names of variables in quotes"),
        (URL + "headers_env = { 'a b' = 'K' }", "headers_env", 'headers_env cannot set "a b"'),
        (URL + "headers_env = { Host = 'K' }", "headers_env", 'headers_env cannot set "Host"'),
        (URL + "headers_env = { A = 'K', a = 'K' }", "headers_env", 'headers_env sets "a" twice'),
        (URL + "headers_env = { A = 1 }", "headers_env", "in quotes, not 1"),
        (
            VENDOR + "url = 'http://a.example'\nheaders_env = { A = 'K' }",
            "url",
            "headers_env over http would show its secrets",
        ),
        # commands and files
        (VENDOR + "command = []", "command", "command names no program"),
        (VENDOR + "command = ['']", "command", "command names no program"),
        (VENDOR + "command = 'answer'", "command", "must be a list of texts"),
        (VENDOR + 'command = ["a", "\\u0000"]', "command", "command names no program"),
        (VENDOR + "answers = 'no.jsonl'", "answers", '"no.jsonl" is not a file'),
        (VENDOR + "answers = ''", "answers", '"" is not a file'),
    ],
)
def test_a_candidate_that_cannot_be_is_named(
    folder: Path, text: str, at: str, problem: str
) -> None:
    text = SMALL + text

    mistake = refused(folder, text)

    assert mistake.message.startswith(f"proveout.toml:{line_of(at, text)}: ")
    assert problem in mistake.message
    assert mistake.fix


@pytest.mark.parametrize(
    "text",
    [
        URL + 'headers_env = { Authorization = "Bearer sk-hush" }',
        VENDOR + 'url = "https://me:sk-hush@vendor.example"',
    ],
)
def test_a_secret_in_a_candidate_is_not_shown(folder: Path, text: str) -> None:
    mistake = refused(folder, SMALL + text)

    assert "hush" not in f"{mistake} {mistake.why} {mistake.fix}"


def test_the_time_of_answers_from_a_file_is_not_judged(folder: Path) -> None:
    """They take none, so that every such criterion would be met."""
    (folder / "answers.jsonl").write_text('{"id": "1", "output": 1}\n')
    late = '[[prove.criteria]]\nlatency = "4 s"\nfloor = 0.9\ntarget = 0.95\n'
    text = SMALL + late + VENDOR + 'answers = "answers.jsonl"\n'

    mistake = refused(folder, text)

    assert mistake.line == line_of("latency", text) - 1
    assert "the time of candidate vendor cannot be judged" in mistake.message


@pytest.mark.parametrize(
    ("old", "new", "at", "problem"),
    [
        ('name = "second"', 'name = "Reply-V3"', 'name = "Reply-V3"', 'are called "reply-v3"'),
        ('name = "tone"', 'name = "promises"', None, 'two criteria are called "promises"'),
        ("target = 4", "target = 2", "target = 2", "target 2 lies below its floor 3"),
        ('"0.01 USD"\ntarget', '"0.02 USD"\ntarget', 'ceiling = "0.02', "and the cap $0.02"),
        ('"0.01 USD"\ntarget', '"1 EUR"\ntarget', 'ceiling = "1 EUR"', "in another currency"),
        (
            "cost = true",
            'cost = "0.001 USD"',
            'cost = "0.001',
            "costs $0.004, more than the cap $0.001",
        ),
        ('ceiling = "0.01 USD"', "floor = 0.01", "floor = 0.01", "takes a ceiling, not a floor"),
        ('"6 USD"', '"0.1 USD"', "[prove.worth]", "a case cannot lose: its worst is $3.68"),
        ('"6 USD"', '"-6 USD"', "loss_per_error", "loss_per_error $-6.00 is below nothing"),
        ("[prove.worth]", '[prove.worth]\nbest = "4 USD"', "best =", "is worse than the best case"),
        ("[prove.worth]", '[prove.worth]\nworst = "-1 USD"', "worst =", "better than the worst"),
        (
            "[prove.worth]",
            '[prove.worth]\ntarget = "5 USD"',
            'target = "5',
            "between $0.00 and best",
        ),
        ("[prove.worth]", '[prove.worth]\ntarget = "-1 USD"', 'target = "-1', "between $0.00 and"),
        ('"6 USD"', '"9999999999 USD"', "[prove.worth]", "are too far apart in size"),
        ("minutes = 6, ", "", "baseline", "[prove.worth.baseline] needs minutes"),
        ('"300 per day"', '"300"', "volume", 'volume "300" is not a rate'),
        ('"900 USD per month"', '"900 USD"', "fixed_cost", "is not a rate of money"),
    ],
)
def test_a_mistake_in_the_whole_file_is_named(
    folder: Path, old: str, new: str, at: str | None, problem: str
) -> None:
    """The n-th criterion and the n-th experiment have lines of their own."""
    assert WHOLE.count(old) == 1
    text = WHOLE.replace(old, new)

    mistake = refused(folder, text)

    assert problem in mistake.message
    if at is not None:
        assert mistake.line == line_of(at, text)


def test_the_second_of_two_criteria_of_one_name_is_blamed(folder: Path) -> None:
    mistake = refused(folder, WHOLE.replace('name = "tone"', 'name = "promises"'))

    assert mistake.line == line_of('name = "promises"\nscore = "promised"', WHOLE)
    assert "line 35" in mistake.why


def test_experiments_without_names_cannot_be_two(folder: Path) -> None:
    """Both would be called after the workflow, and write over each other."""
    text = SMALL.replace("[prove]", "[[prove]]") + SMALL[SMALL.index("[prove]") :].replace(
        "[prove]", "[[prove]]"
    )

    assert 'two experiments are called "triage"' in refused(folder, text).message


def test_a_worth_without_a_price_is_refused(folder: Path) -> None:
    """What calls cost is taken off; counting an unknown cost as nothing would flatter."""
    worth = '[prove.worth]\nvalue_per_success = "1 USD"\nloss_per_error = "1 USD"\n'

    mistake = refused(folder, SMALL + worth)

    assert mistake.line == line_of("[prove.worth]", SMALL + worth)
    assert "worth takes off what calls cost" in mistake.message


@pytest.mark.parametrize(
    ("text", "why", "fix"),
    [
        (SMALL.replace("floor =", "florr ="), "it takes name, score, field", "floor = 0.85"),
        (SMALL.replace("10 days", "4 parsecs"), "units are ms, s, min, h", 'time_box = "4 s"'),
        (SMALL.replace("cases.jsonl", "no.jsonl"), "no.jsonl", "proveout init NAME"),
        (SMALL.replace("flow:tri", "flow.tri"), "a colon", 'entry = "app.flow:triage"'),
        (SMALL.replace("floor = 0.85", "floor = 85"), "85 % is 0.85", "floor = 0.85"),
        (SMALL.replace("= 0.90", "= 0.8"), "above the floor", "target = 0.85"),
        (SMALL.replace("calls = 100", 'money = "5 USD"'), "cap_per_call", "cap_per_call ="),
        (SMALL.replace("[prove]", "[prove]\nfloor = 1"), "it takes", "[[prove.criteria]]"),
    ],
)
def test_a_mistake_says_why_and_what_to_write(folder: Path, text: str, why: str, fix: str) -> None:
    mistake = refused(folder, text)

    assert why in mistake.why
    assert any(fix in each for each in mistake.fix)


# The file itself


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[workflow\n", "proveout.toml:1: not valid TOML: Expected ']' at the end of a table"),
        (SMALL + "x = \n", "proveout.toml:14: not valid TOML: Invalid value"),
        (SMALL + SMALL, "proveout.toml:14: not valid TOML: Cannot declare"),
        ('a = 1\nb = """\nend', "proveout.toml:3: not valid TOML: Unterminated string"),
        ("", "proveout.toml: the file is empty"),
        ("\n  \n", "proveout.toml: the file is empty"),
        ("prove = 1\n", "proveout.toml:1: the file needs workflow"),
        ("# nothing yet\n", "proveout.toml:1: the file needs workflow"),
        (b"[workflow]\nname = '\xff'\n", "proveout.toml:2: not UTF-8"),
        ("#" * 1024 * 1024 + "\n", "proveout.toml: larger than 1 MiB"),
        ("a = " + "[" * 100_000, "proveout.toml: tables or lists are nested too deeply"),
        ("a = " + "9" * 5000, "proveout.toml: a number has too many digits"),
    ],
)
def test_a_file_that_is_not_settings_is_refused(
    folder: Path, content: str | bytes, message: str
) -> None:
    assert refused(folder, content).message.startswith(message)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """No file, a folder and an impossible path are told apart."""
    with pytest.raises(SettingsMistake) as missing:
        settings.load(tmp_path / "proveout.toml")
    with pytest.raises(SettingsMistake) as directory:
        settings.load(tmp_path)
    with pytest.raises(SettingsMistake):
        settings.load(Path("nul\0byte"))
    with pytest.raises(SettingsMistake):
        settings.load(tmp_path / ("x" * 5000))

    assert missing.value.message == "proveout.toml: no such file"
    assert missing.value.fix == ("proveout init NAME",)
    assert directory.value.message.endswith("a folder, not a file")


pieces = st.sampled_from(
    [
        *SMALL.splitlines(),
        *WHOLE.splitlines(),
        "[prove.worth]",
        "[[prove]]",
        "[production]",
        'cost = "1 USD"',
        "budget = {}",
        "prove = []",
        "workflow = 1",
    ]
)
swapped = st.tuples(
    st.sampled_from([line.partition("=")[2] for line in WHOLE.splitlines() if "=" in line]),
    st.sampled_from(
        ["nan", "-1", "0", "true", '""', "[]", "{}", "[[]]", "1979-05-27", "1e300", '"\\u0000"']
    ),
).map(lambda pair: WHOLE.replace(f"={pair[0]}\n", f"= {pair[1]}\n"))


@given(
    st.binary(max_size=60)
    | swapped.map(str.encode)
    | st.lists(pieces, max_size=20).map("\n".join).map(str.encode)
    | st.tuples(st.sampled_from([SMALL, WHOLE]), st.text(max_size=5), st.integers(0, 2000)).map(
        lambda t: (t[0][: t[2]] + t[1] + t[0][t[2] :]).encode()
    )
)
def test_any_bytes_are_settings_or_a_mistake(folder: Path, content: bytes) -> None:
    """Whatever stands in the file, nothing but a mistake that names the file is raised."""
    try:
        found = read(folder, content)
    except Mistake as mistake:
        found = mistake

    if isinstance(found, Mistake):
        assert found.code == "settings"
        assert found.message.startswith("proveout.toml:")
    else:
        assert found.workflow.name


def test_reading_settings_loads_nothing_heavy() -> None:
    """`proveout --help` must answer in 150 ms; validation libraries alone take longer."""
    code = (
        "import sys, proveout.faces.settings, proveout.faces.dataset_file\n"
        "print(*{'pydantic', 'rich', 'jinja2', 'asyncio', 'structlog'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == ""
