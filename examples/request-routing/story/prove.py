"""Part 1: is the idea good enough, and worth it? Two candidates, judged on the same cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from story import tell

if TYPE_CHECKING:
    from pathlib import Path

    from story.command import Project


def prove(project: Project, report: Path) -> dict[str, Any]:
    """Prove both candidates; return what it took."""
    tell.command("prove")
    print()
    project.show("prove")
    project.text("report", "-o", str(report))
    figures = figures_of(project.ask("verdict"), project.ask("prove", "--plan"))
    print()
    for name, one in figures["candidates"].items():
        right = f"{one['right']:.1%} right"
        tell.line(f"{name:10} {one['verdict']:6} after {one['cases']} cases, {right}")
    tell.line(
        f"{figures['calls']} calls in all. Read once at the same error rates, a test takes"
        f" {figures['fixed_sample_calls_each']} for each candidate: {figures['calls_saved']}"
        " calls were saved."
    )
    return figures


def figures_of(verdict: Any, plan: Any) -> dict[str, Any]:
    """Return what the verdict took, against a test that is read once."""
    candidates = {
        one["name"]: {
            "verdict": one["verdict"],
            "cases": one["cases"],
            "calls": one["calls"],
            "right": one["criteria"][0]["estimate"],
        }
        for one in verdict["candidates"]
    }
    calls = sum(one["calls"] for one in candidates.values())
    fixed = plan["fixed_sample_calls"]
    return {
        "cases": plan["cases"],
        "candidates": candidates,
        "calls": calls,
        "fixed_sample_calls_each": fixed,
        "calls_saved": len(candidates) * fixed - calls,
        "usd": verdict["cost"]["usd"],
    }
