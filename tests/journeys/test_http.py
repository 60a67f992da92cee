"""A program comes in over a real wire: a key, a run, its result, and a webhook."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from doubles.callers import PATIENCE, open_shop
from doubles.stores import SQLITE

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from doubles.callers import Shop

pytestmark = pytest.mark.journey

PHRASE = "four words quite unrelated"


@pytest.fixture
def shop(tmp_path: Path, store_url: str) -> Generator[Shop]:
    """Return a project in production, on each store in turn."""
    shop = open_shop(tmp_path, store_url)
    yield shop
    shop.close()


@pytest.fixture
def place(tmp_path: Path) -> Shop:
    """Return a project for the command line alone."""
    return open_shop(tmp_path, f"{SQLITE}{tmp_path / 'store.db'}")


def make_key(shop: Shop, role: str = "operator", *more: str) -> str:
    """Make a key on the command line; return its secret."""
    done = shop.run("key", "create", f"ci-{role}", "--role", role, *more, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["secret"]


def test_a_program_asks_for_a_run_and_waits_for_its_result(shop: Shop) -> None:
    """`Prefer: wait` answers when a worker has finished it."""
    secret = make_key(shop)
    server = shop.serve()
    sent: dict[str, Any] = {
        "authorization": f"Bearer {secret}",
        "content_type": "application/json",
        "idempotency_key": "order 7",
    }
    path = "/api/v1/workflows/answers/runs"

    with ThreadPoolExecutor(1) as waiting:
        asked = waiting.submit(server.call, "POST", path, b"7", prefer="wait=50", **sent)
        while not shop.run("runs", "list", "--json").stdout:
            pass
        worked = shop.run("work", "--until-idle")
        answer = asked.result(PATIENCE)
    again = server.call("POST", path, b"7", **sent)
    shown = server.call("GET", answer.headers["location"], authorization=f"Bearer {secret}")

    assert worked.returncode == 0, worked.stderr
    assert answer.status == 200
    assert answer.headers["preference-applied"] == "wait=50"
    assert (answer.body["state"], answer.body["result"]) == ("SUCCEEDED", 14)
    assert (again.status, again.body["id"], again.body["created"]) == (
        202,
        answer.body["id"],
        False,
    )
    assert (shown.status, shown.body["result"]) == (200, 14)


def test_ten_at_once_of_one_webhook_make_one_run(shop: Shop) -> None:
    """Over ten connections; each is acknowledged with the same run."""
    server = shop.serve()

    with ThreadPoolExecutor(10) as senders:
        answers = list(senders.map(server.deliver, [7] * 10))

    statuses = sorted(one.status for one in answers if one is not None)
    assert statuses == [200] * 9 + [202]
    assert len({one.body["run"] for one in answers if one is not None}) == 1
    listed = shop.run("runs", "list", "--json").stdout.splitlines()
    assert len(listed) == 1


def test_a_revoked_key_opens_nothing_at_a_running_server(shop: Shop) -> None:
    """From the next request on, without a restart."""
    secret = make_key(shop, "viewer", "--expires", "90 days")
    server = shop.serve()

    before = server.call("GET", "/api/v1/runs", authorization=f"Bearer {secret}")
    shop.run("key", "revoke", "ci-viewer")
    after = server.call("GET", "/api/v1/runs", authorization=f"Bearer {secret}")

    assert (before.status, after.status) == (200, 401)
    assert after.headers["www-authenticate"].startswith("Bearer")


def test_a_body_that_never_ends_is_cut_off(shop: Shop) -> None:
    """413 long before a gigabyte is sent, and the server goes on."""
    server = shop.serve()
    announced = server.call("POST", "/hooks/shop", b"", content_length=str(1 << 30))

    assert announced.status == 413
    assert server.call("GET", "/healthz").status == 200
    assert server.call("GET", "/readyz").status == 200


def test_people_are_looked_after_on_the_command_line(place: Shop) -> None:
    """Added, listed, trusted with more, kept out; each is in the ledger's user.v1."""
    added = place.run(
        "user", "add", "ben", "--role", "owner", "--password-stdin", "--json", stdin=PHRASE
    )
    place.run("user", "add", "cleo", "--role", "viewer", "--password-stdin", stdin=PHRASE)
    place.run("user", "role", "cleo", "reviewer")
    place.run("user", "password", "cleo", "--password-stdin", stdin=PHRASE + " more")
    place.run("user", "disable", "cleo")
    dropped = place.run("user", "drop-factor", "cleo", "--json")
    listed = [json.loads(line) for line in place.run("user", "list", "--json").stdout.splitlines()]

    assert json.loads(added.stdout)["schema"] == "user.v1"
    assert [(one["name"], one["role"], one["disabled"]) for one in listed] == [
        ("ben", "owner", False),
        ("cleo", "reviewer", True),
    ]
    assert [one["second_factor"] for one in listed] == [False, False]
    assert json.loads(dropped.stdout)["error"]["code"] == "no-factor"
    assert "argon2" not in f"{added.stdout}{listed}"


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("user", "add", "ben", "--role", "owner"), "mistake", 2),
        (("user", "add", "Ben", "--role", "owner", "--password-stdin"), "bad-name", 2),
        (("user", "disable", "nobody"), "no-such-name", 2),
        (("key", "revoke", "nothing"), "no-such-name", 2),
        (("key", "create", "ci", "--role", "king"), "mistake", 2),
        (("key", "create", "ci", "--role", "viewer", "--expires", "soon"), "mistake", 2),
    ],
)
def test_a_slip_on_the_command_line_is_told(
    place: Shop, arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    """With its code, and nothing is changed."""
    done = place.run(*arguments, "--json", stdin=PHRASE)

    assert done.returncode == exit_code
    assert json.loads(done.stdout)["error"]["code"] == code
    assert place.run("user", "list", "--json").stdout == ""
    assert place.run("key", "list", "--json").stdout == ""


def test_a_known_user_acts_in_their_own_role(place: Shop) -> None:
    """A viewer on the command line makes no keys."""
    place.run("user", "add", "ben", "--role", "owner", "--password-stdin", stdin=PHRASE)
    place.run("user", "add", "cleo", "--role", "viewer", "--password-stdin", stdin=PHRASE)
    place.environment = {**place.environment, "PROVEOUT_USER": "cleo"}

    refused = place.run("key", "create", "ci", "--role", "owner", "--json")

    assert json.loads(refused.stdout)["error"]["code"] == "no-right"
    assert place.run("key", "list", "--json").stdout == ""


def test_the_secret_of_a_key_is_printed_alone(place: Shop) -> None:
    """On standard output nothing else, so that it can be piped to where it belongs."""
    done = place.run("key", "create", "ci", "--role", "viewer")

    assert done.stdout.startswith("pk_")
    assert done.stdout.strip() not in done.stderr
    assert done.stdout.strip() not in place.run("key", "list", "--json").stdout
