#!/usr/bin/env python3
"""Record benchmark sessions from a real inference engine, llama.cpp, on this machine.

The script writes a small Llama model with seeded random weights to a temporary folder, serves it by llama.cpp's own
HTTP server (package xllamacpp) on the loopback interface and asks it one request after another, with a clock in hand.
The weights are random, so the answers mean nothing; the work, the tokens, the stream and the times are real.

Scenarios, one LLMscope session (JSON, schema llmscope.session/1) each:
  undisturbed   nothing else happens
  second-load   half way, a second client starts to send the same kind of requests, until the end
  paused        the server is stopped (SIGSTOP) in the middle of two requests: briefly, then beyond the client's timeout
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import importlib.metadata
import json
import multiprocessing
import multiprocessing.connection
import multiprocessing.synchronize
import os
import platform
import random
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

SEED = 20260101
WARMUPS = 5
TIMEOUT_S = 2.0
SHORT_PAUSE_S = 0.6
LONG_PAUSE_S = TIMEOUT_S + 0.2
SETTLE_S = 1.0

PROMPT_WORDS = 64
MAX_TOKENS = 32

MODEL = "random-llama-4l"
VOCABULARY, LAYERS, WIDTH, HEADS, FEED_FORWARD, CONTEXT = 4000, 4, 256, 4, 688, 512
SLOTS, THREADS = 2, 1

SCENARIOS = {
    "undisturbed": "One client asks a llama.cpp server, one request after another; nothing else happens.",
    "second-load": "One client asks a llama.cpp server, one request after another; half way a second client starts to"
    " ask the same server and goes on until the end.",
    "paused": "One client asks a llama.cpp server, one request after another; the server process is stopped in the"
    " middle of two requests, once briefly and once for longer than the client waits.",
}

SYLLABLES = [consonant + vowel for consonant in "bdfghklmnprstvwz" for vowel in "aeiou"]
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # token types of the GGUF format


class Token(NamedTuple):
    """One entry of the model's vocabulary; pieces of a higher score are merged first."""

    text: str
    score: float
    kind: int


def vocabulary() -> tuple[list[Token], int]:
    """Return the vocabulary and where its words start; every word is one token of two syllables after a space."""
    tokens = [Token("<unk>", 0.0, UNKNOWN), Token("<s>", 0.0, CONTROL), Token("</s>", 0.0, CONTROL)]
    tokens += [Token(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    tokens += [Token(letter, -1.0, NORMAL) for letter in ["▁", *sorted(set("".join(SYLLABLES)))]]
    tokens += [Token(syllable, -2.0, NORMAL) for syllable in SYLLABLES]
    tokens += [Token("▁" + syllable, -3.0, NORMAL) for syllable in SYLLABLES]
    words = [Token(f"▁{first}{second}", -4.0, NORMAL) for first in SYLLABLES for second in SYLLABLES]
    return tokens + words[: VOCABULARY - len(tokens)], len(tokens)


def write_model(path: Path) -> None:
    """Write a Llama model of seeded random weights as GGUF."""
    import gguf
    import numpy as np

    generator = np.random.default_rng(SEED)

    def matrix(rows: int, columns: int) -> Any:
        return generator.standard_normal((rows, columns), dtype=np.float32) * np.float32(columns**-0.5)

    tokens, first_word = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(MODEL)
    writer.add_context_length(CONTEXT * SLOTS)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token.text for token in tokens])
    writer.add_token_scores([token.score for token in tokens])
    writer.add_token_types([token.kind for token in tokens])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")

    writer.add_tensor("token_embd.weight", matrix(VOCABULARY, WIDTH))
    output = matrix(VOCABULARY, WIDTH)
    output[:first_word] = 0.0  # only words are ever generated: no end of text, no half of a character
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", matrix(WIDTH, WIDTH))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", matrix(FEED_FORWARD, WIDTH))
        writer.add_tensor(f"blk.{layer}.ffn_down.weight", matrix(WIDTH, FEED_FORWARD))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(model: Path, log: Path, parent: multiprocessing.connection.Connection) -> None:
    """Serve the model in this process, tell the parent the port and go on until the parent hangs up."""
    with log.open("w") as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.port = 0
    params.ui = False
    params.n_ctx = CONTEXT * SLOTS
    params.n_parallel = SLOTS
    params.cpuparams.n_threads = THREADS
    params.cpuparams_batch.n_threads = THREADS
    server = xllamacpp.Server(params)
    parent.send(int(server.listening_address.rsplit(":", 1)[1]))
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        parent.recv()


@contextlib.contextmanager
def running_server(model: Path) -> Iterator[tuple[int, int]]:
    """Run the server in a child process; give its port and its process id."""
    log = model.with_suffix(".log")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(model, log, theirs), daemon=True)
    process.start()
    theirs.close()
    assert process.pid is not None
    try:
        port = ours.recv() if ours.poll(60) else None
        yield port, process.pid
    except EOFError:
        raise SystemExit("the server did not start:\n" + log.read_text()[-2000:]) from None
    finally:
        os.kill(process.pid, signal.SIGCONT)
        ours.close()
        process.join(5)
        process.kill()
