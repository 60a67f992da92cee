"""Calls of models are counted for the run that makes them, with the vendors' own clients."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sqlite3
import sys
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import pytest

from doubles.stores import open_url
from doubles.vendor import CHAT, Answer, Heard, Vendor, whole
from proveout.adapters.system import SystemClock
from proveout.domain.model_call import usage_of
from proveout.domain.model_fault import Fault, FaultKind, Faults
from proveout.domain.money import Usd
from proveout.domain.run import RunId, RunState
from proveout.faces.project import Project
from proveout.faces.released import create_release, launch
from proveout.faces.sandbox import stage_for
from proveout.ready.drills.drill import NotSteady
from proveout.ready.drills.load import check_steady, enqueue, follow
from proveout.ready.sandbox import Crew

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from journeys.conftest import Place
    from proveout.domain.model_call import ModelCall
    from proveout.ready.sandbox import Sandbox

pytestmark = pytest.mark.journey

APP = """
from openai import AsyncOpenAI, OpenAI

from proveout import step, workflow

here = AsyncOpenAI(api_key="sk-of-the-user")
plain = OpenAI(api_key="sk-of-the-user")


@step
async def think(n: int) -> str:
    said = await here.chat.completions.create(
        model="small", max_tokens=100, messages=[{"role": "user", "content": str(n)}]
    )
    return said.choices[0].message.content or ""


@step
def check(text: str) -> int:  # in a thread, with the synchronous client
    said = plain.chat.completions.create(
        model="small", max_tokens=MOST, messages=[{"role": "user", "content": text}]
    )
    return int(said.choices[0].message.content or "0")


@workflow
async def answer(n: int) -> int:
    import asyncio

    return await asyncio.to_thread(check, await think(n))
"""

SETTINGS = """
[workflow]
name = "toy"
entry = "app:answer"

[models]
meter = "proxy"

[[models.prices]]
model = "small-2026"
read = "1 USD"
written = "2 USD"

[[models.prices]]
model = "small"
read = "1 USD"
written = "2 USD"

[prove]
dataset = "cases.jsonl"
time_box = "1 day"
budget = { calls = 200, money = "0.30 USD" }
cap_per_call = "0.02 USD"
concurrency = 4

[[prove.criteria]]
name = "right"
score = "exact"
floor = 0.8
target = 0.9

[[prove.criteria]]
cost = true
ceiling = "0.006 USD"
target = "0.004 USD"
"""

EACH = Usd("0.0014")
"""Of a call: 1,000 tokens read at $1 a million, 200 written at $2."""


def reply(heard: Heard) -> Answer:
    """Answer the double of the number that was asked, and to the double itself."""
    asked = heard.json["messages"][0]["content"]
    text = asked if heard.headers["x-stainless-async"] == "false" else str(int(asked) * 2)
    usage = {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return whole({**CHAT, "model": "small-2026", "choices": [choice], "usage": usage})


@pytest.fixture
def vendor() -> Generator[Vendor]:
    """Return a vendor that doubles numbers."""
    with Vendor(reply) as vendor:
        yield vendor


@pytest.fixture
def metered(place: Place, vendor: Vendor) -> Place:
    """Return a project whose two steps each call a model."""
    write(place)
    place.write("proveout.toml", SETTINGS)
    place.environment = {"OPENAI_BASE_URL": f"{vendor.url}/v1"}
    return place


def write(place: Place, most: int = 100) -> None:
    place.write("app.py", APP.replace("MOST", str(most)))


def calls_in(place: Place) -> list[ModelCall]:
    """Return every call of every run, as the store keeps them."""
    path = f"{place.folder}/.proveout/proveout.db"
    with closing(sqlite3.connect(path)) as connection:
        runs = [RunId(run) for (run,) in connection.execute("SELECT id FROM runs")]

    async def read() -> list[ModelCall]:
        store = await open_url(f"sqlite:///{path}", SystemClock())
        try:
            return [call for calls in (await store.model_calls(*runs)).values() for call in calls]
        finally:
            await store.close()

    return asyncio.run(read())


def test_an_experiment_costs_what_its_models_cost(metered: Place, vendor: Vendor) -> None:
    """To the last fraction of a cent; the budget lasts for more calls than caps would allow."""
    verdict = metered.ask("prove")

    assert verdict["verdict"] == "GO"
    assert verdict["cases"] > 15  # at two cents a call the budget would end after 15
    assert len(vendor.heard) == 2 * verdict["calls"]
    assert verdict["cost"] == {"usd": pytest.approx(float(EACH) * len(vendor.heard), abs=1e-9)}
    cost = next(one for one in verdict["candidates"][0]["criteria"] if one["name"] == "cost")
    assert cost["estimate"] == pytest.approx(2 * float(EACH), abs=1e-9)
    assert {one.headers["authorization"] for one in vendor.heard} == {"Bearer sk-of-the-user"}
    assert not any("proveout" in name for one in vendor.heard for name in one.headers)


def test_the_store_knows_which_step_called_which_model(metered: Place, vendor: Vendor) -> None:
    """Asked and answered, tokens and money, in each of the two steps."""
    metered.run("prove")

    calls = calls_in(metered)

    assert len(calls) == len(vendor.heard)
    assert {call.caller.place and call.caller.place.name for call in calls} == {"think", "check"}
    assert {(call.asked, call.answered, call.status) for call in calls} == {
        ("small", "small-2026", 200)
    }
    assert usage_of(calls).cost == EACH * len(calls)


def test_a_call_that_could_pass_the_cap_is_not_made(metered: Place, vendor: Vendor) -> None:
    """The step fails with what the vendor's client raises, and the trial is a failure."""
    write(metered, most=20_000)  # four cents, where two are the cap

    verdict = metered.ask("prove")

    assert verdict["verdict"] == "NO-GO"
    assert verdict["candidates"][0]["errors"] == verdict["cases"]
    assert len(vendor.heard) == verdict["calls"]  # the first step of each, and nothing else
    metered.run("report")
    assert "cap_per_call" in (metered.folder / ".proveout/reports/toy.html").read_text("utf-8")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(headers={"content-type": "text/html"}, chunks=(b"<!DOCTYPE html>",)),
        Answer(chunks=(b'{"id": "c',), is_cut=True),
    ],
    ids=["HTML", "cut"],
)
def test_what_a_vendor_breaks_is_a_value(metered: Place, vendor: Vendor, answer: Answer) -> None:
    """Every trial ends, as a failure, and every call is counted."""
    vendor.answer = answer

    verdict = metered.ask("prove")

    assert verdict["verdict"] == "NO-GO"
    assert verdict["candidates"][0]["errors"] == verdict["cases"]
    assert len(calls_in(metered)) == len(vendor.heard)


