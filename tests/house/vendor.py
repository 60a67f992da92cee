"""What the pages use of others: pinned packages of npm, as they came, with their licences.

    python tests/house/vendor.py            fetch the pins again
    python tests/house/vendor.py --check    fail where a file is another one

For those who work on Proveout; nothing is fetched at install time or at run time.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "src" / "proveout" / "faces" / "web" / "static" / "vendor"
NOTES = "VENDOR.json"

PINS = {"htmx.org": ("4.0.1", ("dist/htmx.min.js",), "LICENSE")}
"""By package: version, files, and the licence they come under."""


def differing(folder: Path = FOLDER) -> list[str]:
    """Return the files that are not as they came, are gone, or came from nowhere."""
    noted: dict[str, Any] = json.loads((folder / NOTES).read_text("utf-8"))
    known = {
        f"{name}/{file}": digest for name in noted for file, digest in noted[name]["files"].items()
    }
    there = {
        one.relative_to(folder).as_posix(): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in folder.rglob("*")
        if one.is_file() and one.name != NOTES
    }
    return sorted(one for one in known.keys() | there.keys() if known.get(one) != there.get(one))


def fetch(folder: Path = FOLDER) -> None:
    """Bring the pinned files, checked against what the registry says of them."""
    noted = {name: _fetch(folder / name, name, *pin) for name, pin in PINS.items()}
    text = json.dumps(noted, indent=1, sort_keys=True)
    (folder / NOTES).write_text(f"{text}\n", "utf-8")


def _fetch(
    folder: Path, name: str, version: str, files: tuple[str, ...], licence: str
) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        command = ["npm", "pack", "--json", "--silent", f"{name}@{version}"]
        told: Any = json.loads(subprocess.check_output(command, cwd=place))
        # One npm answers with a list, another with an object by name.
        values: Any = getattr(told, "values", told.__iter__)()
        one: dict[str, str] = next(iter(values))
        packed = (Path(place) / one["filename"]).read_bytes()
        digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
        if one["integrity"] != f"sha512-{digest}":
            raise SystemExit(f"{name}: what came is not what the registry describes")
        digests: dict[str, str] = {}
        with tarfile.open(Path(place) / one["filename"]) as archive:
            for file in (*files, licence):
                held = archive.extractfile(f"package/{file}")
                content = b"" if held is None else held.read()
                (folder / Path(file).name).write_bytes(content)
                digests[Path(file).name] = hashlib.sha256(content).hexdigest()
    return {"version": version, "integrity": one["integrity"], "files": digests}


def main() -> None:
    """Fetch, or check."""
    if "--check" not in sys.argv:
        fetch()
    if wrong := differing():
        raise SystemExit(f"vendored files differ: {', '.join(wrong)}")
    sys.stdout.write("vendored files are as they came\n")


if __name__ == "__main__":
    main()
