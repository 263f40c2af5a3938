"""A small Llama model with seeded random weights, and llama.cpp's own HTTP server (package xllamacpp) to serve it.

The weights are random, so the text of the responses is meaningless. The work, the tokens, the stream and the times are
real. The sessions of examples/ are recorded from this server, and the tests of llmscope-harness send requests to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

SEED = 20260101
VOCABULARY = 4000
SYLLABLES = [consonant + vowel for consonant in "bdfghklmnprstvwz" for vowel in "aeiou"]
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # token types of the GGUF format


class Shape(NamedTuple):
    """The size of the model. `context` applies to each slot, and the server processes all slots at the same time."""

    name: str
    layers: int
    width: int
    heads: int
    feed_forward: int
    context: int
    slots: int


class Token(NamedTuple):
    """One entry of the model's vocabulary. The tokenizer merges pieces of a higher score first."""

    text: str
    score: float
    kind: int


def vocabulary() -> tuple[list[Token], int]:
    """Return the vocabulary and the index of its first word. Each word is one token: a space and two syllables."""
    tokens = [Token("<unk>", 0.0, UNKNOWN), Token("<s>", 0.0, CONTROL), Token("</s>", 0.0, CONTROL)]
    tokens += [Token(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    tokens += [Token(letter, -1.0, NORMAL) for letter in ["▁", *sorted(set("".join(SYLLABLES)))]]
    tokens += [Token(syllable, -2.0, NORMAL) for syllable in SYLLABLES]
    tokens += [Token("▁" + syllable, -3.0, NORMAL) for syllable in SYLLABLES]
    words = [Token(f"▁{first}{second}", -4.0, NORMAL) for first in SYLLABLES for second in SYLLABLES]
    return tokens + words[: VOCABULARY - len(tokens)], len(tokens)


def write_model(path: Path, shape: Shape) -> None:
    """Write a Llama model with seeded random weights as GGUF."""
    import gguf
    import numpy as np

    generator = np.random.default_rng(SEED)

    def matrix(rows: int, columns: int) -> Any:
        return generator.standard_normal((rows, columns), dtype=np.float32) * np.float32(columns**-0.5)

    tokens, first_word = vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    width, feed_forward = shape.width, shape.feed_forward
    settings = {"context_length": shape.context * shape.slots, "embedding_length": width, "block_count": shape.layers,
               "head_count": shape.heads, "feed_forward_length": feed_forward, "head_count_kv": shape.heads,
               "rope_dimension_count": width // shape.heads, "layer_norm_rms_eps": 1e-5, "vocab_size": VOCABULARY,
               "unk_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "name": shape.name,
               "tokenizer_model": "llama"}  # fmt: skip
    for name, value in settings.items():
        getattr(writer, f"add_{name}")(value)
    writer.add_token_list([token.text for token in tokens])
    writer.add_token_scores([token.score for token in tokens])
    writer.add_token_types([token.kind for token in tokens])
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")

    writer.add_tensor("token_embd.weight", matrix(VOCABULARY, width))
    output = matrix(VOCABULARY, width)
    output[:first_word] = 0.0  # the model generates words only: never an end of text, never half a character
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    for layer in range(shape.layers):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", matrix(width, width))
        for name in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", matrix(feed_forward, width))
        writer.add_tensor(f"blk.{layer}.ffn_down.weight", matrix(width, feed_forward))
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(width, np.float32))
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()


def start_server(model: Path, shape: Shape, threads: int) -> Any:
    """Serve the model on a free port of the loopback interface. The server runs while the returned object exists."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {shape.name}
    params.port = 0
    params.ui = False
    params.n_ctx = shape.context * shape.slots
    params.n_parallel = shape.slots
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    return xllamacpp.Server(params)
