"""What the console answers about drills, the plan, and what everything goes by."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proveout.faces.web.gather_drills import drills_page
from proveout.faces.web.gather_plan import plan_page
from proveout.faces.web.gather_settings import settings_page
from proveout.faces.web.handlers import shown

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.faces.web.visit import Visit


async def drills(visit: Visit) -> Response:
    """Show what is under way, and how each drill last went."""
    return await shown(visit, await drills_page(visit.console.project))


async def plan(visit: Visit) -> Response:
    """Show the release plan, made now."""
    return await shown(visit, await plan_page(visit.console))


async def settings(visit: Visit) -> Response:
    """Show what proveout.toml says, without a secret."""
    return await shown(visit, await asyncio.to_thread(settings_page, visit.console.project))
