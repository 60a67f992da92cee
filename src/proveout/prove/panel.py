"""What judges and people say of answers: each is kept when it is said, and asked for once."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from proveout.domain.criterion import Scored
from proveout.domain.label import Label, Opinion
from proveout.domain.record import Kind, decode, encode
from proveout.domain.unit import Keep, Put, UnitId
from proveout.prove.calibrate import SITTING, UNHEARD, Said, drawn, label_name, shares_of
from proveout.prove.lock import canonical, case_digest, digest, words
from proveout.prove.observe import raised
from proveout.prove.score import read_score
from proveout.run.caller import judging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proveout.domain.criterion import Criterion
    from proveout.prove.conduct import Setup
    from proveout.prove.label import Word
    from proveout.prove.observe import Trialled
    from proveout.prove.score import Scorer
    from proveout.run.work import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked of an answer.

    Attributes:
        name: under which its label is kept.
        answer: hexadecimal SHA-256 of the answer.
        kept: what a person said; None while nobody has.
    """

    name: str
    criterion: Criterion
    trialled: Trialled
    answer: str
    kept: Label | None

    @property
    def label(self) -> float | None:
        """The value of what a person said; None while nobody has."""
        return None if self.kept is None else self.kept.value


class Heard(NamedTuple):
    """A trial, and what was said of it."""

    trialled: Trialled
    said: Said


