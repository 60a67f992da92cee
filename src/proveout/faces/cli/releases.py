"""The commands about releases, put together: what makes and shows them, and how they differ."""

from __future__ import annotations

from proveout.faces.cli.release import release
from proveout.faces.cli.release_diff import diff

release.add_command(diff)
