"""Dead letters and replays on the console: edited, dry, one or several, and never twice."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from doubles.desk import send
from doubles.given import Given, want
from proveout.domain.access import Role
from proveout.domain.run import Failure, RunState
from proveout.ports.store import RunFilter

if TYPE_CHECKING:
    from doubles.clock import CountedIds
    from doubles.desk import Desk
    from doubles.postgres import WatchedClock
    from proveout.domain.run import Run

pytestmark = pytest.mark.parametrize("manual_url", ["sqlite"], indirect=True)

LOST = Failure(type="TimeoutError", message="the model\nwas <b>late</b>", step="draft")


@pytest.fixture
async def dead(desk: Desk, clock: WatchedClock, ids: CountedIds) -> list[Run]:
    """Return three runs that died, the oldest first."""
    given = Given(desk.store, clock, ids)
    for n in range(3):
        await given.queued(workflow="answers", value=json.dumps(n).encode())
    claimed = await desk.store.claim(want(workflows=("answers",)))
    for one in claimed:
        await desk.store.write(given.settle(one, RunState.DEAD, failure=LOST))
    return [one.run for one in claimed]


async def made(desk: Desk) -> list[Run]:
    """Return the runs that wait for a worker, the oldest first."""
    return (await desk.store.runs(RunFilter(states=(RunState.QUEUED,))))[::-1]


async def test_dead_letters_say_why_they_died(desk: Desk, dead: list[Run]) -> None:
    """Type, message and step, harmless; each leads to its run, and who may to its replay."""
    async with await desk.as_(Role.VIEWER) as browser:
        page = (await browser.get("/dead")).text
    async with await desk.as_(Role.OPERATOR) as browser:
        theirs = (await browser.get("/dead")).text

    assert "TimeoutError: the model was &lt;b&gt;late&lt;/b&gt;" in page
    for run in dead:
        assert f'href="/runs/{run.id}"' in page
        assert f'href="/runs/{run.id}/replay"' not in page
        assert f'href="/runs/{run.id}/replay"' in theirs
    assert "This asks for the role operator" in page


async def test_several_are_replayed_at_once_and_one_refusal_stops_none(
    desk: Desk, dead: list[Run]
) -> None:
    """A dry run writes nothing; what has gone on already is told, and not done twice."""
    first, second, third = (run.id for run in dead)
    async with await desk.as_(Role.OPERATOR) as browser:
        dry = await send(browser, "/dead/replay", run=[first, second], dry="1")
        untouched = await made(desk)
        done = await send(browser, "/dead/replay", run=[first, "none-such", third])
        again = await send(browser, "/dead/replay", run=[first])

    assert "nothing was written" in dry.text
    assert untouched == []
    assert done.status_code == 200
    assert "there is no run none-such" in done.text
    assert [run.value for run in await made(desk)] == [b"0", b"2"]
    assert "is replayed already" in again.text


async def test_what_is_replayed_waits_for_nobody(desk: Desk, dead: list[Run]) -> None:
    """The overview asks for what is left, and for nothing once all have been run again."""
    async with await desk.as_(Role.OPERATOR) as browser:
        await send(browser, "/dead/replay", run=[dead[0].id])
        some = (await browser.get("/")).text
        await send(browser, "/dead/replay", run=[one.id for one in dead[1:]])
        none = (await browser.get("/")).text

    assert f"{len(dead) - 1} dead letters nobody has run again" in some
    assert "dead letter" not in none.partition("Needs a person")[2].partition("</section>")[0]


async def test_a_dead_letter_tells_that_it_is_replayed(desk: Desk, dead: list[Run]) -> None:
    """By which run, and how that goes; it is not chosen to be run again unasked."""
    async with await desk.as_(Role.OPERATOR) as browser:
        await send(browser, "/dead/replay", run=[dead[0].id])
        [new] = await made(desk)
        page = (await browser.get("/dead")).text

    assert f'Run again</b> by <a class="link mono" href="/runs/{new.id}">' in page
    assert page.count("Run again</b>") == 1
    assert f'value="{dead[0].id}"' not in page
    assert f'value="{dead[1].id}" aria-label="Choose {dead[1].id}" checked>' in page
    listed = re.findall(r'scope="row"><a class="link mono" href="/runs/([^"]+)"', page)
    assert listed[-1] == dead[0].id
    assert set(listed) == {one.id for one in dead}


async def test_a_run_is_replayed_on_another_input(desk: Desk, dead: list[Run]) -> None:
    """With new keys, and asked for by who wrote it, who so cannot approve what comes of it.

    What is no JSON, or no input of this workflow, stays in the form.
    """
    path = f"/runs/{dead[0].id}/replay"
    async with await desk.as_(Role.OPERATOR) as browser:
        form = await browser.get(path)
        wrong = await send(browser, path, input="[1,", dry="1")
        dry = await send(browser, path, input=" 41 ", dry="1")
        untouched = await made(desk)
        away = await send(browser, path, input="41", release="r9")
        done = await send(browser, path, input="41\r\n", release="")
        shown = await browser.get(done.headers["location"])

    assert '<li><a href="/dead">Dead letters</a></li>' in form.text
    assert ">\n0</textarea>" in form.text
    assert (wrong.status_code, "not valid JSON" in wrong.text) == (400, True)
    assert "[1,</textarea>" in wrong.text
    assert "would be replayed, with new keys" in dry.text
    assert untouched == []
    assert (away.status_code, "r9" in away.text) == (404, True)
    assert done.status_code == 303
    assert "on the input that you gave" in shown.text
    [new] = await made(desk)
    assert (new.value, new.origin, new.asked_by) == (b"41", None, "the-operator")


async def test_the_same_input_however_it_is_laid_out_keeps_the_keys(
    desk: Desk, dead: list[Run]
) -> None:
    """Sent as the form shows it, it is the same."""
    async with await desk.as_(Role.OPERATOR) as browser:
        await send(browser, f"/runs/{dead[1].id}/replay", input=" 1\r\n")

    [new] = await made(desk)
    assert (new.origin, new.asked_by) == (dead[1].id, "")


async def test_what_goes_on_has_no_replay(desk: Desk, clock: WatchedClock, ids: CountedIds) -> None:
    """The form says why, in place of the button's silence."""
    run = await Given(desk.store, clock, ids).queued(workflow="answers")
    async with await desk.as_(Role.OPERATOR) as browser:
        refused = await send(browser, f"/runs/{run.id}/replay", input="7")

    assert refused.status_code == 409
    assert "only a run that ended without a result is run again" in refused.text
