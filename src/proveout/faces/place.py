"""Where a project is: found before anything of it is loaded."""

from __future__ import annotations

import os
from pathlib import Path

from proveout.errors import Mistake

PROJECT = "PROVEOUT_PROJECT"


class NoProject(Mistake):
    """There is no `proveout.toml` here."""

    code = "no-project"


def find_project(path: str | Path | None = None) -> Path:
    """Return the whole path of `proveout.toml`: the one given, or the environment's, or upward.

    Raises:
        NoProject: there is none.
    """
    if named := path or os.environ.get(PROJECT):
        found = Path(named).absolute()
        return found / "proveout.toml" if found.is_dir() else found
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "proveout.toml").is_file():
            return folder / "proveout.toml"
    raise NoProject(
        f"no proveout.toml in {here} or above it",
        why="a project is the folder that holds one",
        fix=("proveout init NAME", f"cd into the project, or set {PROJECT}"),
    )
