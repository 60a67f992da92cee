"""Write the tables of docs/verdicts.md that say what is promised, and what common practice does.

PYTHONPATH=tests/calibration python tests/calibration/tables.py
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from exact_walk import urn, walk
from practices import every_practice
from test_pass_fail_promises import ALPHA, BETA, DESIGNS, criterion, endings, least_possible

from proveout.statistics.planning import fixed_sample
from proveout.statistics.sequential import FixedDataset

if TYPE_CHECKING:
    from practices import Practice

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"
PRACTICES = "practices"
PROMISES = "promises"
EXPERIMENTS = 4_000
DATASET = 500


def main() -> None:
    """Compute everything again; takes some minutes."""
    text = PAGE.read_text("utf-8")
    text = placed(text, PRACTICES, table_of(every_practice(EXPERIMENTS)))
    text = placed(text, PROMISES, table_of_promises())
    PAGE.write_text(text, "utf-8")


def placed(text: str, name: str, table: str) -> str:
    """Return the page with a table between its two marks."""
    begin, end = f"<!-- {name}: written by make calibration -->", "<!-- end -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    assert pattern.search(text), name
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text, count=1)


def table_of(practices: list[Practice]) -> str:
    """Return the common practices with their wrong GOs, beside ours."""
    rows = [
        f"| {one.name} | **{one.wrong_go:.0%}** | {one.instead} | {one.ours:.1%} |"
        for one in sorted(practices, key=lambda one: -one.wrong_go)
    ]
    head = "| common practice | wrong GO | instead | wrong GO |\n| --- | --- | --- | --- |"
    return "\n".join([head, *rows])


def table_of_promises() -> str:
    """Return both errors and the expected cases of pass/fail criteria, computed exactly."""
    head = (
        "| floor, target | wrong GO | wrong NO-GO | cases at floor, at target | beside the least"
        " possible | beside a test read once | beyond, at best |\n"
        "| --- | --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *map(_row, DESIGNS), _of_these_cases()])


def _row(design: tuple[float, float]) -> str:
    floor, margin = design
    found, target = endings(*design), round(floor + margin, 6)
    at_floor, at_target = found[floor], found[target]
    fixed = fixed_sample(criterion(*design))
    cases = at_floor.expected, at_target.expected
    least = [
        ending.expected / least_possible(*design, rate)
        for rate, ending in ((floor, at_floor), (target, at_target))
    ]
    beyond = [found[rate].expected for rate in DESIGNS[design]]
    return (
        f"| {floor:g}, {target:g} | {at_floor.chance_of('go'):.1%} |"
        f" {at_target.chance_of('no-go'):.1%} | {cases[0]:.0f}, {cases[1]:.0f} |"
        f" {max(least):.2f} x | {max(cases) / fixed:.2f} x | {min(beyond):.0f} of {fixed} |"
    )


def _of_these_cases() -> str:
    """Return the row of a dataset of which every case could be tried."""
    test = FixedDataset(size=DATASET, threshold=0.85, margin=0.05, alpha=ALPHA, beta=BETA)
    truths = [urn(DATASET, passing) for passing in (424, 450, 475)]
    at_floor, at_target, beyond = walk(test, truths, DATASET)
    return (
        f"| 0.85, 0.9 on {DATASET} cases | {at_floor.chance_of('go'):.1%} |"
        f" {at_target.chance_of('no-go'):.1%} |"
        f" {at_floor.expected:.0f}, {at_target.expected:.0f} | |"
        f" {max(at_floor.expected, at_target.expected) / fixed_sample(test):.2f} x |"
        f" {beyond.expected:.0f} of {fixed_sample(test)} |"
    )


if __name__ == "__main__":
    main()
