"""Scores that come with Proveout: what each compares, and what it forgives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from proveout.domain.criterion import ACCEPTED, Options, Scored
from proveout.errors import Mistake

if TYPE_CHECKING:
    from proveout.domain.case import Case
    from proveout.prove.score import Scorer

Comparison: TypeAlias = Callable[[Any, Any, Options], bool | float]
"""The part of the result, the part of what is expected, and the options of the criterion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn:
    """A score that comes with Proveout.

    Attributes:
        passes: what passes, or what its value is, in one line.
        compare: called with parts of the result and of what the case expects.
        takes: the options that it knows beside `field`.
        needs: the option without which it says nothing; "" where there is none.
        reads_expected: whether it compares with what a case expects.
        is_share: whether it gives a share from 0 to 1; else pass or fail.
    """

    passes: str
    compare: Comparison
    takes: frozenset[str] = frozenset()
    needs: str = ""
    reads_expected: bool = True
    is_share: bool = False


MISSING: Final = object()
"""What stands at a path that leads nowhere; it equals nothing that a case can expect."""


def at(value: object, path: str) -> object:
    """Return what stands at a dotted path in JSON data, or `MISSING`; "" is the whole."""
    for name in path.split(".") if path else ():
        if not isinstance(value, dict) or name not in value:
            return MISSING
        value = cast("dict[str, object]", value)[name]
    return value


def expected_at(expected: object, path: str) -> object:
    """Return what a case expects at a path; what is no object is meant for that path.

    Raises:
        Mistake: the case expects an object that has nothing there.
    """
    if not path or not isinstance(expected, dict):
        return expected
    found = at(cast("object", expected), path)
    if found is MISSING:
        raise Mistake(f"the case expects nothing under {path}")
    return found


def plain(value: object) -> Hashable:
    """Return JSON data as values of which equal ones are equal numbers, and True is not 1."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, list):
        return ("list", *map(plain, cast("list[object]", value)))
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return ("dict", frozenset((key, plain(item)) for key, item in pairs))
    return cast("Hashable", value)


def normal(text: str) -> str:
    """Return a text without what nobody means: case, width, and how words are spaced."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _exact(got: Any, expected: Any, _: Options) -> bool:
    return plain(got) == plain(expected)


def _text(got: Any, expected: Any, _: Options) -> bool:
    return isinstance(got, str) and normal(got) == normal(_a_text(expected))


def _contains(got: Any, expected: Any, _: Options) -> bool:
    texts = cast("list[object]", expected if isinstance(expected, list) else [expected])
    wanted = [normal(_a_text(one)) for one in texts]
    return isinstance(got, str) and all(one in normal(got) for one in wanted)


def _pattern(got: Any, _: Any, options: Options) -> bool:
    return isinstance(got, str) and re.search(options.pattern, got) is not None


def _choice(got: Any, expected: Any, options: Options) -> bool:
    names = {normal(one): one for one in options.choices}
    meant = normal(_a_text(expected))
    if meant not in names:
        raise Mistake(f"the case expects {expected!r}, which is not among the choices")
    longest_first = sorted(names, key=len, reverse=True)
    anywhere = rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)"
    return isinstance(got, str) and set(re.findall(anywhere, normal(got))) == {meant}


def _number(got: Any, expected: Any, options: Options) -> bool:
    wanted = _as_number(expected)
    if wanted is None:
        raise Mistake(f"the case expects {expected!r}, which is no number")
    found = _as_number(got)
    tolerance = Decimal(str(options.tolerance or 0))
    allowed = abs(wanted) * tolerance if options.is_relative else tolerance
    return found is not None and abs(found - wanted) <= allowed


def _fields(got: Any, expected: Any, options: Options) -> bool:
    return _share_of_fields(got, expected, options) == 1.0


def _share_of_fields(got: Any, expected: Any, options: Options) -> float:
    if not isinstance(expected, dict) or not expected:
        raise Mistake("the case expects no object, so there are no fields to compare")
    wanted = cast("dict[str, object]", expected)
    if options.fields:
        pairs = [(at(got, path), expected_at(wanted, path)) for path in options.fields]
    else:
        mine = cast("dict[str, object]", got if isinstance(got, dict) else {})
        pairs = [(mine.get(name, MISSING), value) for name, value in wanted.items()]
    return sum(plain(one) == plain(other) for one, other in pairs) / len(pairs)


def _set_precision(got: Any, expected: Any, _: Options) -> float:
    found, wanted = _sets(got, expected)
    return len(found & wanted) / len(found) if found else float(not wanted)


def _set_recall(got: Any, expected: Any, _: Options) -> float:
    found, wanted = _sets(got, expected)
    return len(found & wanted) / len(wanted) if wanted else 1.0


def _sets(got: object, expected: object) -> tuple[set[Hashable], set[Hashable]]:
    """Return two lists as sets of their items; a result that is no list has none."""
    if not isinstance(expected, list):
        raise Mistake("the case expects no list")
    return _items(got), _items(cast("object", expected))


def _items(value: object) -> set[Hashable]:
    return set(map(plain, cast("list[object]", value))) if isinstance(value, list) else set()


def _a_text(expected: object) -> str:
    if not isinstance(expected, str):
        raise Mistake(f"the case expects {expected!r}, which is no text")
    return expected


