#!/usr/bin/env python3
"""Serve a random model with llama.cpp on a free port, print its address, and run until stdin is closed.

The model is small: the tests check the protocol and the order of times, not the speed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples" / "record"))

from random_llama import Shape, start_server, write_model

SHAPE = Shape(name="random-llama-2l", layers=2, width=256, heads=4, feed_forward=512, context=1024, slots=4)
THREADS = 1


def main() -> None:
    """Write the model, serve it and wait."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / f"{SHAPE.name}.gguf"
        write_model(model, SHAPE)
        server = start_server(model, SHAPE, THREADS)
    # The deleted file stays mapped, so nothing is left behind however this process ends.
    print("listening on", server.listening_address, flush=True)
    sys.stdin.read()
    # No client waits for a response any more, so no orderly shutdown is needed.
    os._exit(0)


if __name__ == "__main__":
    main()
