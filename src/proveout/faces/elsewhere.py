"""What can be held fast of a candidate that is no function of the project."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from proveout.domain.experiment import AnswersFile, Command, Endpoint
from proveout.faces import answers_file
from proveout.release.sources import contents, digest_of_files, file_digests

if TYPE_CHECKING:
    from pathlib import Path

    from proveout.domain.experiment import Elsewhere


def code_of(entry: Elsewhere, folder: Path) -> str:
    """Return the digest of the file of answers, or of the files that a command names.

    "" for an address: what stands behind it may change unseen.

    Raises:
        AnswersMistake: the file of answers cannot be read.
    """
    match entry:
        case Endpoint():
            return ""
        case AnswersFile(file=file):
            return answers_file.digest_of(folder / file)
        case Command(words=words):
            named = [folder / word for word in words if _is_ours(word, folder)]
            return digest_of_files(file_digests(contents(named, folder)))


def _is_ours(word: str, folder: Path) -> bool:
    """Whether a word of a command is the path of a file within the project's folder."""
    path = PurePath(word)
    if path.is_absolute() or ".." in path.parts:
        return False
    try:
        return (folder / path).is_file()
    except OSError:  # longer than any path
        return False
