"""What no file tells: at most five questions, and what the answers mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proveout.ready.people import is_known

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that an audit asks of a person.

    Attributes:
        key: its name in `audit.v1`; for people also that under `[workflow]`.
        asks: the question, in words.
        is_yes_or_no: whether it is answered so; else by a name.
    """

    key: str
    asks: str
    is_yes_or_no: bool = False


USED = Question(
    key="used", asks="Do people outside the team rely on its answers today?", is_yes_or_no=True
)
REACHED = Question(
    key="reached",
    asks="Was a number set that it must reach, and reached on cases nobody tuned it on?",
    is_yes_or_no=True,
)
OPERATOR = Question(key="operator", asks="Who is called when it breaks?")
REVIEWER = Question(key="reviewer", asks="Who decides where the model is not sure?")
DOWNSTREAM = Question(key="downstream", asks="Who or what receives its results?")
OWNER = Question(key="owner", asks="Who answers for it, and may stop it?")

OF_REPOSITORY = (USED, REACHED, OPERATOR, REVIEWER, DOWNSTREAM)
OF_PROJECT = (OWNER, OPERATOR, REVIEWER, DOWNSTREAM)


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said; what was not is open."""

    given: Mapping[str, str]

    def says(self, question: Question) -> bool | None:
        """Return yes or no to a question; None where it is open."""
        said = self.given.get(question.key, "").strip().casefold()
        return None if said not in ("yes", "no") else said == "yes"

    def name(self, question: Question) -> str:
        """Return who was named; "" where nobody was."""
        said = self.given.get(question.key, "")
        return said if is_known(said) else ""

    def is_open(self, question: Question) -> bool:
        """Whether a question still has no answer."""
        if question.is_yes_or_no:
            return self.says(question) is None
        return not self.name(question)

    @property
    def names_anybody(self) -> bool:
        """Whether somebody operates it, reviews it or receives its results."""
        return any(map(self.name, (OPERATOR, REVIEWER, DOWNSTREAM)))
