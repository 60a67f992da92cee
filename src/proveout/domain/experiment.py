"""Experiments: a question with its criteria, locked before the first trial."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NewType, TypeAlias

from proveout.domain.criterion import Lead

if TYPE_CHECKING:
    from datetime import timedelta

    from proveout.domain.criterion import Criterion
    from proveout.domain.money import Usd

ExperimentId = NewType("ExperimentId", str)

OWN = "workflow"
"""The name of the candidate that is the workflow itself."""


class Claim(StrEnum):
    """What a verdict speaks of."""

    THESE_CASES = "these cases"
    FUTURE_TRAFFIC = "future traffic"


class Estimand(StrEnum):
    """What is averaged over future traffic where cases share a source."""

    PER_REQUEST = "per request"
    PER_SOURCE = "per source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that takes an input as JSON and gives its answer as JSON.

    Attributes:
        url: http or https, without a user in it.
        headers_env: names of headers, each with the variable that holds its value.
        timeout: how long one whole answer may take.
        allow_private: the host of `url`, where it may stand at an address that is not public.
    """

    url: str
    headers_env: tuple[tuple[str, str], ...] = ()
    timeout: timedelta
    allow_private: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program that reads inputs and writes answers, each as one line of JSON.

    Attributes:
        words: the program and its arguments, seen from the project's folder.
        timeout: how long one answer may take.
    """

    words: tuple[str, ...]
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersFile:
    """Answers that were given before.

    Attributes:
        file: its path, seen from the project's folder.
    """

    file: str


Elsewhere: TypeAlias = "Endpoint | Command | AnswersFile"
"""What answers without being a function of the project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What an experiment judges.

    Attributes:
        name: `OWN` for the workflow itself.
        entry: `module:attribute` of a workflow or a plain function, or what answers elsewhere.
        price_per_call: declared money for one call; None when it is not known.
        is_metered: what a call costs is what the models that it calls cost.
        reuse: somebody vouches that it answers as it did before, though nobody can see that.
        code: hexadecimal SHA-256 of the source that executes, or of the file of answers; ""
            for an address.
    """

    name: str
    entry: str | Elsewhere
    price_per_call: Usd | None = None
    code: str = ""
    is_metered: bool = False
    reuse: bool = False

    @property
    def is_reusable(self) -> bool:
        """Whether an answer that it gave to an earlier look may stand for another call."""
        return isinstance(self.entry, str) or self.reuse

    @property
    def is_exploratory(self) -> bool:
        """Whether its answers came from a file: nobody saw them being given."""
        return isinstance(self.entry, AnswersFile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that trials may use; None where there is no limit.

    Attributes:
        calls: count of calls, repeats included.
        money: total over all calls, each reserved at its cap before it is made.
        cap_per_call: the most one call can cost; what is reserved.
    """

    calls: int | None = None
    money: Usd | None = None
    cap_per_call: Usd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """How often a verdict may be wrong, as probabilities between 0 and 1.

    Attributes:
        wrong_go: chance of GO although a criterion is at its floor.
        wrong_no_go: chance of NO-GO although all criteria are at their targets.
    """

    wrong_go: float = 0.05
    wrong_no_go: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an experiment is about, declared and not yet locked.

    Attributes:
        concurrency: most trials in flight at once.
        repeats: trials of each case, whose mean is one observation.
        pick_best: judge several candidates at an error rate divided by their number.
    """

    name: str
    workflow: str
    question: str
    claim: Claim
    criteria: tuple[Criterion, ...]
    candidates: tuple[Candidate, ...]
    budget: Budget
    time_box: timedelta
    errors: ErrorRates = ErrorRates()
    concurrency: int = 8
    pick_best: bool = False
    repeats: int = 1
    estimand: Estimand = Estimand.PER_REQUEST

    @property
    def criteria_alone(self) -> tuple[Criterion, ...]:
        """The criteria that speak of one candidate alone: all but leads."""
        return tuple(one for one in self.criteria if not isinstance(one.measure, Lead))

    def criteria_of(self, candidate: str) -> tuple[Criterion, ...]:
        """Return the criteria that a candidate is judged by: a lead is the workflow's own."""
        return self.criteria if candidate == OWN else self.criteria_alone
