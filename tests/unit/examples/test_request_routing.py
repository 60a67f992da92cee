"""The example's own promises that need neither its model nor its data."""

from __future__ import annotations

import json
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    # The messages of a request, the tools on offer, and the name of the right one.
    Offer: TypeAlias = tuple[Sequence[Mapping[str, str]], Sequence[Mapping[str, object]], str]

fetch_cases = import_module("fetch_cases")
rank_tfidf = import_module("request_routing.rank_tfidf")
tool = import_module("request_routing.tool")

DRINK = {"name": "ChaDri.change_drink", "description": "Changes a drink."}
FOOD = {"name": "ChaFod", "description": "Changes a dish."}


def test_words_part_where_camel_case_does() -> None:
    """A name is read as the words it was made of."""
    text = "getUserId: IPv6 of Alarm_1_AddAlarm"

    found = rank_tfidf.words(text)

    assert found == ["get", "user", "id", "ipv6", "of", "alarm", "1", "add", "alarm"]


def test_a_tool_is_read_by_its_name_in_plain_words() -> None:
    """Underscores and dots are spaces; camel case is left to the reader."""
    found = tool.Tool(**DRINK).text

    assert found == "ChaDri change drink: Changes a drink."


def test_of_equals_the_first_tool_is_chosen_without_confidence() -> None:
    """A request that shares no word with any tool is a toss-up, always the same one."""
    tools = [tool.Tool(**FOOD), tool.Tool(**DRINK)]
    rarity = rank_tfidf.rarity_in({one.text for one in tools})

    found = rank_tfidf.rank_by(rarity, "What time is it?", tools)

    assert found == tool.Ranked(tool="ChaFod", confidence=0.0)


def test_a_rare_word_outweighs_those_that_every_tool_has() -> None:
    """A word that all texts share says nothing; one that a single text has decides."""
    tools = [tool.Tool(**FOOD), tool.Tool(**DRINK)]
    rarity = rank_tfidf.rarity_in({one.text for one in tools})

    found = rank_tfidf.rank_by(rarity, "changes changes a drink", tools)

    assert rarity["changes"] == 0.0
    assert found.tool == "ChaDri.change_drink"
    assert 0.0 < found.confidence <= 1.0


@pytest.mark.parametrize(
    ("scores", "confidence"),
    [([0.5, 0.25], 0.25), ([0.75, -0.75], 1.0), ([-0.5, -0.75], 0.25), ([0.5], 1.0)],
)
def test_confidence_is_the_lead_within_0_and_1(scores: list[float], confidence: float) -> None:
    """A choice without rivals is safe, and no lead counts for more than that."""
    tools = [tool.Tool(**one) for one in [FOOD, DRINK][: len(scores)]]

    found = tool.best(tools, scores)

    assert found == tool.Ranked(tool="ChaFod", confidence=confidence)


def test_a_request_becomes_a_case() -> None:
    """A case has the user's words only, the tools without parameters, and the right name."""
    said = [
        {"role": "system", "content": "You take orders."},
        {"role": "user", "content": "No sugar, s'il vous plaît"},
    ]
    wheel = wheel_of(
        [(said, [{**FOOD, "parameters": {}}, {**DRINK, "parameters": {}}], "ChaDri.change_drink")]
    )

    [found] = fetch_cases.cases(wheel)

    assert found == {
        "id": "live_multiple_0",
        "input": {"request": "No sugar, s'il vous plaît", "tools": [FOOD, DRINK]},
        "expected": "ChaDri.change_drink",
        "cluster": found["cluster"],
        "tags": ["2 tools", "beyond ASCII"],
    }


def test_cases_with_the_same_tools_share_a_cluster() -> None:
    """Neither the order of the tools nor a retouched description makes another source."""
    said = [{"role": "user", "content": "Tea"}]
    retouched = {**DRINK, "description": "Changes a drink, hot or cold."}
    wheel = wheel_of(
        [
            (said, [FOOD, DRINK], "ChaFod"),
            (said, [retouched, FOOD], "ChaFod"),
            (said, [FOOD], "ChaFod"),
        ]
    )

    one, other, smaller = (case["cluster"] for case in fetch_cases.cases(wheel))

    assert one == other != smaller


def test_cases_are_written_one_a_line_in_order(tmp_path: Path) -> None:
    """The same wheel gives the same bytes, and no draft stays behind."""
    said = [{"role": "user", "content": "Tea\nfor two"}]
    wheel = wheel_of([(said, [FOOD, DRINK], "ChaFod"), (said, [FOOD, DRINK], "ChaFod")])

    count = fetch_cases.write(fetch_cases.cases(wheel), tmp_path / "cases.jsonl")

    lines = (tmp_path / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    assert count == 2
    assert [json.loads(line)["id"] for line in lines] == ["live_multiple_0", "live_multiple_1"]
    assert [path.name for path in tmp_path.iterdir()] == ["cases.jsonl"]


def test_a_download_cut_short_is_refused(tmp_path: Path) -> None:
    """A file of another digest is never read; the error says what, why and the fix."""
    cut = tmp_path / "bfcl.whl"
    cut.write_bytes(b"PK")

    with pytest.raises(fetch_cases.FetchError, match="not the file") as refused:
        fetch_cases.checked(cut)

    assert "why: its SHA-256 is " in str(refused.value)
    assert "fix: run again" in str(refused.value)


def test_a_missing_download_is_refused(tmp_path: Path) -> None:
    """Pip may succeed and bring another file than the one expected."""
    with pytest.raises(fetch_cases.FetchError, match="no file"):
        fetch_cases.checked(tmp_path / "bfcl.whl")


def test_an_unreachable_index_is_told_in_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever pip stumbles over, the reader learns what broke, why, and the next move."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    with pytest.raises(fetch_cases.FetchError, match="could not be downloaded") as failed:
        fetch_cases.fetch(tmp_path / "data")

    assert "\n  why: " in str(failed.value)
    assert "\n  fix: check the network" in str(failed.value)
    assert list((tmp_path / "data").iterdir()) == []


def wheel_of(offers: Sequence[Offer]) -> BytesIO:
    """Build what the leaderboard publishes, as small as can be."""
    requests, answers = "", ""
    for number, (turn, tools, right) in enumerate(offers):
        name = f"live_multiple_{number}"
        requests += json.dumps({"id": name, "question": [turn], "function": tools}) + "\n"
        truth = [{right: {"preferences": ["hot"]}}]
        answers += json.dumps({"id": name, "ground_truth": truth}) + "\n"
    wheel = BytesIO()
    with ZipFile(wheel, "w") as archive:
        archive.writestr(fetch_cases.REQUESTS, requests)
        archive.writestr(fetch_cases.ANSWERS, answers)
    return wheel