def test_a_vendor_that_is_busy_for_a_while_fails_no_trial(metered: Place, vendor: Vendor) -> None:
    """Its client gives up at once; the steps, which declare no retries, ask until it answers."""
    app = (metered.folder / "app.py").read_text("utf-8")
    metered.write("app.py", app.replace('user")', 'user", max_retries=0)'))
    refusals = iter([whole({"error": {"message": "slow down"}}, 429, retry_after="0")] * 8)

    def answer(heard: Heard) -> Answer:
        return next(refusals, None) or reply(heard)

    vendor.answer = answer

    verdict = metered.ask("prove")

    assert verdict["verdict"] == "GO"
    assert verdict["candidates"][0]["errors"] == 0
    statuses = [call.status for call in calls_in(metered)]
    assert statuses.count(429) == 8
    assert len(statuses) == len(vendor.heard)


def test_what_is_not_priced_is_refused_under_a_cap(metered: Place, vendor: Vendor) -> None:
    """With the words that declare the price, before anything is spent."""
    settings = (metered.folder / "proveout.toml").read_text("utf-8")
    metered.write("proveout.toml", settings.replace('model = "small', 'model = "other'))

    verdict = metered.ask("prove")

    assert verdict["candidates"][0]["errors"] == verdict["cases"]
    assert vendor.heard == []


def test_a_call_outside_of_a_run_is_refused(metered: Place, vendor: Vendor) -> None:
    """It would be missing from every figure."""
    early = '\nplain.chat.completions.create(model="small", messages=[])\n'
    metered.write("app.py", APP.replace("MOST", "100") + early)

    done = metered.run("prove")

    assert done.returncode == 2
    assert "cannot tell which step" in done.stderr
    assert vendor.heard == []


def test_a_run_that_killed_its_worker_is_counted_where_it_is_tried_alone(
    metered: Place, vendor: Vendor
) -> None:
    """The process of suspects is started beside the proxy, and has one of its own."""
    metered.environment["PROVEOUT_LEASE"] = "1 s"
    crash = "import os, signal\nfrom pathlib import Path\n"
    body = "    if not Path('killed').exists():\n        Path('killed').touch()\n"
    body += "        os.kill(os.getpid(), signal.SIGKILL)\n    return await asyncio.to_thread"
    app = crash + APP.replace("MOST", "100").replace("    return await asyncio.to_thread", body)
    metered.write("app.py", app)
    metered.run("enqueue", "toy", "--input", json.dumps(21))

    metered.run("work", "--until-idle")  # it is killed
    done = metered.run("work", "--until-idle")

    calls = calls_in(metered)
    assert (metered.folder / "killed").exists(), done.stderr
    assert {call.status for call in calls} == {200}
    assert {call.caller.place and call.caller.place.name for call in calls} == {"think", "check"}
    assert len(vendor.heard) == 2  # what the first attempt asked stands in the journal


