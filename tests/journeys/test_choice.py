"""`proveout audit choice`: build, buy or neither yet, through the real command line."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from journeys.conftest import Place

pytestmark = pytest.mark.journey

SECRET = "sk-4f3e2d1c0b"  # noqa: S105 - nobody's

APP = """
def answer(n: int) -> int:
    return n * 2
"""

SETTINGS = """
[workflow]
name = "toy"
entry = "app:answer"

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = {{ calls = 300 }}
criteria = [{{ score = "exact", floor = 0.7, target = 0.8 }}]

[prove.candidates.vendor]
url = "{url}"
allow_private = ["127.0.0.1"]
headers_env = {{ X-Key = "VENDOR_KEY" }}

[choice]
permissions = ["read tickets"]

[choice.candidates.workflow]
permissions = []
webhooks = "not used"
objectives = "not promised yet: an owner was told"

[choice.candidates.vendor]
permissions = ["read tickets"]
"""

ANSWERED = """webhooks = "their documentation"
export = "tried it"
audit_log = "contract, section 7"
deletion = "contract, section 9"
objectives = "contract, section 4"
"""


class Vendor(BaseHTTPRequestHandler):
    """Doubles odd numbers only, and answers strangers only where it is careless."""

    is_careless = False

    def do_POST(self) -> None:
        n = int(self.rfile.read(int(self.headers["content-length"])))
        known = self.headers.get("X-Key") == SECRET or self.is_careless
        body = str(n * 2 if n % 2 else -1) if known else '{"error": "who are you"}'
        self.send_response(200 if known else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name
        """Keep quiet."""


@contextmanager
def selling(*, is_careless: bool = False) -> Generator[str]:
    handler = type("Seller", (Vendor,), {"is_careless": is_careless})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def prove(place: Place, url: str, more: str = "") -> None:
    place.write("app.py", APP)
    cases = (f'{{"input": {n}, "expected": {n * 2}, "tags": ["{tag_of(n)}"]}}' for n in range(60))
    place.write("cases.jsonl", "\n".join(cases))
    place.write("proveout.toml", SETTINGS.format(url=url) + more)
    place.environment["VENDOR_KEY"] = SECRET
    assert place.run("prove").returncode == 0


def tag_of(n: int) -> str:
    """Mark half of the odd and of the even ones: an experiment that ends early has met some."""
    return "exceptional" if n % 4 < 2 else "plain"


def test_the_better_one_is_taken_and_the_page_says_why(place: Place, tmp_path: Path) -> None:
    """The workflow passes, the vendor misses the target: build, with the reasons on one page."""
    page = tmp_path / "choice.html"
    with selling() as url:
        prove(place, url, ANSWERED)

        found = place.ask("audit", "choice", "--probe", "--html", str(page))

    own, vendor = found["candidates"]
    assert (found["outcome"], found["chosen"]) == ("build", "workflow")
    assert vendor["verdict"] == "NO-GO"
    assert vendor["open_to_all"] is False
    assert own["exceptions"]["count"] > 0
    assert own["exceptions"]["passes"] == own["exceptions"]["count"]
    assert {one["need"]: one["met"] for one in vendor["needs"]}["export"] is True
    assert "vendor is out: its verdict is NO-GO" in page.read_text("utf-8")
    assert SECRET not in page.read_text("utf-8")


def test_a_vendor_who_answers_strangers_is_found_by_one_question(place: Place) -> None:
    """The probe asks once without credentials; without it nobody knows."""
    with selling(is_careless=True) as url:
        prove(place, url, ANSWERED)

        asked = place.ask("audit", "choice", "--probe")["candidates"][1]
        silent = place.ask("audit", "choice")["candidates"][1]

    assert asked["open_to_all"] is True
    assert "it answers whoever asks, without credentials" in asked["against"]
    assert silent["open_to_all"] is None


def test_what_is_unanswered_is_marked_and_keeps_the_decision_open(place: Place) -> None:
    """Needs of operating that nobody answered are named, not assumed."""
    with selling() as url:
        prove(place, url)
        place.write(
            "proveout.toml",
            SETTINGS.format(url=url).replace('webhooks = "not used"\n', ""),
        )

        done = place.run("audit", "choice")

    assert done.returncode == 1
    assert "NEITHER YET" in done.stdout
    assert "workflow: unanswered: webhooks" in done.stdout


def test_without_a_rival_there_is_no_choice(place: Place) -> None:
    """The mistake says how a rival is declared."""
    place.write("app.py", APP)

    done = place.run("audit", "choice")

    assert done.returncode == 2
    assert "has no candidate beside the workflow" in done.stderr
    assert "[prove.candidates.vendor]" in done.stderr
