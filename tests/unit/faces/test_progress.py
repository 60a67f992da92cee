"""Progress: what is said beside the figures when an experiment goes slower than it may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doubles.account import STORIES, account_of
from proveout.domain.experiment import OWN
from proveout.faces.cli.progress import figures, one_line
from proveout.prove.allowance import Slowed
from proveout.prove.pace import Sign


@pytest.mark.parametrize(
    ("slowed", "said"),
    [
        (Slowed(OWN, 4, Sign.TURNED_AWAY), "4 at once, the vendor asks to wait"),
        (Slowed("rival", 1, Sign.TURNED_AWAY), "1 of rival at once, it asks to wait"),
        (Slowed(OWN, 3, Sign.SLOWER), "3 at once, more would only be slower"),
    ],
)
def test_it_says_how_many_go_at_once_where_more_may(slowed: Slowed, said: str) -> None:
    """On a terminal and in a log; nothing where all go that may."""
    account = account_of(STORIES["go"])

    found = replace(account, slowed=(slowed,))

    assert said in figures(found)[-1]
    assert one_line(found).endswith(f" calls · {said}")
    assert " at once" not in "\n".join([*figures(account), one_line(account)])
