"""Every error of the core has a Python class, a message and the offending values."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY

import llmscope as ls
from llmscope import _native

NAN = float("nan")


def times_per_token(definition: int | None) -> ls.Session:
    """A session whose times per token have this definition; the first one has no number."""
    attributes = {} if definition is None else {"tpot_definition": definition}
    records = [{"tpot_s": 0.01 + 0.0001 * (i % 7), "attributes": attributes} for i in range(60)]
    return ls.Session.from_json(json.dumps({"schema": "llmscope.session/1", "records": records}))


# variant of the core → class, a call that raises it, message, attributes
CASES: dict[str, tuple[type[ls.Error], Callable[[Path], object], str, dict[str, object]]] = {
    "NonFinite": (
        ls.NonFiniteError,
        lambda _: ls.individuals([1.0, float("inf")]),
        "value 1 is inf: expected a finite number; exclude the value, or choose how gaps are handled (break or drop)",
        {"index": 1, "value": float("inf")},
    ),
    "NotPositive": (
        ls.NotPositiveError,
        lambda _: ls.individuals([1.0, 2.0, 0.0], transform="log"),
        "value 2 is 0: expected a positive number; exclude the value, or judge without a transformation",
        {"index": 2, "value": 0.0},
    ),
    "Missing": (
        ls.MissingValueError,
        lambda _: ls.moments([1.0, None]),
        "value 1 is missing: choose how gaps are handled (break or drop)",
        {"index": 1},
    ),
    "TooLarge": (
        ls.TooLargeError,
        lambda _: ls.moments([1.0, 2.0, -1e80]),
        "value 2 is -1e80: expected a magnitude of at most 1e75; use a larger unit",
        {"index": 2, "value": -1e80, "max": 1e75},
    ),
    "NotEnoughData": (
        ls.NotEnoughDataError,
        lambda _: ls.sigma([1.0]),
        "sigma from moving ranges needs at least 1 adjacent pair, got 0",
        {"what": "sigma from moving ranges (adjacent pairs)", "have": 0, "need": 1},
    ),
    "Parameter": (
        ls.ParameterError,
        lambda _: ls.ewma([1.0, 2.0], lambda_=1.5),
        "invalid lambda 1.5: expected a number above 0 and at most 1",
        {"name": "lambda", "value": "1.5", "expected": "a number above 0 and at most 1"},
    ),
    "LengthMismatch": (
        ls.LengthMismatchError,
        lambda _: ls.attributes([1, 2, 3], [10, 10]),
        "3 entries in the counts but 2 in the sample sizes: expected equal lengths",
        {"left_name": "the counts", "left": 3, "right_name": "the sample sizes", "right": 2},
    ),
    "Count": (
        ls.CountError,
        lambda _: ls.attributes([1, 12], 10),
        "count 1 is 12 in a sample of 10: expected a whole sample size and at most as many nonconforming items",
        {"index": 1, "count": 12.0, "size": 10.0},
    ),
    "Specification": (
        ls.SpecificationError,
        lambda _: ls.performance([1.0, 2.0], lsl=2.0, usl=1.0),
        "invalid specification limits (lower 2, upper 1): expected the lower limit below the upper one",
        {"lower": 2.0, "upper": 1.0, "reason": "the lower limit below the upper one"},
    ),
    "Unknown": (
        ls.UnknownNameError,
        lambda _: ls.individuals([1.0, 2.0], missing="ignore"),  # type: ignore[arg-type]
        'unknown policy for missing values "ignore": expected error, break or drop',
        {"what": "policy for missing values", "name": "ignore", "expected": "error, break or drop"},
    ),
    "Definitions": (
        ls.DefinitionsError,
        lambda _: ls.gate(times_per_token(None), times_per_token(2), metric="tpot_s"),
        "has definition 1 in the baseline and definition 2 in the candidate; measure both with the same version",
        {"baseline": 1, "candidate": 2},
    ),
    "Quantity": (
        ls.QuantityError,
        lambda _: ls.analyze([1.0, 2.0], metric="ttft_s", usl="8 MB"),
        'invalid quantity "8 MB": expected a number with the unit',
        {"text": "8 MB", "unit": "s"},
    ),
    "Format": (
        ls.FormatError,
        lambda folder: ls.read_log(write(folder / "run.jsonl", '{"a": 1}\n{"a": oops}\n')),
        "run.jsonl:2",
        {"line": 2, "field": None},
    ),
    "Io": (
        ls.FileError,
        lambda folder: ls.individuals([1.0, 2.0]).save(folder / "no/such/folder/chart.svg"),
        "chart.svg",
        {},
    ),
    "Render": (ls.RenderError, lambda _: _native._png("<svg"), "cannot render the chart: ", {}),
}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def core_variants() -> list[str]:
    source = (REPOSITORY / "llmscope-core/src/error.rs").read_text(encoding="utf-8")
    body = re.search(r"pub enum Error \{(.*?)\n\}", source, re.DOTALL)
    assert body is not None
    return re.findall(r"^    ([A-Z]\w*)", body.group(1), re.MULTILINE)


def test_every_error_of_the_core_is_listed() -> None:
    assert len(core_variants()) > 10
    assert sorted(core_variants()) == sorted(CASES)


def test_every_class_belongs_to_an_error_of_the_core() -> None:
    assert {kind for kind, *_ in CASES.values()} == {
        kind for kind in vars(ls.errors).values() if isinstance(kind, type) and issubclass(kind, ls.Error)
    } - {ls.Error, ls.BenchError}


@pytest.mark.parametrize("variant", CASES)
def test_the_class_the_message_and_the_values(variant: str, tmp_path: Path) -> None:
    kind, fail, message, values = CASES[variant]
    with pytest.raises(ValueError) as caught:
        fail(tmp_path)
    error: Any = caught.value
    assert type(error) is kind
    assert message in str(error)
    for name, value in values.items():
        assert getattr(error, name) == value
    assert set(kind.__annotations__) <= set(vars(error))
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (kind, str(error), vars(error))


def test_a_missing_file() -> None:
    with pytest.raises(FileNotFoundError, match=r"no-such-file\.json: No such file"):
        ls.read_log("no-such-file.json")
    with pytest.raises(FileNotFoundError):
        ls.analyze("no-such-file.json")
    with pytest.raises(OSError) as caught:
        ls.individuals([1.0, 2.0]).save("/no/such/folder/chart.svg")
    assert isinstance(caught.value, ls.FileError)


def test_errors_before_a_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ls.BenchError, match="anthropic needs a key: set ANTHROPIC_API_KEY in the environment") as caught:
        ls.bench("anthropic", model="m")
    assert "ANTHROPIC_API_KEY" in caught.value.reason
    with pytest.raises(ls.ParameterError, match="invalid --rate -1") as refused:
        ls.bench("simulated", rate=-1.0)
    assert refused.value.value == "-1"
    with pytest.raises(ls.UnknownNameError, match="unknown vendor"):
        ls.bench("no-such-vendor")
    with pytest.raises(ls.QuantityError):
        ls.bench("simulated", duration="8 MB")
