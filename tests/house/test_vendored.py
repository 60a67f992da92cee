"""What came from others is as it came, and everything that is served is in the wheel."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from house.vendor import FOLDER, PINS, differing
from proveout.faces.web.render import STATIC, VENDORED, static_file

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "proveout" / "faces" / "web"


def test_vendored_files_are_as_they_came() -> None:
    """Each with the digest that was noted when it was fetched, and with its licence."""
    assert differing() == []
    for name, (_, files, licence) in PINS.items():
        assert {Path(one).name for one in (*files, licence)} == {
            one.name for one in (FOLDER / name).iterdir()
        }
    assert set(VENDORED.values()) == set(PINS)


def test_a_change_of_a_vendored_file_is_found(tmp_path: Path) -> None:
    """The negative control: one byte more, one file less, one file too many."""
    folder = tmp_path / "vendor"
    shutil.copytree(FOLDER, folder)
    with (folder / "htmx.org" / "htmx.min.js").open("ab") as file:
        file.write(b" ")
    (folder / "htmx.org" / "LICENSE").unlink()
    (folder / "htmx.org" / "more.js").touch()

    assert differing(folder) == [
        "htmx.org/LICENSE",
        "htmx.org/htmx.min.js",
        "htmx.org/more.js",
    ]


def test_everything_that_is_served_is_in_the_wheel(tmp_path: Path) -> None:
    """Every page and every file beside it, as a user's installation has them."""
    [made] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(made) as wheel:
        held = {name: wheel.read(name) for name in wheel.namelist() if "/faces/web/" in name}

    for one in sorted((WEB / "templates").iterdir()):
        assert f"proveout/faces/web/templates/{one.name}" in held
    for name in STATIC:
        place = f"vendor/{VENDORED[name]}/{name}" if name in VENDORED else name
        assert held[f"proveout/faces/web/static/{place}"] == static_file(name)
    assert "proveout/faces/web/static/vendor/htmx.org/LICENSE" in held