class Panel:
    """The judges and the people of one experiment.

    An opinion is kept as soon as it is given, and a judge not called again for that answer. A
    label is kept for the answer that was seen: another one needs another label.
    """

    def __init__(self, bench: Bench, setup: Setup) -> None:
        self._bench = bench
        self._plan = setup.plan
        self._layout = setup.layout
        self._seed = setup.experiment.order_seed
        self._scorers = setup.scorers
        self._judged = tuple(one for one in setup.plan.criteria if one.judge is not None)
        self._decided = tuple(one for one in setup.plan.criteria if one.is_decided)
        self._shares = shares_of(setup.plan.criteria)
        self._opinions: dict[str, float] = {}
        self._labels: dict[str, Label] = {}

    def at_once(self, most: int, *, asks: bool) -> int:
        """Return how many trials are heard at once: while judges are asked, no more than run."""
        return self._plan.concurrency if asks and self._judged else most

    def ahead(self, read: int, last: int) -> int:
        """Return before which position trials run ahead, at least `last`.

        Where people label, as far as a sitting of them has answers to see.
        """
        if not (self._shares or self._decided):
            return last
        asked = 0
        for position in range(read, self._layout.trials):
            asked += bool(self._decided or self._drawn(position))
            if asked > SITTING:
                return max(last, position)
        return self._layout.trials

    async def hear(self, trials: Sequence[Trialled], *, asks: bool) -> list[Heard]:
        """Return what is said of trials, up to the first of which something is still to be said.

        Args:
            trials: finished, and one after the other in the recorded order.
            asks: whether judges are called where they have not spoken yet.

        Raises:
            BadScore: a judge raised, or gave something that its criterion cannot read. What
                other judges said meanwhile is kept.
        """
        if not (self._judged or self._decided):
            return [Heard(one, UNHEARD) for one in trials]
        found = await asyncio.gather(
            *(self._said(one, asks=asks) for one in trials), return_exceptions=True
        )
        heard: list[Heard] = []
        for trialled, said in zip(trials, found, strict=True):
            if isinstance(said, BaseException):
                raise said
            if said is None:
                break
            heard.append(Heard(trialled, said))
        return heard

    async def opinions(self, trialled: Trialled) -> Said:
        """Return what the judges say of an answer, whatever people said."""
        if not trialled.answered:
            return UNHEARD
        names = [one.name for one in self._judged]
        values = [await self._opinion(one, trialled, asks=True) for one in self._judged]
        return Said(opinions={n: v for n, v in zip(names, values, strict=True) if v is not None})

    async def questions(self, trialled: Trialled) -> list[Question]:
        """Return what people are asked of a finished trial, with what they have said."""
        if not trialled.answered:
            return []
        shares = self._drawn(_position(trialled))
        asked = [*self._decided, *(one for one in self._judged if one.name in shares)]
        answer = digest(canonical(trialled.result)) if asked else ""
        names = [label_name(self._plan, one, trialled.case, answer) for one in asked]
        return [
            Question(
                name=name,
                criterion=one,
                trialled=trialled,
                answer=answer,
                kept=await self._label(name),
            )
            for name, one in zip(names, asked, strict=True)
        ]

    async def answer(self, question: Question, word: Word, by: str) -> Question:
        """Keep a person's label, in place of one given before; return the question with it."""
        label = Label(
            value=word.value,
            case=question.trialled.case.id,
            criterion=question.criterion.name,
            answer=question.answer,
            by=by,
            at=self._bench.clock.now(),
            edit=word.edit,
            reason=word.reason,
        )
        await self._keep(Kind.LABEL, question.name, label)
        self._labels[question.name] = label
        return replace(question, kept=label)

    async def _said(self, trialled: Trialled, *, asks: bool) -> Said | None:
        """Return what is said of a trial; None while something is still to be said."""
        if not trialled.answered:
            return UNHEARD
        labels: dict[str, float] = {}
        decisions: dict[str, Label] = {}
        for question in await self.questions(trialled):
            if question.kept is None:
                return None
            if question.criterion.is_decided:
                decisions[question.criterion.name] = question.kept
            else:
                labels[question.criterion.name] = question.kept.value
        opinions = {name: one.value for name, one in decisions.items()}
        for criterion in self._judged:
            opinion = await self._opinion(criterion, trialled, asks=asks)
            if opinion is None:
                return None
            opinions[criterion.name] = opinion
        shares = self._drawn(_position(trialled)) if labels else {}
        return Said(opinions=opinions, labels=labels, shares=shares, decisions=decisions)

    def _drawn(self, position: int) -> dict[str, float]:
        return drawn(self._shares, self._seed, self._layout.case_at(position))

    async def _label(self, name: str) -> Label | None:
        if name not in self._labels:
            body = await self._bench.store.record(Kind.LABEL, name)
            if body is None:
                return None
            self._labels[name] = decode(Label, body)
        return self._labels[name]

    async def _opinion(
        self, criterion: Criterion, trialled: Trialled, *, asks: bool
    ) -> float | None:
        name = opinion_name(criterion, trialled)
        if name not in self._opinions:
            body = await self._kept(name, criterion, trialled)
            if body is not None:
                self._opinions[name] = decode(Opinion, body).value
            elif asks:
                value = await _ask(criterion, self._scorers[criterion.name], trialled)
                await self._keep(Kind.OPINION, name, Opinion(value=value))
                self._opinions[name] = value
        return self._opinions.get(name)

    async def _kept(self, name: str, criterion: Criterion, trialled: Trialled) -> bytes | None:
        """Return the opinion of that name, or one that was kept before answers were reused."""
        store, run = self._bench.store, trialled.run
        body = await store.record(Kind.OPINION, name)
        if body is not None or run.origin is not None:
            return body
        older = f"{run.id} {case_digest(trialled.case)} {criterion.name}"
        return await store.record(Kind.OPINION, older)

    async def _keep(self, kind: Kind, name: str, value: Label | Opinion) -> None:
        keep = Keep(kind=kind, name=name, body=encode(value))
        await self._bench.store.write(Put(id=UnitId(self._bench.ids.new()), keeps=(keep,)))


def opinion_name(criterion: Criterion, trialled: Trialled) -> str:
    """Return the name under which a judge's opinion is kept: of one call, by one judge.

    A look that reuses the answer reads it, unless the judge or the case is another.
    """
    measure = criterion.measure
    assert isinstance(measure, Scored)  # noqa: S101 - only a score is a judge
    graded = measure.graded and [measure.graded.low, measure.graded.high]
    asked = [measure.score, measure.source, graded, words(trialled.case)]
    question = digest(canonical(asked))[:32]
    return f"{trialled.run.keyed_as} {case_digest(trialled.case)} {criterion.name} {question}"


def _position(trialled: Trialled) -> int:
    trial = trialled.run.trial
    assert trial is not None  # noqa: S101 - an experiment hears of its own trials only
    return trial.position


async def _ask(criterion: Criterion, judge: Scorer, trialled: Trialled) -> float:
    """Return what a judge says; one that is no coroutine runs in a thread."""
    measure = criterion.measure
    assert isinstance(measure, Scored)  # noqa: S101 - only a score is a judge
    try:
        with judging():
            given: Any = await asyncio.to_thread(judge, trialled.result, trialled.case)
            if inspect.isawaitable(given):
                given = await given
    except Exception as error:
        raise raised(measure, trialled.case, error) from error
    return read_score(given, measure.graded, measure.score)
