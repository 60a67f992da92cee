"""The commands about runs, put together: what operates them, and what is kept of them."""

from __future__ import annotations

from proveout.faces.cli.erase import erase, prune
from proveout.faces.cli.operate import runs
from proveout.faces.cli.replay import replay

for command in (replay, prune, erase):
    runs.add_command(command)
