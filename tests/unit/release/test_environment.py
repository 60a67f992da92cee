"""A kept environment imports what it imported then, whatever was installed since."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proveout.errors import Refusal
from proveout.release.environment import (
    EnvironmentChanged,
    EnvironmentMissing,
    cache_folder,
    describe,
    environment_folder,
    keep,
    python_of,
)
from proveout.release.packages import PackageUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proveout.release.environment import Environment

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the folder of packages of a new virtual environment, in which nothing is installed."""
    venv.create(tmp_path / "venv", symlinks=True)
    return tmp_path / "venv/lib" / f"python{VERSION}" / "site-packages"


def install(site: Path, name: str, version: str, files: Mapping[str, str], **metadata: str) -> None:
    """Do what an installer does with a wheel: replace files, and record them."""
    for old in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    info = f"{name}-{version}.dist-info"
    core = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    whole = {**files, f"{info}/METADATA": core, f"{info}/INSTALLER": "some\n"}
    whole |= {f"{info}/{key}.json": text for key, text in metadata.items()}
    for path, text in whole.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    record = [f"{path},{line(text)}" for path, text in whole.items()]
    record += [f"../../../bin/{name},{line('script')}", f"{info}/RECORD,,"]
    (site / info / "RECORD").write_text("\n".join(record))


def line(text: str) -> str:
    found = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
    return f"sha256={found.decode()},{len(text)}"


def tiny(site: Path, version: int) -> None:
    files = {"tiny/__init__.py": f"V = {version}\n", "tiny/data/words.txt": f"v{version}"}
    install(site, "tiny", f"{version}.0", files)


def said(python: Path, code: str) -> str:
    """Return what another Python prints."""
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def described(site: Path) -> Environment:
    return describe([str(site)])


# The digest


def test_the_digest_is_of_packages_and_of_no_place(tmp_path: Path, site: Path) -> None:
    """Another folder, another installer and another script make no other environment."""
    tiny(site, 1)
    elsewhere = tmp_path / "elsewhere"
    tiny(elsewhere, 1)
    (elsewhere / "tiny-1.0.dist-info/INSTALLER").write_text("other")
    record = elsewhere / "tiny-1.0.dist-info/RECORD"
    record.write_text(record.read_text().replace(line("script"), line("other script")))

    first, second = described(site), described(elsewhere)

    assert first.digest == second.digest
    assert str(tmp_path).encode() not in first.text
    assert json.loads(first.text)["packages"] == [["tiny", "1.0", first.packages[0].digest]]


def test_another_version_or_file_is_another_environment(site: Path) -> None:
    """Even under the same version number: the record says what the files are."""
    tiny(site, 1)
    first = described(site).digest

    install(site, "tiny", "1.0", {"tiny/__init__.py": "V = 1  # patched\n"})
    patched = described(site).digest
    tiny(site, 2)
    upgraded = described(site).digest
    tiny(site, 1)

    assert len({first, patched, upgraded}) == 3
    assert described(site).digest == first


def test_the_first_package_of_a_name_counts(tmp_path: Path, site: Path) -> None:
    """As with imports; the installer itself counts as nothing."""
    tiny(site, 1)
    tiny(tmp_path / "later", 2)
    install(tmp_path / "later", "pip", "99", {"pip/__init__.py": ""})

    found = describe([str(site), str(tmp_path / "later"), str(tmp_path / "none"), ""])

    assert [(one.name, one.version) for one in found.packages] == [("tiny", "1.0")]


def test_a_package_without_a_record_is_refused(site: Path) -> None:
    """What cannot be kept must not be promised; with a record it can."""
    tiny(site, 1)
    assert described(site).packages

    (site / "tiny-1.0.dist-info/RECORD").unlink()

    with pytest.raises(PackageUnreadable, match="tiny does not say"):
        described(site)


# Keeping


