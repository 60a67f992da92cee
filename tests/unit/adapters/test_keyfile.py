"""The key outside the store: made once, kept private, and never silently replaced."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from proveout.adapters.keyfile import (
    AnchorsDamaged,
    KeyFile,
    KeyFileRefused,
    KeyFileUnavailable,
    default_path,
)
from proveout.domain.ledger import Anchor, Signature

if TYPE_CHECKING:
    from collections.abc import Callable

    Spoil = Callable[[bytes, Signature], tuple[bytes, Signature]]

LEDGER = "store-1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ours" / "key"


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pem(key: Ed25519PrivateKey | X25519PrivateKey, password: bytes | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PROVEOUT_KEY_FILE": "/k/own", "XDG_CONFIG_HOME": "/x", "HOME": "/h"}, "/k/own"),
        ({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}, "/x/proveout/key"),
        ({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}, "/h/.config/proveout/key"),
        ({"PROVEOUT_KEY_FILE": "", "HOME": "/h"}, "/h/.config/proveout/key"),
    ],
)
def test_the_key_is_where_the_environment_says(environ: dict[str, str], expected: str) -> None:
    """A named file first, then the folder for settings, as its standard has it."""
    assert default_path(environ) == Path(expected)


def test_a_key_is_made_at_first_use_for_its_owner_alone(path: Path) -> None:
    """Nobody else may read it, and it is there for the next process."""
    before = os.umask(0)
    try:
        signature = KeyFile(path).sign(b"deed")
    finally:
        os.umask(before)

    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert KeyFile(path).is_ours(b"deed", signature)
    assert names_in(path.parent) == ["key"]


def test_verifying_makes_no_key(path: Path) -> None:
    """Where there is no key, no signature is ours, and looking changes nothing."""
    answer = KeyFile(path).is_ours(b"deed", Signature(key="0" * 16, value="00" * 64))

    assert not answer
    assert not path.parent.exists()


def test_the_key_is_named_by_its_public_half(path: Path) -> None:
    """Sixteen digits of SHA-256, which anybody can compute from the exported PEM."""
    key = KeyFile(path)

    public = serialization.load_pem_public_key(key.public_pem())

    assert isinstance(public, Ed25519PublicKey)
    digest = subprocess.run(
        ["sha256sum"],  # noqa: S607 - an oracle that is not ours, whichever is here
        input=public.public_bytes_raw(),
        check=True,
        capture_output=True,
    ).stdout
    assert key.key_id == digest[:16].decode() == key.sign(b"deed").key
    public.verify(bytes.fromhex(key.sign(b"deed").value), b"deed")


SPOILED: dict[str, Spoil] = {
    "data": lambda data, one: (data + b"!", one),
    "value": lambda data, one: (data, Signature(key=one.key, value="00" * 64)),
    "digits": lambda data, one: (data, Signature(key=one.key, value="no digits")),
    "empty": lambda data, one: (data, Signature(key=one.key, value="")),
    "key": lambda data, one: (data, Signature(key="0" * 16, value=one.value)),
}


@pytest.mark.parametrize("name", SPOILED)
def test_whatever_is_changed_is_not_ours(path: Path, name: str) -> None:
    """Data, signature and key belong together."""
    key = KeyFile(path)
    signature = key.sign(b"deed")
    assert key.is_ours(b"deed", signature)

    data, spoiled = SPOILED[name](b"deed", signature)

    assert not key.is_ours(data, spoiled)


def test_another_key_is_not_ours(path: Path) -> None:
    """A signature by somebody else's key is refused by ours."""
    theirs = KeyFile(path.with_name("theirs")).sign(b"deed")

    assert not KeyFile(path).is_ours(b"deed", theirs)


FIRST_USE = """
import sys
from pathlib import Path
from proveout.adapters.keyfile import KeyFile
print("ready", flush=True)
sys.stdin.readline()
print(KeyFile(Path(sys.argv[1])).key_id, flush=True)
"""


