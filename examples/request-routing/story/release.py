"""Parts 2 and 3: a release, its drills, the audit, and the gate into production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from story import tell
from story.command import BrokenPromise

if TYPE_CHECKING:
    from story.command import Project

DRILLED = ("drill", "result", "control", "summary", "seconds", "figures", "faults")


def create(project: Project) -> str:
    """Create a release of the project as it stands; return its name."""
    tell.command("release create")
    made = project.ask("release", "create")
    tell.line(f"✓ {made['name']}  digest {made['digest'][:12]}, its packages kept beside it")
    return made["name"]


def drill(project: Project, which: str) -> list[dict[str, Any]]:
    """Drill the newest release, a line for each drill; return what each showed.

    Raises:
        BrokenPromise: a drill did not pass, or its control did not fail.
    """
    tell.command(f"drill {which}")
    done: list[dict[str, Any]] = []
    for one in project.stream("drill", which):
        print(tell.drilled(one["drill"], one["summary"], holds=holds(one)), flush=True)
        done.append({name: one[name] for name in DRILLED})
    broken = [one["drill"] for one in done if not holds(one)]
    if broken or not done:
        raise BrokenPromise(f"not proven: {', '.join(broken) or 'nothing was drilled'}")
    return done


def holds(drill: dict[str, Any]) -> bool:
    """Whether a drill passed, and failed with its protection off."""
    return (drill["result"], drill["control"]) == ("PASSED", "failed")


def audit(project: Project) -> dict[str, Any]:
    """Show where the workflow stands; return it.

    Raises:
        BrokenPromise: a claim is open after all drills passed.
    """
    tell.command("audit")
    found = project.ask("audit", may_say_no=True)
    passing = [one for one in found["claims"] if one["status"] in {"PROVEN", "NOT NEEDED"}]
    count, reasons = len(found["claims"]), "; ".join(found["reasons"])
    tell.line(f"{len(passing)} of {count} claims of bar {found['bar']} are proven")
    tell.line(f"{found['choice']}: {reasons}")
    if not found["ready"]:
        raise BrokenPromise("; ".join(one["what"] for one in found["blocked_by"]))
    return {"proven": len(passing), "claims": count}


def promote(project: Project, release: str, assumptions: list[str]) -> None:
    """Move the workflow into production, each assumption accepted by name."""
    accepted = [word for one in assumptions for word in ("--accept", f"{one}=accepted")]
    typed = "".join(f' \\\n      --accept "{one}=accepted"' for one in assumptions)
    tell.command(f"promote {release}{typed}")
    tell.verbatim(project.text("promote", release, *accepted).partition("\n\n")[0])
