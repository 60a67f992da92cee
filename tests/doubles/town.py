"""A project with `proveout serve` before it, and what people do there on the command line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from proveout.faces.project import office_of, open_store
from proveout.release.move import promote

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60
PHRASE = "four words quite unrelated"

APP = """
from proveout import effect, review, step, workflow

@step
def draft(mail: dict) -> str:
    if mail["text"] == "explode":
        raise ValueError("the model did not answer")
    return f"Dear {mail['name']},\\n\\nwe look into it today.\\n\\nKind regards"

@effect(in_trial="sent")
def send(text: str, *, idempotency_key: str = "") -> str:
    return "sent"

@workflow
def answer(mail: dict) -> str:
    text = review(draft(mail), queue="support").value if mail.get("ask") else draft(mail)
    send(text)
    return text
"""

SETTINGS = """
[workflow]
name = "mails"
entry = "app:answer"
question = "Does a drafted answer save three minutes a mail?"
owner = "ana"
operator = "ben"
assumptions = ["English only"]

[prove]
dataset = "cases.jsonl"
time_box = "10 days"
budget = { calls = 100 }

[[prove.criteria]]
name = "right"
score = "exact"
floor = 0.5
target = 0.90
"""


@dataclass
class Town:
    """A project in a folder, and the server before it.

    Attributes:
        address: of the console.
        welcome: secret of the first owner's link; "" where there is a user.
    """

    folder: Path
    environment: dict[str, str]
    address: str = ""
    welcome: str = ""
    servers: list[subprocess.Popen[str]] = field(default_factory=list["subprocess.Popen[str]"])

    @property
    def store_url(self) -> str:
        """Where its store is."""
        return f"sqlite:///{self.folder / '.proveout' / 'proveout.db'}"

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must succeed; return what it answered."""
        done = subprocess.run(
            [sys.executable, "-m", "proveout", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def add(self, name: str, role: str) -> None:
        """Let a person sign in."""
        self.run("user", "add", name, "--role", role, "--password-stdin", stdin=PHRASE)

    def ask(self, name: str, *, text: str = "Where is my parcel?", ask: bool = True) -> str:
        """Ask for an answer to a mail; return the id of its run."""
        value = json.dumps({"name": name, "text": text, "ask": ask})
        return self.run("enqueue", "mails", "--input", value).splitlines()[0]

    def shown(self, run: str) -> dict[str, Any]:
        """Return a run as the command line shows it."""
        return json.loads(self.run("runs", "show", run, "--json"))

    def promote(self) -> str:
        """Create a release and have it serve, past the gate; return its name."""
        self.run("release", "create")
        # In a thread of its own, for a browser may have a loop in this one.
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(lambda: asyncio.run(self._promote())).result(PATIENCE)

    async def _promote(self) -> str:
        store = await open_store(self.store_url)
        try:
            key = self.folder / "keys" / "key"
            office = office_of(store, key)
            newest = (await store.releases("mails"))[-1]
            await promote(office, newest, "ana", {})
            return newest.name
        finally:
            await store.close()

    def change(self, text: str) -> None:
        """Change what the project executes."""
        (self.folder / "app.py").write_text(APP + text, "utf-8")

    def serve(self) -> None:
        """Start the server; returns when its doors are open."""
        process = subprocess.Popen(
            [sys.executable, "-m", "proveout", "serve", "--port", "0"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.servers.append(process)
        assert process.stderr is not None
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line)
            if "/welcome/" in line:
                self.welcome = line.rpartition("/welcome/")[2].strip()
            if "console" in line and "http" in line:
                self.address = line.split()[1]
                return
        raise AssertionError("".join(lines))

    def close(self) -> None:
        """End whatever still runs."""
        for process in self.servers:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def open_town(folder: Path) -> Town:
    """Write a project and return it; nothing is started yet."""
    (folder / "app.py").write_text(APP, "utf-8")
    (folder / "proveout.toml").write_text(SETTINGS, "utf-8")
    expected = "Dear c,\n\nwe look into it today.\n\nKind regards"
    cases = [
        {"input": {"name": "c", "text": f"mail {number}"}, "expected": expected}
        for number in range(30)
    ]
    (folder / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)) + "\n", "utf-8")
    own = {
        "PROVEOUT_KEY_FILE": str(folder / "keys" / "key"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "TZ": "Europe/Berlin",
    }
    return Town(folder, {**os.environ, **own})