def test_a_program_beside_the_proxy_finds_the_vendor_itself(metered: Place, vendor: Vendor) -> None:
    """A candidate that is a command calls models on its own account, as without the meter."""
    metered.write(
        "rival.py",
        "import sys\nfrom openai import OpenAI\nclient = OpenAI(api_key='sk-of-the-rival')\n"
        "for line in sys.stdin:\n"
        "    said = client.chat.completions.create(model='small', max_tokens=9,\n"
        "        messages=[{'role': 'user', 'content': line.strip()}])\n"
        "    print(int(said.choices[0].message.content) * 2, flush=True)\n",
    )
    settings = (metered.folder / "proveout.toml").read_text("utf-8")
    rival = f'[prove.candidates.rival]\ncommand = ["{sys.executable}", "rival.py"]\n'
    metered.write("proveout.toml", f'{settings}\n{rival}price_per_call = "0.001 USD"\n')

    verdict = metered.ask("prove")

    assert [one["verdict"] for one in verdict["candidates"]] == ["GO", "GO"], verdict
    assert {one.headers["authorization"] for one in vendor.heard} == {
        "Bearer sk-of-the-user",
        "Bearer sk-of-the-rival",
    }
    assert len(calls_in(metered)) == 2 * verdict["candidates"][0]["calls"]


def test_a_judge_may_ask_a_model(metered: Place, vendor: Vendor) -> None:
    """Its calls go through, and are no cost of the answers."""
    judge = (
        "\n\nasync def judge(result, case):\n"
        "    said = await here.chat.completions.create(model='unpriced',\n"
        "        messages=[{'role': 'user', 'content': str(case.value)}])\n"
        "    return result == int(said.choices[0].message.content)\n"
    )
    metered.write("app.py", APP.replace("MOST", "100") + judge)
    settings = (metered.folder / "proveout.toml").read_text("utf-8")
    judged = 'score = "app:judge"\njudge = true'
    metered.write("proveout.toml", settings.replace('score = "exact"', judged))

    verdict = metered.ask("prove")

    assert verdict["verdict"] == "GO"
    assert len(calls_in(metered)) == 2 * verdict["calls"]
    assert len(vendor.heard) > 2 * verdict["calls"]


def test_a_worker_counts_for_runs_that_are_no_trials(metered: Place, vendor: Vendor) -> None:
    """The draft's worker has a proxy of its own, for as long as it works."""
    run = metered.run("enqueue", "toy", "--input", json.dumps(21)).stdout.split()[0]
    metered.run("work", "--until-idle")

    calls: list[Any] = calls_in(metered)

    assert len(vendor.heard) == 2
    assert {call.caller.run for call in calls} == {run}


def test_a_client_that_misses_the_meter_is_told(metered: Place, vendor: Vendor) -> None:
    """In the terminal, in the JSON and in the report, and not where calls were seen."""
    seen = metered.ask("prove")
    metered.write("app.py", past(vendor))
    note = "no model call was seen: a client with its own base_url misses the meter"

    told = metered.run("prove")
    verdict = metered.ask("verdict")

    assert "note" not in seen["candidates"][0]
    assert note in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 80
    assert verdict["candidates"][0]["note"] == note
    assert "its own base_url" in (metered.folder / ".proveout/reports/toy.html").read_text("utf-8")
    assert len(calls_in(metered)) == 2 * seen["calls"]  # of the first look alone


def past(vendor: Vendor) -> str:
    """Return an app whose clients are given an address of their own."""
    own = f'api_key="sk-of-the-user", base_url="{vendor.url}/v1"'
    return APP.replace("MOST", "100").replace('api_key="sk-of-the-user"', own)


def test_calls_that_are_denied_did_not_miss_the_meter(metered: Place, vendor: Vendor) -> None:
    """What is wrong with them is said in their own words."""
    settings = (metered.folder / "proveout.toml").read_text("utf-8")
    metered.write("proveout.toml", settings.replace('model = "small', 'model = "other'))

    verdict = metered.ask("prove")

    assert vendor.heard == []
    assert "note" not in verdict["candidates"][0]


def test_a_vendor_that_nobody_reaches_is_no_verdict(metered: Place, vendor: Vendor) -> None:
    """Nothing is judged; once the wiring is mended the same trials go on, and none has failed."""
    write(metered)
    app = (metered.folder / "app.py").read_text("utf-8")
    metered.write("app.py", app.replace('user")', 'user", max_retries=0)'))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"

    metered.environment["OPENAI_BASE_URL"] = nowhere
    unwired = metered.run("prove")
    metered.environment["OPENAI_BASE_URL"] = f"{vendor.url}/v1"
    verdict = metered.ask("prove")

    assert unwired.returncode == 6, unwired.stderr
    assert "no call of a model has reached its vendor" in unwired.stderr
    assert "OPENAI_BASE_URL" in unwired.stderr
    assert "Traceback" not in unwired.stderr
    assert verdict["verdict"] == "GO"
    assert (verdict["candidates"][0]["errors"], verdict["dataset"]["look"]) == (0, 1)


