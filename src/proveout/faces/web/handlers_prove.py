"""What the console answers about experiments, their cases and their candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.faces.web.gather_compare import compare_page
from proveout.faces.web.gather_datasets import datasets_page
from proveout.faces.web.gather_experiments import experiments_page
from proveout.faces.web.handlers import shown

if TYPE_CHECKING:
    from starlette.responses import Response

    from proveout.faces.web.visit import Visit


async def experiments(visit: Visit) -> Response:
    """List every look at the cases, and what it came to."""
    return await shown(visit, await experiments_page(visit.console.project))


async def datasets(visit: Visit) -> Response:
    """Show the datasets that the settings name, as they stand now."""
    return await shown(visit, await datasets_page(visit.console))


async def compare(visit: Visit) -> Response:
    """Show two candidates, or two looks, case by case."""
    return await shown(visit, await compare_page(visit))