def test_of_many_processes_at_once_one_key_wins(path: Path) -> None:
    """All of them sign with the key that stays, and nothing else is left behind."""
    with ExitStack() as crowd:
        start = (sys.executable, "-c", FIRST_USE, path)
        all_of_them = [
            crowd.enter_context(subprocess.Popen(start, stdin=PIPE, stdout=PIPE, text=True))
            for _ in range(4)
        ]
        said = [one.stdout.readline() for one in all_of_them if one.stdout]

        names = [one.communicate("go\n", timeout=60)[0].strip() for one in all_of_them]

    assert said == ["ready\n"] * 4
    assert names == [KeyFile(path).key_id] * 4
    assert names_in(path.parent) == ["key"]


def test_of_many_threads_at_once_one_key_wins(path: Path) -> None:
    """Threads with a file of their own each find the same key."""
    gate = threading.Barrier(16)
    names: list[str] = []

    def first_use() -> None:
        gate.wait()
        names.append(KeyFile(path).key_id)

    crowd = [threading.Thread(target=first_use) for _ in range(16)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert set(names) == {KeyFile(path).key_id}
    assert len(names) == 16


@pytest.mark.parametrize("bits", [0o604, 0o640, 0o644, 0o666, 0o610])
def test_a_key_that_others_can_read_is_refused(path: Path, bits: int) -> None:
    """The error names the mode and the command that mends it."""
    KeyFile(path).sign(b"deed")
    path.chmod(bits)

    with pytest.raises(KeyFileRefused, match="others can read") as caught:
        KeyFile(path).sign(b"deed")

    assert f"{bits:04o}" in caught.value.why
    assert caught.value.fix == (f"chmod 600 {path}",)


@pytest.mark.parametrize("bits", [0o600, 0o400])
def test_a_key_of_ones_own_is_taken(path: Path, bits: int) -> None:
    """The control: a private key is used, one that cannot be written too."""
    signature = KeyFile(path).sign(b"deed")
    path.chmod(bits)

    assert KeyFile(path).sign(b"deed") == signature


WRONG = {
    "empty": b"",
    "noise": b"\x00\xff not a key",
    "other kind": pem(X25519PrivateKey.generate()),
    "with password": pem(Ed25519PrivateKey.generate(), b"secret"),
    "public": Ed25519PrivateKey.generate()
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    "raw": Ed25519PrivateKey.generate().private_bytes_raw(),
    "huge": b"-" * 100_000,
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_key_is_refused_and_kept(path: Path, name: str) -> None:
    """A file that is not ours to overwrite stays as it is."""
    path.parent.mkdir()
    path.write_bytes(WRONG[name])
    path.chmod(0o600)

    with pytest.raises(KeyFileRefused, match="is not our signing key"):
        KeyFile(path).sign(b"deed")

    assert path.read_bytes() == WRONG[name]


def test_a_truncated_key_is_refused_wherever_it_was_cut(path: Path) -> None:
    """No shorter file is taken for a key, but for one without the last line's end."""
    KeyFile(path).sign(b"deed")
    whole = path.read_bytes()

    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(KeyFileRefused):
            KeyFile(path).sign(b"deed")


def test_a_folder_is_refused(path: Path) -> None:
    path.mkdir(parents=True, mode=0o700)

    with pytest.raises(KeyFileRefused) as caught:
        KeyFile(path).sign(b"deed")

    assert caught.value.why == "it is a folder"


def test_a_pipe_is_refused_without_waiting_for_it(path: Path) -> None:
    """Nobody writes into it; reading it would hang."""
    path.parent.mkdir()
    os.mkfifo(path, 0o600)

    with pytest.raises(KeyFileRefused) as caught:
        KeyFile(path).sign(b"deed")

    assert caught.value.why == "it is no ordinary file"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Where a folder should be stands a file."""
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises((KeyFileRefused, KeyFileUnavailable)) as caught:
        KeyFile(tmp_path / "file" / "key").sign(b"deed")

    assert str(tmp_path / "file" / "key") in caught.value.message
    assert caught.value.why


def test_no_error_shows_the_key(path: Path) -> None:
    """What a traceback or a log may hold is not what signs."""
    KeyFile(path).sign(b"deed")
    secret = path.read_text().splitlines()[1]
    path.write_text(f"{path.read_text()[:-30]}")

    with pytest.raises(KeyFileRefused) as caught:
        KeyFile(path).sign(b"deed")

    assert secret not in f"{caught.value} {caught.value.why} {caught.value.fix}"
    assert secret not in repr(KeyFile(path))


# Anchors


def test_an_anchor_is_remembered_by_the_next_process(path: Path) -> None:
    """For each ledger the newest entry, in a file that only we read."""
    key = KeyFile(path)
    key.note(LEDGER, Anchor(seq=1, hash="a"))
    key.note(LEDGER, Anchor(seq=2, hash="b"))
    key.note("store-2", Anchor(seq=9, hash="z"))

    again = KeyFile(path)

    assert again.anchor(LEDGER) == Anchor(seq=2, hash="b")
    assert again.anchor("store-2") == Anchor(seq=9, hash="z")
    assert again.anchor("store-3") is None
    assert mode(path.with_name("key.anchors")) == 0o600


@pytest.mark.parametrize("older", [Anchor(seq=4, hash="d"), Anchor(seq=5, hash="another")])
def test_an_anchor_never_goes_back(path: Path, older: Anchor) -> None:
    """Neither an older entry nor another one of the same number takes its place."""
    key = KeyFile(path)
    key.note(LEDGER, Anchor(seq=5, hash="e"))

    key.note(LEDGER, older)

    assert key.anchor(LEDGER) == Anchor(seq=5, hash="e")


def test_anchors_noted_at_once_leave_the_newest(path: Path) -> None:
    """Writers that overlap lose nothing of each other's."""

    def note(seq: int) -> None:
        KeyFile(path).note(f"s{seq % 3}", Anchor(seq=seq, hash=str(seq)))

    crowd = [threading.Thread(target=note, args=(seq,)) for seq in range(1, 40)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    found = [KeyFile(path).anchor(f"s{number}") for number in range(3)]

    assert found == [Anchor(seq=seq, hash=str(seq)) for seq in (39, 37, 38)]
    assert not [name for name in names_in(path.parent) if name.startswith(".")]


DAMAGED = {
    "empty": b"",
    "cut": b'{"format": 1, "anchors": {"store-1": {"seq": 5',
    "list": b"[]",
    "text": b'"anchors"',
    "other format": b'{"format": 2, "anchors": {}}',
    "no anchors": b'{"format": 1}',
    "no hash": b'{"format": 1, "anchors": {"store-1": {"seq": 5}}}',
    "zero": b'{"format": 1, "anchors": {"store-1": {"seq": 0, "hash": "a"}}}',
    "true": b'{"format": 1, "anchors": {"store-1": {"seq": true, "hash": "a"}}}',
    "not text": b"\xff\xfe",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_anchors_are_an_error_and_stay(path: Path, name: str) -> None:
    """Beginning anew would hide that a ledger was cut."""
    key = KeyFile(path)
    key.note(LEDGER, Anchor(seq=5, hash="e"))
    anchors = path.with_name("key.anchors")
    anchors.write_bytes(DAMAGED[name])

    with pytest.raises(AnchorsDamaged) as read:
        key.anchor(LEDGER)
    with pytest.raises(AnchorsDamaged):
        key.note(LEDGER, Anchor(seq=6, hash="f"))

    assert anchors.read_bytes() == DAMAGED[name]
    assert str(anchors) in read.value.fix[0]


def test_anchors_survive_whoever_dies_while_writing(path: Path) -> None:
    """A process killed at any moment leaves the old anchors or the new ones."""
    writer = (
        "import sys; from pathlib import Path; from proveout.adapters.keyfile import KeyFile\n"
        "from proveout.domain.ledger import Anchor\n"
        "key = KeyFile(Path(sys.argv[1]))\n"
        "for seq in range(1, 10**9):\n"
        "    key.note('store-1', Anchor(seq=seq, hash=str(seq)))\n"
        "    print(seq, flush=True)\n"
    )
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", writer, path], stdout=subprocess.PIPE) as one:
            assert one.stdout is not None
            said = [int(one.stdout.readline()) for _ in range(20)][-1]
            one.kill()

        found = KeyFile(path).anchor(LEDGER)

        assert found is not None
        assert found.seq >= said
        assert json.loads(path.with_name("key.anchors").read_text())["format"] == 1
        path.with_name("key.anchors").unlink()
