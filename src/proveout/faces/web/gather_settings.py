"""From the disk to the pages: what proveout.toml and the environment say."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from proveout.errors import ProveoutError
from proveout.faces import settings
from proveout.faces.project import store_url
from proveout.faces.readiness_facts import engine
from proveout.faces.web.settings_page import SettingsPage, setting, tables

if TYPE_CHECKING:
    from proveout.faces.project import Project

OURS = "PROVEOUT_"
"""What the names of our variables begin with."""


def settings_page(project: Project) -> SettingsPage:
    """Return what the file says now, and whether that is what the server goes by."""
    path = project.settings.path
    problem, is_same, found = "", True, {}
    try:
        found = tomllib.loads(path.read_text("utf-8"))
        is_same = settings.load(path) == project.settings
    except (OSError, ValueError) as error:
        problem = f"{path.name} cannot be read: {error}"
        if isinstance(error, ProveoutError):
            problem = error.message
    variables = sorted(name for name in os.environ if name.startswith(OURS))
    return SettingsPage(
        file=str(path),
        tables=tables(found),
        environment=tuple(setting(name, os.environ[name]) for name in variables),
        engine=engine(),
        store=setting("store", store_url(project.settings.folder)).value.strip('"'),
        changed=not is_same and not problem,
        problem=problem,
    )
