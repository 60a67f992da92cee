"""A sender of each scheme in turn."""

from __future__ import annotations

import pytest

from proveout.domain.delivery import Scheme
from unit.adapters.hooks.sender import Sender


@pytest.fixture(params=list(Scheme))
def sender(request: pytest.FixtureRequest) -> Sender:
    """Return a sender of each scheme in turn."""
    return Sender(scheme=request.param)
