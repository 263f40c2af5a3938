"""What the tests share: the core's reference tables, and random latencies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
REFERENCES = REPOSITORY / "llmscope-core/tests/reference"
SESSIONS = REPOSITORY / "examples/sessions"
CLI = REPOSITORY / "target/debug/llmscope"


def reference(name: str) -> Any:
    """A golden table of the core, which names its source."""
    table = json.loads((REFERENCES / f"{name}.json").read_text(encoding="utf-8"))
    assert table["source"], f"{name} has no source"
    return table


def number(value: Any) -> float:
    """A number. The tables write numbers as strings if no digit may be lost."""
    return float(value)


@pytest.fixture
def latencies() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Skewed latencies with a shift, so that several rules signal."""
    generator = np.random.default_rng(20261123)
    values = 0.2 + generator.exponential(0.05, 400)
    values[200:240] += 0.08
    return values
