"""Our key in a file outside the store, and beside it what this machine remembers."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proveout.domain.ledger import Anchor, Signature
from proveout.errors import Mistake, Outage, Refusal

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_PRIVATE = 0o600
_OWN_FOLDER = 0o700
_LARGEST = 16 * 1024
"""Bytes that a key file may have; anything longer is something else."""

_FORMAT = 1
_NAME = 16
"""Hexadecimal digits of the hash of the public key that name it."""


class KeyFileRefused(Mistake):
    """The file that should hold the signing key holds something else, or others can read it."""

    code = "key-file"


class KeyFileUnavailable(Outage):
    """The signing key cannot be read or written now."""

    code = "key-file-unavailable"


class AnchorsDamaged(Refusal):
    """What this machine remembers of its ledgers cannot be read."""

    code = "anchors-damaged"


def default_path(environ: Mapping[str, str]) -> Path:
    """Return where the key is: the file that is named, or else one in the user's own folder."""
    named = environ.get("PROVEOUT_KEY_FILE")
    if named:
        return Path(named).expanduser()
    settings = environ.get("XDG_CONFIG_HOME", "")
    if Path(settings).is_absolute():
        return Path(settings) / "proveout" / "key"
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / ".config" / "proveout" / "key"


class KeyFile:
    """An Ed25519 key in a file, made when first something is to be signed.

    Verifying makes no key: where there is none, no signature is ours.

    Attributes:
        path: the key; beside it stand `PATH.anchors` and a lock file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._anchors = path.with_name(f"{path.name}.anchors")
        self._key: Ed25519PrivateKey | None = None
        self._making = threading.Lock()

    def sign(self, data: bytes) -> Signature:
        key = self._load_or_make()
        return Signature(key=_name(key.public_key()), value=key.sign(data).hex())

    def is_ours(self, data: bytes, signature: Signature) -> bool:
        key = self._load()
        if key is None or signature.key != _name(key.public_key()):
            return False
        try:
            key.public_key().verify(bytes.fromhex(signature.value), data)
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def key_id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the raw public key."""
        return _name(self._load_or_make().public_key())

    def public_pem(self) -> bytes:
        """Return the public key as PEM, for those who verify without us."""
        return (
            self._load_or_make()
            .public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def note(self, ledger: str, anchor: Anchor) -> None:
        """Remember the newest entry of that ledger; an entry that is not newer changes nothing.

        Another entry under a number that we know is not taken over: that is how a ledger
        that was written anew shows.

        Raises:
            AnchorsDamaged: the file beside the key cannot be read as what we wrote.
        """
        with self._alone():
            known = self._read_anchors()
            before = known.get(ledger)
            if before is not None and before.seq >= anchor.seq:
                return
            self._write_anchors({**known, ledger: anchor})

    def anchor(self, ledger: str) -> Anchor | None:
        return self._read_anchors().get(ledger)

    # The key

    def _load_or_make(self) -> Ed25519PrivateKey:
        with self._making:
            key = self._load()
            if key is None:
                _make(self.path)
                key = self._load()
        if key is None:
            raise KeyFileUnavailable(f"the key {self.path} went away while it was made")
        return key

    def _load(self) -> Ed25519PrivateKey | None:
        if self._key is None:
            data = _read(self.path)
            self._key = None if data is None else _parse(self.path, data)
        return self._key

    # The anchors

    def _read_anchors(self) -> dict[str, Anchor]:
        try:
            data = self._anchors.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AnchorsDamaged(
                f"{self._anchors} cannot be read", why=_reason(error), fix=self._mend()
            ) from None
        try:
            return _parse_anchors(data)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise AnchorsDamaged(
                f"{self._anchors} is not what was written there",
                why="it remembers the newest entry of each ledger, so that a cut shows; "
                "making it anew would hide one",
                fix=self._mend(),
            ) from None

    def _write_anchors(self, known: dict[str, Anchor]) -> None:
        words = {name: {"seq": one.seq, "hash": one.hash} for name, one in sorted(known.items())}
        text = json.dumps({"format": _FORMAT, "anchors": words}, indent=1)
        beside = _beside(self._anchors)
        try:
            _write_new(beside, text.encode())
            beside.replace(self._anchors)
            _settle(self._anchors.parent)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            raise _unavailable(self._anchors, error) from None

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Hold the lock beside the anchors; every process that notes one takes it."""
        lock = self._anchors.with_name(f"{self._anchors.name}.lock")
        try:
            _own_folder(lock.parent)
            file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        except OSError as error:
            raise _unavailable(lock, error) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def _mend(self) -> tuple[str, ...]:
        return (
            f"put {self._anchors} back from a backup",
            f"or check with `proveout ledger verify`, then remove {self._anchors}",
        )


def _name(public: Ed25519PublicKey) -> str:
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:_NAME]


def _read(path: Path) -> bytes | None:
    """Return what the file holds, or None where there is none; nobody else may read it."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path, _reason(error)) from None
    try:
        _check_private(path, os.fstat(file).st_mode)
        return os.read(file, _LARGEST + 1)
    except OSError as error:
        raise _unavailable(path, error) from None
    finally:
        os.close(file)


def _check_private(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise _refused(path, "it is a folder" if stat.S_ISDIR(mode) else "it is no ordinary file")
    if stat.S_IMODE(mode) & 0o077:
        raise KeyFileRefused(
            f"others can read the signing key {path}",
            why=f"its mode is {stat.S_IMODE(mode):04o}; "
            "whoever reads it can sign evidence in our name",
            fix=(f"chmod 600 {path}",),
        )


def _parse(path: Path, data: bytes) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        found = "it is empty" if not data else "it is truncated, or in another format"
        raise _refused(path, f"{found}; an Ed25519 key in PEM without a password is needed")
    return key


def _refused(path: Path, why: str) -> KeyFileRefused:
    return KeyFileRefused(
        f"{path} is not our signing key",
        why=why,
        fix=(
            f"put {path} back from a backup",
            "or name another file in PROVEOUT_KEY_FILE; what the lost key signed is then foreign",
        ),
    )


def _unavailable(path: Path, error: OSError) -> KeyFileUnavailable:
    return KeyFileUnavailable(
        f"{path} cannot be read or written",
        why=_reason(error),
        fix=("name a file in PROVEOUT_KEY_FILE that can be written",),
    )


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _make(path: Path) -> None:
    """Leave a key at `path`: ours, or that of another process that was quicker."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    beside = _beside(path)
    try:
        _own_folder(path.parent)
        _write_new(beside, pem)
        # A hard link, unlike a rename, does not replace the key of whoever was quicker.
        os.link(beside, path)
        _settle(path.parent)
    except FileExistsError:
        pass
    except OSError as error:
        raise _unavailable(path, error) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def _own_folder(folder: Path) -> None:
    folder.mkdir(mode=_OWN_FOLDER, parents=True, exist_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")


def _write_new(path: Path, data: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    with os.fdopen(file, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(file)


def _settle(folder: Path) -> None:
    """Make a new name in `folder` survive a power cut."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _parse_anchors(data: bytes) -> dict[str, Anchor]:
    words = cast("dict[str, Any]", json.loads(data))
    if words["format"] != _FORMAT:
        raise ValueError
    return {name: _parse_anchor(one) for name, one in words["anchors"].items()}


def _parse_anchor(words: dict[str, Any]) -> Anchor:
    seq, total = words["seq"], words["hash"]
    if type(seq) is not int or seq < 1 or not isinstance(total, str):
        raise ValueError
    return Anchor(seq=seq, hash=total)
