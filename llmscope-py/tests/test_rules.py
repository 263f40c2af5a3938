"""Rules from Python, compared with their definition; the monitor, compared with the judgement of the whole series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import llmscope as ls


def defined(x: Any, center: float, sigma: float) -> dict[str, list[int]]:
    """Nelson's eight rules by their definition: whether the pattern ends at this point."""
    z = [(value > center) - (value < center) for value in x]
    steps = [0] + [(b > a) - (b < a) for a, b in zip(x, x[1:], strict=False)]

    def zone(value: float, k: float) -> int:
        return int(value > center + k * sigma) - int(value < center - k * sigma)

    def same(signs: list[int], n: int) -> bool:
        return len(signs) == n and abs(sum(signs)) == n

    def k_of_m(i: int, multiple: float, k: int, m: int) -> bool:
        window = [zone(value, multiple) for value in x[max(0, i - m + 1) : i + 1]]
        return window[-1] != 0 and window.count(window[-1]) >= k

    def alternates(window: list[int]) -> bool:
        return len(window) == 13 and all(a * b == -1 for a, b in zip(window, window[1:], strict=False))

    found: dict[str, list[int]] = {f"nelson-{rule}": [] for rule in range(1, 9)}
    for i, value in enumerate(x):
        def last(signs: list[int], n: int, i: int = i) -> list[int]:
            return signs[i - n + 1 : i + 1] if i >= n - 1 else []

        inside = [zone(v, 1.0) == 0 for v in x[max(0, i - 14) : i + 1]]
        outside = [zone(v, 1.0) != 0 for v in x[max(0, i - 7) : i + 1]]
        holds = [
            zone(value, 3.0) != 0,
            same(last(z, 9), 9),
            i >= 5 and same(last(steps, 5), 5),
            i >= 13 and alternates(last(steps, 13)),
            k_of_m(i, 2.0, 2, 3),
            k_of_m(i, 1.0, 4, 5),
            len(inside) == 15 and all(inside),
            len(outside) == 8 and all(outside),
        ]
        for rule, hold in enumerate(holds, 1):
            if hold:
                found[f"nelson-{rule}"].append(i)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_the_eight_rules_are_what_their_definition_says(seed: int) -> None:
    generator = np.random.default_rng(seed)
    # Coarse values cause ties and points on the lines; a random walk causes runs and trends.
    x = np.round(generator.normal(0, 1.2, 300) + 0.3 * np.cumsum(generator.normal(0, 0.3, 300)), seed % 3)
    judgement = ls.judge(x, 0.0, 1.0)
    expected = defined(x.tolist(), 0.0, 1.0)
    for code, positions in expected.items():
        assert np.flatnonzero(judgement.signals_of(code)).tolist() == positions, code
    stream = ls.Monitor(0.0, 1.0)
    cut = int(generator.integers(0, 300))
    signals = stream.push_many(x[:cut]) + [signal for value in x[cut:] for signal in stream.push(value)]
    for code, positions in expected.items():
        assert [signal.at for signal in signals if signal.rule == code] == positions
    assert stream.seen == 300


def test_all_rules_were_tried() -> None:
    seen = set()
    for seed in range(60):
        generator = np.random.default_rng(seed)
        x = np.round(generator.normal(0, 1.2, 300) + 0.3 * np.cumsum(generator.normal(0, 0.3, 300)), seed % 3)
        seen |= {violation.rule for violation in ls.judge(x, 0.0, 1.0).violations}
    # Fourteen alternating points and fifteen close to the center line are rare in such data, so they are constructed.
    zigzag = [(-1.0) ** i * 0.5 for i in range(20)]
    seen |= {violation.rule for violation in ls.judge(zigzag, 0.0, 1.0).violations}
    assert seen == {f"nelson-{rule}" for rule in range(1, 9)}


