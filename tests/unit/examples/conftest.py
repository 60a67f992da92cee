"""Let these tests import the example, whose folder is no package: its name has a dash."""

from __future__ import annotations

import sys
from pathlib import Path

# Last on the path, so that nothing of the example can stand in for a real package.
sys.path.append(str(Path(__file__).parents[3] / "examples" / "request-routing"))
