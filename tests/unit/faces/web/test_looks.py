"""Each status is told by a word and a shape, and each rule says where to look."""

from __future__ import annotations

from proveout.domain.alert import Rule
from proveout.domain.review import ReviewState
from proveout.domain.run import RunState
from proveout.domain.verdict import Status, Verdict
from proveout.faces.web.alerts import WHERE
from proveout.faces.web.looks import LOOKS, look_of
from proveout.faces.web.readiness import TALLY, URGENCY


def test_every_status_of_the_domain_has_a_look() -> None:
    """No status falls back on a word alone."""
    known = (*RunState, *Verdict, *Status, *ReviewState, *TALLY)

    assert [one for one in known if one.upper() not in LOOKS] == []
    assert set(TALLY) == set(URGENCY)


def test_every_rule_says_where_to_look_first() -> None:
    """Whoever is woken needs no map."""
    assert set(WHERE) == set(Rule)


def test_colour_never_stands_alone() -> None:
    """Two statuses of one kind never share both sign and word."""
    for kind in (RunState, Verdict, Status, ReviewState):
        looks = [(look_of(one).sign, look_of(one).word) for one in kind]

        assert len(set(looks)) == len(looks)
        assert len({sign for sign, _ in looks}) == len(looks)
