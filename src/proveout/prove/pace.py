"""How many trials of a candidate may be in flight at once, found while they run.

More at once is worth it while the answers come as fast as before and nobody is turned away.
It doubles until the first sign that it is not. Two signs are read, and nothing else:

- A call was turned away. Half remain, none begins before the moment that was asked for, and
  the number that is borne is then looked for by halving the gap between what was borne and
  what was not. Once it is found it is kept, and more is tried again only after a time so long
  that the search costs little.
- Answers take longer. If n calls at once take twice as long as n/2 did, they gain nothing:
  they wait for each other over there. What remains is the number that would keep the
  candidate just as busy at its first latency. If fewer at once are no faster, the candidate
  has become slower by itself, and that is its latency from then on.

Latencies are compared by the means of their logarithms, because answers that take twice as long
are as usual as answers that take half as long, and only beyond what chance makes of so few.

Source:
    Little (1961): what is in flight is throughput times latency. Jacobson (1988): doubling at
    the start, half on a loss. Brakmo and Peterson (1995), TCP Vegas: a latency above the first
    tells of a queue, looked at once a round. Xu, Harfoush and Rhee (2004), binary increase:
    looking for the level between two. Netflix, concurrency-limits (2018): the same for requests.
"""

from __future__ import annotations

from enum import StrEnum
from math import exp, log, sqrt

FIRST = 2
"""Trials at once to begin with."""

LEAST, AMPLE = 4, 64
"""Answers of the shortest round, and those after which one that says too little is over."""

REMEMBERED = 128
"""Answers that the latency to compare with is taken from."""

AS_BEFORE = 1.25
"""Times the first latency up to which answers come as fast as before."""

HARDLY_WORTH = 1.5
"""Times the first latency up to which twice as many at once are worth it."""

OURS = 0.05
"""Seconds by which answers may come later because this process is busy."""

SURE = 3.0
"""Standard errors by which a latency must differ."""

SPREAD = 0.5
"""The standard deviation of a latency's logarithm while nobody knows better."""

MUCH_FEWER = 0.67
"""The share of calls at once of which it can be told whether they are faster."""

DEAR = 20
"""Times the length of a search that what it found is kept."""

HOLDS = (0.2, 5.0)
"""Seconds, the first and the longest, that nothing begins where nobody said how long to wait and
nobody was answered since the one before was turned away; each is twice the last."""


ROUNDING = 1e-9
"""Seconds by which the beginning of a call may be missed."""


SHORTEST = 1e-6
"""Seconds that no answer is taken to be faster than."""


class Sign(StrEnum):
    """Why fewer are in flight than may be."""

    TURNED_AWAY = "turned away"
    SLOWER = "slower"


class Latencies:
    """Latencies of some answers, on a scale on which twice and half are equally far."""

    def __init__(self) -> None:
        self._logs: list[float] = []

    def __len__(self) -> int:
        return len(self._logs)

    def add(self, seconds: float) -> None:
        """Count one more."""
        self._logs.append(log(max(seconds, SHORTEST)))

    def take(self, others: Latencies) -> None:
        """Count those of others too, as far as they are remembered."""
        self._logs += others._logs[: max(0, REMEMBERED - len(self))]

    @property
    def mean(self) -> float:
        """The mean of their logarithms."""
        return sum(self._logs) / len(self)

    @property
    def usual(self) -> float:
        """The seconds that half of them are below."""
        return exp(self.mean)

    @property
    def spread(self) -> float:
        """The standard deviation of their logarithms; of few, as if some more were as usual."""
        mean = self.mean
        squares = sum((one - mean) ** 2 for one in self._logs)
        return sqrt((squares + LEAST * SPREAD**2) / (len(self) + LEAST))

    def error_beside(self, others: Latencies) -> float:
        """Return the standard error of the difference of two means, when they are alike."""
        return self.spread * sqrt(1 / len(self) + 1 / len(others))


