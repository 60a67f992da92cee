"""Choose a tool by shared words, where rare words count for more."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from request_routing.tool import Ranked, Tool, best

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

CASES = Path(__file__).parents[1] / "data" / "cases.jsonl"
CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
WORD = re.compile(r"[a-z0-9]+")


def rank(request: str, tools: Sequence[Tool]) -> Ranked:
    """Choose the tool whose text shares the most telling words with the request."""
    return rank_by(_rarity_in_cases(), request, tools)


def rank_by(rarity: Mapping[str, float], request: str, tools: Sequence[Tool]) -> Ranked:
    """Choose by the cosine between counts of words, each weighted with its rarity."""
    asked = weigh(rarity, request)
    return best(tools, [cosine(asked, weigh(rarity, tool.text)) for tool in tools])


def words(text: str) -> list[str]:
    """Split a text into lower-case words and numbers.

    >>> words("getUserId: Fetch a user's ID.")
    ['get', 'user', 'id', 'fetch', 'a', 'user', 's', 'id']
    """
    return WORD.findall(CAMEL_CASE.sub(" ", text).lower())


def rarity_in(texts: AbstractSet[str]) -> dict[str, float]:
    """Say how telling each word is: the logarithm of texts per text that has it, from 0 up.

    Source:
        Spärck Jones (1972); Salton and Buckley (1988), weighting "tfc".
    """
    holders = Counter(word for text in texts for word in set(words(text)))
    return {word: math.log(len(texts) / count) for word, count in holders.items()}


def weigh(rarity: Mapping[str, float], text: str) -> dict[str, float]:
    """Return each word's count times its rarity; a word never seen weighs nothing."""
    return {word: count * rarity.get(word, 0.0) for word, count in Counter(words(text)).items()}


def cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return the cosine of two weighted texts, 0 to 1; 0 if they share nothing."""
    shared = math.fsum(weight * other.get(word, 0.0) for word, weight in one.items())
    return shared / (math.hypot(*one.values()) * math.hypot(*other.values())) if shared else 0.0


@cache
def _rarity_in_cases() -> dict[str, float]:
    if not CASES.is_file():
        msg = f"{CASES} is missing; write it with: python {CASES.parents[1] / 'fetch_cases.py'}"
        raise FileNotFoundError(msg)
    with CASES.open(encoding="utf-8") as lines:
        offers = [json.loads(line)["input"]["tools"] for line in lines]
    return rarity_in({Tool(**tool).text for tools in offers for tool in tools})