def test_a_kept_environment_outlives_an_upgrade(tmp_path: Path, site: Path) -> None:
    """Its Python imports what was there then, and needs nothing of where it came from."""
    tiny(site, 1)
    python = keep(described(site), tmp_path / "cache")
    code = "import tiny, pathlib; print(tiny.V, tiny.__file__)"
    before = said(python, code)

    tiny(site, 2)
    upgraded = said(tmp_path / "venv/bin/python", "import tiny; print(tiny.V)")
    after = said(python, code)
    shutil.rmtree(tmp_path / "venv")

    assert (before.split()[0], upgraded) == ("1", "2")
    assert before == after == said(python, code)
    assert Path(before.split()[1]).is_relative_to(tmp_path / "cache")
    assert not any(path.is_symlink() for path in (python.parents[1] / "lib").rglob("*"))


def test_a_copy_describes_itself_as_what_it_was_made_of(tmp_path: Path, site: Path) -> None:
    """So a worker can tell that it runs where its release belongs; and data is copied too."""
    tiny(site, 1)
    found = described(site)

    python = keep(found, tmp_path / "cache")
    inner = python.parents[1] / "lib" / f"python{VERSION}" / "site-packages"

    assert python.parents[1] == environment_folder(found.digest, tmp_path / "cache")
    assert described(inner).digest == found.digest
    assert (inner / "tiny/data/words.txt").read_text() == "v1"
    assert said(python, "import importlib.metadata as m; print(m.version('tiny'))") == "1.0"
    assert not list(python.parent.glob("activate*"))


def test_versions_are_kept_side_by_side(tmp_path: Path, site: Path) -> None:
    tiny(site, 1)
    first = keep(described(site), tmp_path / "cache")
    tiny(site, 2)

    second = keep(described(site), tmp_path / "cache")

    assert [said(one, "import tiny; print(tiny.V)") for one in (first, second)] == ["1", "2"]


def test_keeping_twice_makes_nothing_new(tmp_path: Path, site: Path) -> None:
    """Not even when the installed package is gone by then."""
    tiny(site, 1)
    found = described(site)
    python = keep(found, tmp_path / "cache")
    made = python.parents[1].stat().st_ino
    shutil.rmtree(site / "tiny")

    assert keep(found, tmp_path / "cache") == python
    assert python.parents[1].stat().st_ino == made


@pytest.mark.parametrize("harm", ["changed", "gone", "upgraded"])
def test_files_that_are_not_what_their_package_says_are_not_kept(
    tmp_path: Path, site: Path, harm: str
) -> None:
    """A copy under a digest that does not name it would be worse than none."""
    tiny(site, 1)
    found = described(site)
    match harm:
        case "changed":
            (site / "tiny/__init__.py").write_text("V = 7\n")
        case "gone":
            (site / "tiny/__init__.py").unlink()
        case _:
            tiny(site, 2)

    with pytest.raises(EnvironmentChanged) as caught:
        keep(found, tmp_path / "cache")

    assert isinstance(caught.value, Refusal)
    assert not environment_folder(found.digest, tmp_path / "cache").exists()


def test_a_file_that_two_packages_share_is_what_the_last_one_wrote(
    tmp_path: Path, site: Path
) -> None:
    """Both record it, one of them wrongly since the other came; neither was changed by hand."""
    install(site, "one", "1", {"shared/__init__.py": "one"})
    install(site, "two", "1", {"shared/__init__.py": "two = 2"})

    python = keep(described(site), tmp_path / "cache")

    assert said(python, "import shared; print(shared.two)") == "2"


def test_half_an_environment_is_none(tmp_path: Path, site: Path) -> None:
    """What a killed process left, beside or in place, is replaced."""
    tiny(site, 1)
    found = described(site)
    folder = environment_folder(found.digest, tmp_path / "cache")
    for path in (folder, folder.with_name(f".{folder.name}.new")):
        (path / "bin").mkdir(parents=True)
        (path / "bin/python").symlink_to(sys.executable)

    with pytest.raises(EnvironmentMissing):
        python_of(found.digest, tmp_path / "cache")
    python = keep(found, tmp_path / "cache")

    assert said(python, "import tiny; print(tiny.V)") == "1"
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, f".{folder.name}.lock"}