class Pace:
    """Says how many trials may be in flight at once, from what became of those before.

    Moments are in seconds of one clock that never runs backwards.

    Attributes:
        at_once: how many may be in flight now, 1 to `most`.
        held_until: the moment before which none begins.
        sign: why they are fewer than `most`; None before the first sign.
    """

    def __init__(self, most: int) -> None:
        """Begin with few.

        Args:
            most: trials that may ever be in flight at once, from 1.
        """
        self._most = most
        self.at_once = min(FIRST, most)
        self.held_until = -1.0
        self.sign: Sign | None = None
        self._doubles = True
        self._step = 1
        self._borne = 1
        self._refused: int | None = None
        self._search_began = 0.0
        self._kept_until = 0.0
        self._cut_at = -1.0
        self._unanswered = 0
        self._first = Latencies()
        self._before: tuple[int, float] | None = None
        self._round = Latencies()
        self._round_began = -1.0
        self._judged_at = LEAST
        self._was_full = False

    def turned_away(self, at: float, began: float, wait: float | None) -> None:
        """Take in that a call was asked to come again later.

        Args:
            at: now.
            began: when the call began; one that began before the last halving tells nothing new.
            wait: seconds that it was asked to wait; None where nobody said.
        """
        if wait is not None:
            self.held_until = max(self.held_until, at + wait)
        if began < self._cut_at:
            return
        self.sign = Sign.TURNED_AWAY
        if self.at_once > 1 or not self._unanswered:
            self._note_refused(at)
        else:  # it is down, not full: a search would find nothing
            self._refused, self._borne, self._doubles = None, 1, True
            first, longest = HOLDS
            hold = min(longest, first * 2 ** min(self._unanswered - 1, 30))
            self.held_until = max(self.held_until, at + (hold if wait is None else 0.0))
        self._unanswered += 1
        self._cut_at = at
        self._before = None
        self._go_on_with(self.at_once // 2, at)

    def answered(self) -> None:
        """Take in that somebody is answered: the candidate is there."""
        self._unanswered = 0

    def finished(self, at: float, seconds: float, in_flight: int, *, answered: bool = True) -> None:
        """Take in how long a call took.

        Args:
            at: now, when it has ended.
            seconds: that it took.
            in_flight: calls at that moment, this one included.
            answered: False where it failed, which tells something only where that took long.
        """
        if answered:
            self.answered()
        elif not len(self._first) or log(max(seconds, SHORTEST)) < self._first.mean:
            return
        if at - seconds < self._round_began - ROUNDING:
            return
        self._round.add(seconds)
        self._was_full = self._was_full or in_flight >= self.at_once
        if len(self._round) >= self._judged_at:
            self._judge(at)

    def _note_refused(self, at: float) -> None:
        """Remember that as many as now were not borne."""
        if self._refused is None:
            self._search_began = at
        self._refused, self._doubles = max(2, self.at_once), False
        if self._borne >= self._refused:
            self._borne = max(1, self._refused // 2)

    def _judge(self, at: float) -> None:
        """End a round, and go up, down or on as before; or let it go on where it says too little.

        One that began after fewer were let through tells first whether that helped.
        """
        if self._before is not None and self._is_slow_by_itself(*self._before):
            self._first, self._before, self._doubles = Latencies(), None, True
        if not len(self._first):
            self._first.take(self._round)
        difference = self._round.mean - self._first.mean
        noise = SURE * self._first.error_beside(self._round)
        limit = log(HARDLY_WORTH if self._doubles else AS_BEFORE)
        is_slow = difference > limit and self._round.usual - self._first.usual > OURS
        if is_slow and difference > noise and self.at_once > 1:
            self._slow_down(at, difference)
        elif is_slow and difference <= noise and len(self._round) < AMPLE and not self._doubles:
            self._judged_at = 2 * len(self._round)
        else:
            if difference < -max(limit, noise):
                self._first = Latencies()
            self._first.take(self._round)
            self._before = None
            self._go_on_with(self._more(at) if self._was_full else self.at_once, at)

    def _is_slow_by_itself(self, at_once: int, latency: float) -> bool:
        """Whether much fewer at once than before were hardly faster.

        Args:
            at_once: how many there were before.
            latency: the mean logarithm of those.
        """
        share = self.at_once / at_once
        return share <= MUCH_FEWER and self._round.mean - latency > log(share) / 2

    def _slow_down(self, at: float, difference: float) -> None:
        """Keep only as many as would keep the candidate as busy without waiting there."""
        self.sign = self.sign or Sign.SLOWER
        self._before = self._before or (self.at_once, self._round.mean)
        self._doubles, self._step = False, 1
        fewer = round(self.at_once * exp(-difference))
        self._go_on_with(max(min(fewer, self.at_once - 1), self.at_once // 2), at)

    def _more(self, at: float) -> int:
        """Return the next number to try after one that was borne."""
        self._borne = max(self._borne, self.at_once)
        if self._refused is not None and self._refused - self._borne <= 1:
            if not self._kept_until:
                self._kept_until = at + DEAR * (at - self._search_began)
            if at < self._kept_until:
                return self._borne
            self._refused, self._step = None, 1
        self._kept_until = 0.0
        if self._refused is not None:
            return (self._borne + self._refused) // 2
        if self._doubles:
            return self.at_once * 2
        self._step *= 2
        return self.at_once + self._step // 2

    def _go_on_with(self, at_once: int, at: float) -> None:
        """Begin a round."""
        self.at_once = max(1, min(self._most, at_once))
        if self.at_once == self._most:
            self.sign = None
        self._round, self._round_began = Latencies(), max(at, self.held_until)
        self._judged_at = max(LEAST, self.at_once, 4 * LEAST if self._before else 0)
        self._was_full = False
