"""People at the console of a real server, in a real browser."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from pyotp.totp import TOTP

from doubles.town import PHRASE, open_town
from journeys.browser import PHONE, faults, overflow, unfold
from journeys.person import DESK
from proveout.faces.second_factor import PERIOD

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from doubles.town import Town

pytestmark = pytest.mark.journey


def is_of_a_form(answer: Any) -> bool:
    """Whether a server answered a form."""
    return answer.request.method == "POST"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Generator[Town]:
    """Return a proof of concept that was just begun, and is served."""
    town = open_town(tmp_path_factory.mktemp("trial"))
    town.serve()
    yield town
    town.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Generator[Town]:
    """Return a workflow in production on its second release, with a person of each role."""
    town = open_town(tmp_path_factory.mktemp("live"))
    for name, role in (
        ("ana", "owner"),
        ("ben", "operator"),
        ("cleo", "reviewer"),
        ("dora", "viewer"),
    ):
        town.add(name, role)
    town.promote()
    town.change("\n# the second release\n")
    town.run("prove")
    town.promote()
    town.serve()
    yield town
    town.close()


def test_the_first_owner_walks_from_the_link_to_a_finished_run(
    trial: Town, come: Callable[..., Any]
) -> None:
    """Welcome, overview, runs, a review that is edited, the run that goes on, readiness."""
    with come(trial) as ana:
        ana.open(f"/welcome/{trial.welcome}")
        ana.page.get_by_label("Name").fill("ana")
        ana.page.get_by_label("Password", exact=True).fill(PHRASE)
        ana.page.get_by_label("Password, once more").fill(PHRASE)
        ana.press("Begin")
        assert "first owner" in ana.said()
        assert "A proof of concept" in ana.page.inner_text("main")
        assert ana.page.get_by_text("No runs yet").is_visible()

        run = trial.ask("Ana")
        ana.open("/runs")
        ana.page.get_by_role("link", name=run).click()
        ana.wait_for("waits for a person")
        assert ana.page.get_by_role("button", name="Cancel run").is_visible()

        ana.page.get_by_role("navigation", name="Main").get_by_role("link", name="Review").click()
        ana.page.get_by_role("link", name="Dear Ana").click()
        ana.page.locator("summary", has_text="Edit").click()
        ana.page.get_by_label("The text that goes out instead").fill("Dear Ana,\n\nit is here.")
        ana.press("Approve this edit")
        assert "Your edit is approved" in ana.said()
        assert ana.page.get_by_text("edited and approved").first.is_visible()
        ana.open(f"/runs/{run}")
        ana.wait_for("succeeded")

        ana.open("/readiness")
        readiness = ana.page.inner_text("main")
        ana.open("/releases")
        assert ana.page.get_by_text("No releases yet").is_visible()
    assert trial.shown(run)["result"] == "Dear Ana,\n\nit is here."
    assert "proveout drill worker-loss" in readiness
    assert "Blocked by" in readiness


def test_an_operator_takes_a_release_back_and_stops_everything(
    live: Town, come: Callable[..., Any]
) -> None:
    """Rollback, halt and resume, each told on the page and kept by name; then out."""
    with come(live, "ben") as ben:
        assert "r2 serves everything" in ben.page.inner_text("main")
        ben.page.get_by_role("radio", name="park").check()
        ben.press("Roll back to r1")
        assert ben.heading() == "Releases"
        assert "parked" in ben.said()
        assert ben.page.get_by_text("r1 takes all new runs").is_visible()

        ben.page.locator("summary", has_text="Halt the workflow").click()
        ben.page.get_by_label("Why").fill("refunds go out twice")
        ben.press("Halt")
        assert ben.page.get_by_text("refunds go out twice").is_visible()
        ben.press("Resume")
        assert "Resumed" in ben.said()
        assert ben.page.get_by_text("Halted by").count() == 0

        ben.open("/ledger")
        ledger = ben.page.inner_text("main")
        ben.press("Sign out")
        assert ben.heading() == "Sign in"
        ben.open("/runs?state=DEAD")
        assert ben.page.url.endswith("/login?back=%2Fruns%3Fstate%3DDEAD")
        ben.page.get_by_label("Name").fill("ben")
        ben.page.get_by_label("Password").fill(PHRASE)
        ben.press("Sign in")
        assert ben.page.url.endswith("/runs?state=DEAD")
    acts = [line for line in ("roll back", "halt", "resume") if line in ledger]
    assert acts == ["roll back", "halt", "resume"]
    assert "ben" in ledger


def test_a_failed_run_is_replayed_from_its_page(live: Town, come: Callable[..., Any]) -> None:
    """The new run stands there at once, on the same input."""
    old = live.ask("Eve", text="explode", ask=False)
    with come(live, "ben") as ben:
        ben.open(f"/runs/{old}")
        ben.wait_for("the model did not answer")

        ben.press("Replay")

        new = ben.page.url.rpartition("/")[2]
        assert "same input" in ben.said()
    assert new != old
    assert live.shown(new)["input"] == live.shown(old)["input"]


def test_a_viewer_sees_everything_and_changes_nothing(live: Town, come: Callable[..., Any]) -> None:
    """What a viewer may not do says so beside the button, and is refused when it is forged."""
    run = live.ask("Fay")
    with come(live, "dora") as dora:
        dora.open(f"/runs/{run}")
        dora.wait_for("waits for a person")
        assert dora.page.get_by_text("This asks for the role operator").is_visible()
        dora.open("/reviews")
        dora.page.get_by_role("link", name="Dear Fay").first.click()
        review = dora.page.url.rpartition("/")[2]
        button = dora.page.get_by_role("button", name="Approve", exact=True)
        assert button.get_attribute("aria-disabled") == "true"
        assert dora.page.locator("form[action$=decide] button[type=submit]").count() == 0

        forged = {
            f"/reviews/{review}/decide": {"decision": "reject", "reason": "no"},
            f"/runs/{run}/cancel": {},
            f"/runs/{run}/replay": {},
            "/rollback": {"treatment": "cancel"},
            "/halt": {},
            "/resume": {},
            "/promote": {"release": "x"},
        }
        answers = {path: dora.forge(path, **form) for path, form in forged.items()}
        assert {answer.status for answer in answers.values()} == {403}
        assert "dora may not operate" in answers["/rollback"].text()
    assert live.shown(run)["state"] == "WAITING"


def test_a_form_without_its_token_is_refused(live: Town, come: Callable[..., Any]) -> None:
    """Taken out or changed in the page; the negative control goes through."""
    live.ask("Gil")
    with come(live, "cleo") as cleo:
        cleo.open("/reviews")
        cleo.wait_for("Dear Gil")
        cleo.page.get_by_role("link", name="Dear Gil").first.click()
        review = cleo.page.url
        for change in ("one.remove()", "one.value = 'x'.repeat(43)"):
            cleo.page.evaluate(f"document.querySelectorAll('[name=csrf]').forEach(one => {change})")
            cleo.press("Approve")
            cleo.page.get_by_text("forged-form").wait_for()
            cleo.page.goto(review)
        cleo.press("Approve")
        assert "Approved" in cleo.said()


def test_who_decides_second_is_shown_what_happened(live: Town, come: Callable[..., Any]) -> None:
    """409: the decision that counts, by whom, and the review as it stands now."""
    live.ask("Hal")
    with come(live, "cleo") as cleo, come(live, "ana") as ana:
        cleo.open("/reviews")
        cleo.wait_for("Dear Hal")
        cleo.page.get_by_role("link", name="Dear Hal").first.click()
        ana.page.goto(cleo.page.url)

        ana.press("Approve")
        with cleo.page.expect_response(is_of_a_form) as late:
            cleo.press("Approve")

        assert late.value.status == 409
        assert cleo.page.get_by_text("Your decision was not taken").is_visible()
        assert "approved by ana" in cleo.page.get_by_role("alert").inner_text()
        assert cleo.page.get_by_role("button", name="Approve", exact=True).count() == 0


def test_an_address_decides_nothing(live: Town, come: Callable[..., Any]) -> None:
    """Whatever stands in it, opening it is looking."""
    run = live.ask("Ida")
    with come(live, "ana") as ana:
        ana.open("/reviews")
        ana.wait_for("Dear Ida")
        ana.page.get_by_role("link", name="Dear Ida").first.click()
        digest = ana.page.locator("input[name=digest]").first.get_attribute("value")
        fields = f"decision=approve&digest={digest}&csrf={ana.csrf()}"

        ana.page.goto(f"{ana.page.url}?{fields}")
        looked = ana.page.get_by_role("button", name="Approve", exact=True).is_visible()
        ana.page.goto(f"{ana.page.url.partition('?')[0]}/decide?{fields}")

        assert looked
        assert ana.page.get_by_text("405").first.is_visible()
    assert live.shown(run)["state"] == "WAITING"


def test_a_person_sets_a_second_factor_up_and_comes_in_by_it(
    live: Town, come: Callable[..., Any]
) -> None:
    """By the secret that the page shows; whoever has the machine drops what was lost."""
    live.add("nina", "reviewer")
    with come(live, "nina") as nina:
        nina.open("/account")
        nina.page.get_by_role("link", name="Set one up").click()
        app = TOTP(nina.page.locator(".secret").inner_text().replace(" ", ""))
        nina.page.get_by_label("Current password").fill(PHRASE)
        nina.page.get_by_label("Code that the app shows now").fill(app.now())
        nina.press("Ask for codes from now on")
        said = nina.said()
        nina.press("Sign out")

        nina.page.get_by_label("Name").fill("nina")
        nina.page.get_by_label("Password").fill(PHRASE)
        nina.press("Sign in")
        asked = nina.heading()
        # The code by which it was set up was used; apps of other clocks show the next one.
        nina.page.get_by_label("Code").fill(app.at(int(time.time()) + PERIOD))
        nina.press("Sign in")
        nina.page.wait_for_url(f"{live.address}/")

    known = live.run("user", "list")
    live.run("user", "drop-factor", "nina")
    with come(live, "nina") as nina:
        inside = nina.heading()
    assert said.startswith("Set up.")
    assert asked == "Your code"
    assert "password and code" in known
    assert inside != "Sign in"


def test_who_is_disabled_is_out_at_once(live: Town, come: Callable[..., Any]) -> None:
    """The session that was open leads to the door."""
    live.add("mia", "owner")
    with come(live, "mia") as mia:
        live.run("user", "disable", "mia")

        mia.open("/releases")

        assert mia.heading() == "Sign in"


@pytest.mark.parametrize(
    ("size", "theme"), [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]
)
def test_every_real_page_is_accessible(
    live: Town, come: Callable[..., Any], axe: str, size: tuple[int, int], theme: str
) -> None:
    """Axe finds nothing, nothing sticks out, and no answer is a bug of ours."""
    run = live.ask("Joe")
    with come(live, "ana", size, theme) as ana:
        ana.open(f"/runs/{run}")
        ana.wait_for("waits for a person")
        ana.open("/reviews")
        review = ana.page.locator("main a[href^='/reviews/']").first.get_attribute("href")
        pages = ("/", "/runs", f"/runs/{run}", "/verdict", "/reviews", review, "/readiness")
        for path in (*pages, "/releases", "/ledger", "/nowhere"):
            answer = ana.page.goto(f"{live.address}{path}")
            unfold(ana.page)

            assert answer.status == (404 if path == "/nowhere" else 200), path
            assert faults(ana.page, axe) == [], path
            assert overflow(ana.page) == 0, path