def test_processes_that_keep_at_once_make_one(tmp_path: Path, site: Path) -> None:
    """All come back to the same whole environment."""
    tiny(site, 1)
    code = (
        "import sys, pathlib; from proveout.release.environment import describe, keep\n"
        "sys.stdin.read(1)\n"
        "print(keep(describe([sys.argv[1]]), pathlib.Path(sys.argv[2])))\n"
    )
    command = [sys.executable, "-c", code, site, tmp_path / "cache"]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)
    ]

    printed = {process.communicate(b"!", timeout=100)[0] for process in processes}

    assert [process.returncode for process in processes] == [0, 0, 0]
    (python,) = printed
    assert said(Path(python.decode().strip()), "import tiny; print(tiny.V)") == "1"


def test_a_missing_environment_is_refused_with_the_command_that_makes_it(
    tmp_path: Path, site: Path
) -> None:
    tiny(site, 1)
    found = described(site)

    with pytest.raises(EnvironmentMissing) as caught:
        python_of(found.digest, tmp_path / "cache", release="r1")
    python = keep(found, tmp_path / "cache")

    assert isinstance(caught.value, Refusal)
    assert caught.value.fix[0].startswith("proveout release keep r1")
    assert python_of(found.digest, tmp_path / "cache") == python
    python.unlink()
    python.symlink_to(tmp_path / "no-such-python")
    with pytest.raises(EnvironmentMissing):
        python_of(found.digest, tmp_path / "cache")


# Editable packages


def editable(site: Path, sources: Path, how: str) -> None:
    """Install a package as its sources, in each of the ways that backends do it."""
    (sources / "soft").mkdir(parents=True)
    (sources / "soft/__init__.py").write_text("V = 1\n")
    (sources / "soft/words.txt").write_text("v1")
    mapping = f"MAPPING: dict[str, str] = {{'soft': {str(sources / 'soft')!r}}}\n"
    files = {
        "path": {"_soft.pth": f"{sources}\n"},
        "finder": {
            "__editable__.soft-1.pth": "import __editable___soft_finder; 1",
            "__editable___soft_finder.py": mapping,
        },
        "hook": {"_soft.pth": "import _soft_loader", "_soft_loader.py": ""},
    }[how]
    url = '{"url": "file:///x", "dir_info": {"editable": true}}'
    install(site, "soft", "1", files, direct_url=url)


@pytest.mark.parametrize("how", ["path", "finder"])
def test_an_editable_package_is_kept_as_its_sources(tmp_path: Path, site: Path, how: str) -> None:
    """Its digest is of its files, and an edit afterwards reaches no copy."""
    sources = tmp_path / "sources"
    editable(site, sources, how)
    found = described(site)

    python = keep(found, tmp_path / "cache")
    (sources / "soft/__init__.py").write_text("V = 2\n")
    inner = python.parents[1] / "lib" / f"python{VERSION}" / "site-packages"

    assert said(python, "import soft; print(soft.V)") == "1"
    assert described(site).digest != found.digest
    assert described(inner).digest == found.digest
    assert (inner / "soft/words.txt").read_text() == "v1"
    assert not list(inner.glob("*.pth"))


def test_the_projects_own_package_is_the_releases(tmp_path: Path, site: Path) -> None:
    """Its files are in the snapshot; in the environment, each edit would copy every package."""
    tiny(site, 1)
    editable(site, tmp_path / "project/src", "path")

    own = describe([str(site)], tmp_path / "project")
    other = describe([str(site)], tmp_path / "other")

    assert [one.name for one in own.packages] == ["tiny"]
    assert [one.name for one in other.packages] == ["soft", "tiny"]


def test_an_editable_package_that_cannot_be_followed_is_refused(tmp_path: Path, site: Path) -> None:
    """A copy would reach back to the sources, and change with them."""
    editable(site, tmp_path / "sources", "hook")

    with pytest.raises(PackageUnreadable, match="soft is installed editable"):
        described(site)


# The cache


def test_the_cache_stands_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours first, then the desktop's, then the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("PROVEOUT_CACHE", str(tmp_path / "own"))

    found = [cache_folder()]
    for name in ("PROVEOUT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name)
        found.append(cache_folder())

    assert found == [tmp_path / "own", tmp_path / "xdg/proveout", tmp_path / "home/.cache/proveout"]
