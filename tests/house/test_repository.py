"""What is committed works on another machine, and says nothing of this one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]

VENDORS = ("api.openai.com", "api.anthropic.com")
PLACES = ("www.apache.org", "json-schema.org", "www.w3.org", "in-toto.io", *VENDORS)
"""Hosts that a file may name: licences, schemas, namespaces, vendors of models."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EXAMPLES = re.compile(r"(?:^|\.)(?:example|test|invalid)(?:\.(?:com|net|org))?$")
ADDRESS = re.compile(r"\b(?:https?|git|ssh)://[^\s\"'`<>()\[\]{}|]+", re.IGNORECASE)
INDEX = re.compile(r"\b(?:files\.)?py(?:pi\b|thonhosted)\.\w+|\bregistry\.\w+\.\w+", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.$}-])/(?:home|mnt|opt|root|Users|work)/[\w.-]+")
LOCKED = re.compile(r"^[a-z0-9][a-z0-9._-]*==", re.MULTILINE)
LINT = re.compile(r"^\t@\$\(BIN\)/(.+)$", re.MULTILINE)


def committed() -> dict[str, str]:
    """Return the text of every file that is committed, or would be by `git add`."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard"],  # noqa: S607 - whichever git is here
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    texts: dict[str, str] = {}
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            texts[name] = content.decode("utf-8")
    return texts


TEXTS = committed()


def where(pattern: re.Pattern[str]) -> list[str]:
    """Return each place where a committed file matches, with what was found."""
    return [
        f"{name}:{number}: {found.group()}"
        for name, text in TEXTS.items()
        for number, line in enumerate(text.splitlines(), 1)
        for found in pattern.finditer(line)
    ]


def test_no_file_names_a_place_on_the_machine_it_was_made_on() -> None:
    """Paths are relative, or found when they are needed."""
    found = where(MACHINE)

    assert found == []


def test_no_file_names_a_package_index() -> None:
    """Every machine asks the index that it is set up to ask."""
    found = where(INDEX)

    assert found == []


def test_addresses_are_examples_or_known() -> None:
    """A file names no host that somebody would have to trust."""
    hosts = {place: urlsplit(place.rpartition(": ")[2]).hostname or "" for place in where(ADDRESS)}

    strange = [
        place
        for place, host in hosts.items()
        if host not in (*PLACES, *LOOPBACK) and not EXAMPLES.search(host)
    ]

    assert strange == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-demo.lock"])
def test_a_lock_names_files_by_digest_and_no_place(name: str) -> None:
    """Each requirement is one version, and each version at least one digest."""
    lock = TEXTS[name]

    blocks = re.split(r"\n(?=\S)", "\n".join(x for x in lock.splitlines() if x[:1] != "#"))

    assert len(LOCKED.findall(lock)) > 20
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in lock


def test_a_commit_is_checked_by_the_same_commands() -> None:
    """pre-commit runs what `make lint` runs, and fetches nothing."""
    recipe = TEXTS["Makefile"].partition("\nlint:")[2].partition("\n\n")[0]

    commands = [f"entry: .venv/bin/{command}" for command in LINT.findall(recipe)]

    assert len(commands) == 6
    assert [one for one in commands if f"{one}\n" not in TEXTS[".pre-commit-config.yaml"]] == []
    assert "repo: local" in TEXTS[".pre-commit-config.yaml"]


@pytest.mark.parametrize(
    "name", sorted(name for name in TEXTS if name.startswith("docs/decisions"))
)
def test_a_decision_says_what_was_given_up(name: str) -> None:
    """One page: context, choice, what we gave up."""
    heads = re.findall(r"^## (.+)$", TEXTS[name], re.MULTILINE)

    assert heads[:2] == ["Context", "Choice"]
    assert heads[-1] == "What we gave up"
    assert len(TEXTS[name].splitlines()) < 80