def test_an_address_that_cannot_be_written_is_named(metered: Place) -> None:
    """In words of ours, before anything is asked."""
    metered.environment["OPENAI_BASE_URL"] = "http://models..test/v1"

    done = metered.run("prove")

    assert done.returncode == 2
    assert "the base address for openai is no address of a server" in done.stderr
    assert "Traceback" not in done.stderr


ASKING = """
from openai import AsyncOpenAI

from proveout import step, workflow

client = AsyncOpenAI(api_key="sk-of-the-user", max_retries=0)


async def ask(text: str) -> str:
    said = await client.chat.completions.create(
        model="small", max_tokens=100, messages=[{"role": "user", "content": text}]
    )
    return said.choices[0].message.content or ""


@step
async def think(n: int) -> str:
    return await ask(str(n))


@workflow
async def answer(n: int) -> int:
    thought = await think(n)
    await ask(AGAIN)  # by the workflow itself: no step stands between it and the vendor
    return int(thought)
"""


@pytest.fixture
def asking(metered: Place) -> Place:
    """Return a project whose workflow calls models in a step, and beside its steps."""
    metered.write("app.py", ASKING.replace("AGAIN", 'f"0{n}"'))
    metered.write("requirements.lock", "")
    return metered


@asynccontextmanager
async def drilled(place: Place, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Sandbox]:
    """Open a sandbox for what the project's trials have proven."""
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    async with Project.open(place.folder / "proveout.toml") as project:
        release = (await create_release(project, "ana")).release
        stage = await stage_for(project, await launch(project.store, release), lambda _: None)
        async with stage.open(None) as sandbox:
            yield sandbox


async def test_a_drill_asks_models_of_nobody(
    asking: Place, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they answered in the trials is answered again, in worker processes of their own."""
    verdict = asking.ask("prove")
    assert verdict["verdict"] == "GO", verdict
    heard = len(vendor.heard)

    async with drilled(asking, monkeypatch) as sandbox:
        await sandbox.start_workers(Crew(count=1))
        await check_steady(sandbox, "before")

    assert len(vendor.heard) == heard


async def test_a_drill_says_what_was_not_recorded(
    asking: Place, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is another one each time: who asks which model, and what to do."""
    asking.write("app.py", "import time\n" + ASKING.replace("AGAIN", 'f"0{time.time_ns()}"'))
    asking.ask("prove")
    heard = len(vendor.heard)

    async with drilled(asking, monkeypatch) as sandbox:
        await sandbox.start_workers(Crew(count=1))
        with pytest.raises(NotSteady, match="no answer of small was recorded for what the workfl"):
            await check_steady(sandbox, "before")

    assert len(vendor.heard) == heard


async def test_a_drill_injects_faults_behind_the_vendors_client(
    asking: Place, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step that called a model is called, and fails with what the client makes of it."""
    asking.ask("prove")
    heard = len(vendor.heard)
    faults = Faults(fault=Fault(kind=FaultKind.SLOW_DOWN), calls=1)

    async with drilled(asking, monkeypatch) as sandbox:
        await sandbox.start_workers(Crew(count=1, faults=faults))
        runs = await enqueue(sandbox, 4, "hit")
        ended = await follow(sandbox, runs)
        found = [await sandbox.store.run(RunId(run)) for run in runs]

    failures = [one.failure for one in found if one is not None and one.failure is not None]
    assert ended.count(RunState.SUCCEEDED) == 3
    assert [(one.step, "RateLimitError" in one.type) for one in failures] == [("think", True)]
    assert len(vendor.heard) == heard


def test_the_store_of_a_proof_holds_answers_and_no_key(asking: Place, vendor: Vendor) -> None:
    """Every byte of its files is searched; with `record = false` no answer is kept either."""
    asking.run("prove")
    kept = stored(asking)

    settings = (asking.folder / "proveout.toml").read_text("utf-8")
    asking.write("proveout.toml", settings.replace("[models]", "[models]\nrecord = false"))
    shutil.rmtree(asking.folder / ".proveout")
    asking.run("prove")

    assert b"chatcmpl-1" in kept
    assert b"sk-of-the-user" not in kept
    assert b"chatcmpl-1" not in stored(asking)
    assert vendor.heard[-1].headers["authorization"] == "Bearer sk-of-the-user"


def stored(place: Place) -> bytes:
    """Return every byte of a project's store."""
    return b"".join(path.read_bytes() for path in place.folder.glob(".proveout/*.db*"))
