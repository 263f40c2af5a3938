"""The detector: a stated rate of false alarms, in arrays and one by one."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest

import llmscope as ls

RNG = np.random.default_rng(7)
QUIET = 0.3 * np.exp(0.3 * RNG.standard_normal(1_000))
SLOWER = np.concatenate([QUIET, 1.5 * 0.3 * np.exp(0.3 * RNG.standard_normal(100))])


def test_a_slowdown_is_found_with_its_beginning_and_its_size() -> None:
    found = ls.Detector("1/10000", learn=200).push_many(SLOWER)
    first = found.alarms[0]
    assert (first.changed, abs(first.since - 1_000) <= 5, first.at < 1_050) == ("larger", True, True)
    assert first.size is not None
    assert first.interval is not None
    assert 1 < first.interval[0] < 1.5 < first.interval[1]
    assert found.evidence.shape == SLOWER.shape
    assert found.evidence[:200].max() == 0, "while it learns"
    assert found.evidence[first.at] >= found.threshold
    assert repr(found).startswith("Detection(values=1100, alarms=")


def test_an_array_is_judged_as_its_values_are() -> None:
    whole, single, parts = (ls.Detector(learn=50) for _ in range(3))
    found = whole.push_many(pl.Series(SLOWER))
    evidence = [single.push(value) for value in SLOWER]
    assert [one.value for one in evidence] == found.evidence.tolist()
    assert [one.alarm for one in evidence if one.alarm is not None] == found.alarms
    parts.push_many(SLOWER[:333])
    restored = pickle.loads(pickle.dumps(parts))
    assert restored == parts
    restored = ls.Detector.from_json(restored.to_json())
    assert restored.push_many(SLOWER[333:]).evidence.tolist() == found.evidence[333:].tolist()
    assert restored == whole == single


def test_tokens_explain_longer_answers() -> None:
    tokens = np.round(np.exp(5 + 0.8 * RNG.standard_normal(800))) + 1
    tokens[500:] *= 1.5
    seconds = 0.2 + 0.02 * tokens * np.exp(0.1 * RNG.standard_normal(800))
    with_tokens = ls.Detector("1/10000", columns=1).push_many(seconds, tokens)
    assert with_tokens.alarms == []
    two = np.column_stack([tokens, np.full(800, 12.0)])
    assert ls.Detector("1/10000", columns=2).push_many(seconds, two).evidence.tolist() == with_tokens.evidence.tolist()
    assert ls.Detector("1/10000").push_many(seconds).alarms != []


def test_it_says_why_it_does_not_judge_yet() -> None:
    detector = ls.Detector(learn=100)
    assert detector.learning == ls.Detector(learn=100).learning
    assert detector.push(0.3).learning is not None
    detector.push_many([None, 0.0, float("nan"), *QUIET[:98]])
    assert (detector.pushed, detector.learning) == (102, detector.learning)
    assert detector.learning is not None
    assert detector.learning.values == 99
    assert detector.smallest_visible is None
    assert "learning, 99 values" in repr(detector)
    detector.push_many(QUIET[98:200])
    assert detector.learning is None
    assert detector.smallest_visible is not None
    assert detector.smallest_visible > 1
    detector.relearn()
    assert detector.learning is not None


def test_what_it_cannot_judge_is_an_error() -> None:
    detector = ls.Detector(learn=20)
    with pytest.raises(ls.NonFiniteError):
        detector.push_many([0.3, float("inf")])
    assert detector.pushed == 0
    for tokens in ([1.0], [[1.0, 2.0], [3.0, 4.0]]):
        with pytest.raises(ls.LengthMismatchError, match="columns of the token counts"):
            detector.push_many([0.3, 0.4], tokens)
    with pytest.raises(ls.LengthMismatchError, match="3 entries in the token counts but 2"):
        ls.Detector(columns=1).push_many([0.3, 0.4], [1.0, 2.0, 3.0])
    for options in ({"false_alarms": "1/10"}, {"learn": 5}, {"scale": "cubic"}, {"columns": 9}):
        with pytest.raises(ls.ParameterError):
            ls.Detector(**options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="state of a detector"):
        ls.Detector.from_json(ls.Detector().to_json().replace("detector/1", "detector/9"))