def _as_number(value: object) -> Decimal | None:
    """Return a finite number, or a text that is one, as it was written; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):  # no number, or an integer too long to write
        return None
    return number if number.is_finite() else None


BUILT_IN: dict[str, BuiltIn] = {
    "exact": BuiltIn(passes="equal as JSON; numbers by value", compare=_exact),
    "text": BuiltIn(passes="the same words; case, width and spaces aside", compare=_text),
    "contains": BuiltIn(passes="the expected text occurs, or each of a list", compare=_contains),
    "pattern": BuiltIn(
        passes="the regular expression is found",
        compare=_pattern,
        takes=frozenset({"pattern"}),
        needs="pattern",
        reads_expected=False,
    ),
    "choice": BuiltIn(
        passes="it names the expected choice, and no other",
        compare=_choice,
        takes=frozenset({"choices"}),
        needs="choices",
    ),
    "number": BuiltIn(
        passes="the expected number, within the tolerance",
        compare=_number,
        takes=frozenset({"tolerance"}),
    ),
    "fields": BuiltIn(
        passes="every field is equal as JSON", compare=_fields, takes=frozenset({"fields"})
    ),
    "share of fields": BuiltIn(
        passes="the share of fields that are equal as JSON",
        compare=_share_of_fields,
        takes=frozenset({"fields"}),
        is_share=True,
    ),
    "set precision": BuiltIn(
        passes="the share of the items that are expected",
        compare=_set_precision,
        is_share=True,
    ),
    "set recall": BuiltIn(
        passes="the share of the expected items that are there",
        compare=_set_recall,
        is_share=True,
    ),
}
"""By the name that a criterion uses."""


def is_share(score: str) -> bool:
    """Whether a score is one of ours that gives a share from 0 to 1."""
    return score in BUILT_IN and BUILT_IN[score].is_share


FIELD = "field"
"""The option that every one of them takes."""

_PERCENT = 100


def as_options(
    score: str,
    *,
    field: str = "",
    fields: Iterable[str] = (),
    choices: Iterable[str] = (),
    tolerance: float | str | None = None,
    pattern: str = "",
) -> Options:
    """Return the options of a score, once they are known to go with it.

    Args:
        score: its name; a function of the user's takes no option.
        field: see `Options`, as the others.
        fields: the same.
        choices: the same.
        tolerance: a distance, or a text such as "2%" for a share of the expected number.
        pattern: the same.

    Raises:
        WrongOption: one of them does not go with the score, or cannot be read.
    """
    distance, is_relative = _tolerance(tolerance)
    options = Options(
        field=field,
        fields=tuple(fields),
        choices=tuple(choices),
        tolerance=distance,
        is_relative=is_relative,
        pattern=pattern,
    )
    if (fault := _fault(score, options)) is not None:
        raise fault
    return options


class WrongOption(Mistake):
    """An option does not go with its score.

    Attributes:
        option: its name.
        is_foreign: the score knows no such option; else it is missing or cannot be read.
    """

    code = "wrong-option"

    def __init__(self, option: str, what: str, why: str = "", *, is_foreign: bool = False) -> None:
        super().__init__(what, why=why)
        self.option = option
        self.is_foreign = is_foreign


def _fault(score: str, options: Options) -> WrongOption | None:
    given = [one for one in OPTIONS if getattr(options, one) not in ("", (), None)]
    known = BUILT_IN.get(score)
    if known is None:
        why = "it goes with a score that comes with Proveout; a function knows for itself"
        if score == ACCEPTED:
            why = "people decide on the whole answer"
        return _foreign(given[0], score, why) if given else None
    for one in given:
        if one != FIELD and one not in known.takes:
            takes = " and ".join([FIELD, *sorted(known.takes)])
            return _foreign(one, score, f"it takes {takes}")
    if known.needs and known.needs not in given:
        return WrongOption(known.needs, f"the score {score} needs {known.needs}", known.passes)
    names = {normal(one) for one in options.choices}
    if options.choices and (len(names) < len(options.choices) or len(names) < 2 or "" in names):  # noqa: PLR2004 - two make a choice
        why = "they are texts that differ in more than case, width and spaces"
        return WrongOption("choices", "choices are at least two", why)
    try:
        re.compile(options.pattern)
    except re.error as error:
        return WrongOption("pattern", f"pattern is no regular expression: {error}")
    return None


def _foreign(option: str, score: str, why: str) -> WrongOption:
    return WrongOption(option, f"{option} does not go with {score}", why, is_foreign=True)


OPTIONS = (FIELD, "fields", "choices", "tolerance", "pattern")


def _tolerance(given: float | str | None) -> tuple[float | None, bool]:
    """Return a tolerance as a number, and whether it is a share of what is expected."""
    if given is None:
        return None, False
    text = str(given).strip()
    is_relative = text.endswith("%")
    number = _as_number(text.removesuffix("%"))
    if isinstance(given, bool) or number is None or number <= 0:
        why = "it is a distance above 0, or a share of the expected number"
        raise WrongOption("tolerance", f"{given!r} is no tolerance", why)
    return float(number / _PERCENT if is_relative else number), is_relative


def built_in(measure: Scored) -> Scorer | None:
    """Return the score that a criterion names where it is one of ours, told its options."""
    found, options = BUILT_IN.get(measure.score), measure.options
    if found is None:
        return None

    def judged(result: object, case: Case) -> bool | float:
        expected = expected_at(case.expected, options.field) if found.reads_expected else None
        return found.compare(at(result, options.field), expected, options)

    return judged
