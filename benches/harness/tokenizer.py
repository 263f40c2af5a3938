"""A tokenizer in which a word is a token, generated here so that a benchmark needs no network.

Load generators in Python need a tokenizer to generate prompts and to count tokens of answers. This one counts the mock
endpoint's tokens exactly, because they are words.
"""

from __future__ import annotations

import json
from pathlib import Path

WORDS = 1_000
UNKNOWN = "the"  # Stands for every word outside the vocabulary. The mock sends this word.


def write_tokenizer(folder: Path) -> Path:
    """Writes the files that ``transformers`` expects, and returns their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {UNKNOWN: 0} | {f"word{number}": number for number in range(1, WORDS)}
    write(
        folder / "tokenizer.json",
        {
            "version": "1.0",
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": None,
            "decoder": None,
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": UNKNOWN},
        },
    )
    write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 1_000_000,
            "chat_template": "{% for message in messages %}{{ message['content'] }} {% endfor %}",
        },
    )
    # Some tools read the kind of model before they load its tokenizer.
    write(folder / "config.json", {"model_type": "llama", "vocab_size": WORDS, "bos_token_id": 0, "eos_token_id": 0})
    return folder


def write_hub_cache(home: Path, prompt_tokens: int) -> Path:
    """Writes the tokenizer and prompts into the cache of a model hub's client, and returns the cache's folder."""
    for kind, name in (("models", "words"), ("datasets", "prompts")):
        repository = home / "hub" / f"{kind}--mock--{name}"
        snapshot = repository / "snapshots" / "0"
        (repository / "refs").mkdir(parents=True, exist_ok=True)
        (repository / "refs" / "main").write_text("0", encoding="utf-8")
        write_tokenizer(snapshot)
        prompt = " ".join([UNKNOWN] * prompt_tokens)
        turns = [{"role": "user", "content": prompt}]
        write(snapshot / "prompts.json", [{"id": str(number), "conversations": turns} for number in range(100)])
    return home


def write(path: Path, document: object) -> None:
    """Writes JSON."""
    path.write_text(json.dumps(document), encoding="utf-8")