def test_rule_sets() -> None:
    assert ls.RuleSet.names() == ["nelson", "western-electric", "aiag", "montgomery", "westgard", "none"]
    assert len(ls.RuleSet()) == 8
    assert ls.RuleSet("nelson") == ls.RuleSet()
    assert ls.RuleSet(["nelson-1", ls.Rule("up", {"trend": {"length": 3}})]).codes == ["nelson-1", "up"]
    eight = ls.RuleSet("2").with_length("2", 8)
    assert eight.rules[0].pattern == {"same_side": {"length": 8}}
    assert ls.RuleSet("1").with_multiple("1", 2.5).rules[0].pattern["beyond"]["multiple"] == 2.5
    assert ls.RuleSet().without_zones().codes == ["nelson-1", "nelson-2", "nelson-3", "nelson-4"]
    assert ls.RuleSet().limits_only().codes == ["nelson-1"]
    with pytest.raises(ls.UnknownNameError, match="nelson-2"):
        ls.RuleSet("shewhart")
    with pytest.raises(ls.ParameterError, match="from 3 to 10000"):
        ls.Rule("up", {"trend": {"length": 2}})
    with pytest.raises(ValueError, match="unknown variant"):
        ls.Rule("up", {"climb": {"length": 2}})


def test_judging_against_lines_that_vary() -> None:
    center = [0.0, 10.0, 20.0]
    judgement = ls.judge([0.0, 14.0, 20.0], center, [1.0, 1.0, 1.0], rules="1")
    assert np.flatnonzero(judgement.signals).tolist() == [1]
    with pytest.raises(ls.LengthMismatchError):
        ls.judge([0.0, 14.0, 20.0], center[:2], 1.0)
    monitor = ls.Monitor(0.0, 1.0, "1")
    assert monitor.push(14.0, center=10.0, sigma=1.0)[0].side == "above"
    with pytest.raises(ls.ParameterError, match="missing center and sigma: expected both or neither"):
        monitor.push(14.0, center=10.0)


def test_a_gap_ends_every_run() -> None:
    values = [1.0] * 8 + [None] + [1.0] * 8
    assert ls.Monitor(0.0, 10.0, "2").push_many(values, missing="break") == []
    assert len(ls.Monitor(0.0, 10.0, "2").push_many(values, missing="drop")) == 8
    assert ls.judge([1.0] * 16, 0.0, 10.0, rules="2", breaks=[8]).is_in_control
    monitor = ls.Monitor(0.0, 10.0, "2")
    monitor.push_many([1.0] * 8)
    monitor.gap()
    assert monitor.push(1.0) == []


def test_a_refused_point_leaves_the_monitor_as_it_was() -> None:
    monitor, untouched = ls.Monitor(0.0, 1.0), ls.Monitor(0.0, 1.0)
    with pytest.raises(ls.NonFiniteError):
        monitor.push(float("inf"))
    with pytest.raises(ls.NonFiniteError):
        monitor.push_many([1.0, 2.0, float("nan")])
    assert monitor == untouched and monitor.seen == 0


def test_a_judgement_tells_where() -> None:
    judgement = ls.individuals([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.52, 0.31]).judge("1,2")
    violation = judgement.violations[0]
    assert (violation.rule, violation.first, violation.first_signal, violation.last) == ("nelson-1", 8, 8, 8)
    assert judgement.members_of("nelson-1").tolist() == judgement.signals_of("nelson-1").tolist()
    assert judgement.to_dict()["violations"][0]["signals"] == [8]
    assert len(judgement.to_frame("pandas")) == 1
    assert not judgement.is_in_control and len(judgement) == 10
    with pytest.raises(ls.UnknownNameError, match="nelson-2"):
        judgement.signals_of("nelson-3")


def test_a_violation_lists_the_signals_that_it_shows() -> None:
    values = [0.1, -0.1] * 10 + [1.0] * 12
    violation = next(v for v in ls.judge(values, 0.0, 1.0).violations if v.rule == "nelson-2")
    assert violation.signals == list(range(violation.first_signal, violation.last + 1)) == violation.to_dict()["signals"]
    assert f"signals={violation.signals}" in repr(violation)
