"""Capability, factors and statistics from Python against the golden tables of the core."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import number, reference

import llmscope as ls


def test_piston_rings_under_every_sigma_convention() -> None:
    rings = np.array(reference("pistonrings_xbar_r_s")["phase1"], dtype=float)
    exact = reference("pistonrings_capability")["exact_values"]
    conventions = {
        "rbar_d2": "average_range",
        "sbar_c4": "average_standard_deviation",
        "pooled_no_unbiasing": "pooled_biased",
        "pooled_c4 (Minitab default)": "pooled",
    }
    limits = {"lsl": 73.95, "usl": 74.05}
    for name, estimator in conventions.items():
        index = ls.capability(rings, sigma_estimator=estimator, **limits)
        row = exact["within"][name]
        assert index is not None and index.estimator == estimator
        assert [index.sigma, index.cp, index.cpl, index.cpu, index.cpk] == pytest.approx(
            [number(row[key]) for key in ("sigma", "cp", "cpl", "cpu", "cpk")], rel=1e-11
        )
        assert ls.expected_ppm(number(exact["mean"]), index.sigma, **limits) == pytest.approx(
            number(row["ppm_expected"]), rel=1e-9
        )
    flat = ls.capability(rings.ravel(), **limits)
    assert flat is not None
    assert flat.cpk == pytest.approx(number(exact["within"]["moving_range_of_flattened_data"]["cpk"]), rel=1e-11)
    assert ls.capability(rings, **limits) == ls.capability(rings.ravel(), 5, **limits)
    overall = ls.performance(rings.ravel(), target=74.0, **limits)
    assert overall is not None and overall.ppk_interval is not None
    assert overall.ppk == pytest.approx(number(exact["overall"]["ppk"]), rel=1e-11)
    assert overall.ppk_interval == pytest.approx([number(end) for end in exact["ci95"]["ppk_bissell_df124"]], rel=1e-11)
    assert overall.cpm == pytest.approx(number(exact["cpm"]["about_target_over_n_minus_1_minitab"]), rel=1e-11)


def test_without_variation_there_is_no_capability() -> None:
    assert ls.capability([1.0, 1.0, 1.0], usl=2.0) is None
    assert ls.performance([1.0, 1.0, 1.0], usl=2.0) is None
    with pytest.raises(ls.SpecificationError, match="expected at least one limit"):
        ls.capability([1.0, 2.0])
    with pytest.raises(ls.SpecificationError) as caught:
        ls.performance([1.0, 2.0], lsl=3.0, usl=2.0)
    assert (caught.value.lower, caught.value.upper) == (3.0, 2.0)
    with pytest.raises(ls.ParameterError, match="invalid confidence 95"):
        ls.capability([1.0, 2.0], usl=3.0, confidence=95)


def test_factors_against_the_published_table() -> None:
    rows = reference("control_chart_constants")["rows"]
    checked = 0
    for row in rows if isinstance(rows, list) else rows.values():
        n = int(row["n"])
        for name in ("d2", "d3", "c4"):
            if name in row:
                assert getattr(ls, name)(n) == pytest.approx(number(row[name]), rel=1e-12)
                assert getattr(ls.factors(n), name) == getattr(ls, name)(n)
                checked += 1
    assert checked > 50
    with pytest.raises(ls.ParameterError, match="invalid n 1"):
        ls.factors(1)


def test_moments_and_limits_of_the_nist_sets() -> None:
    exact = {case["name"]: case for case in reference("nist_strd_binary64")["cases"]}
    checked = 0
    for case in reference("nist_strd_univariate")["cases"]:
        # The other sets are defined by a formula, which the core's own tests follow.
        if "data" not in case:
            continue
        checked += 1
        row, data = exact[case["name"]], np.array(case["data"], dtype=float)
        moments = ls.moments(data)
        assert (moments.count, moments.mean) == (case["n"], pytest.approx(number(row["mean"]), rel=1e-15))
        assert moments.standard_deviation == pytest.approx(number(row["sd"]), rel=1e-15)
        assert ls.autocorrelation(data) == pytest.approx(number(row["lag1"]), rel=1e-13)
        assert ls.individuals(data).limits.upper == pytest.approx(number(row["i_ucl"]), rel=1e-14)
    assert checked == 5


def test_moments_of_parts_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(1e6, 1.0, 10_001)
    whole = ls.moments(values)
    parts = ls.moments(values[:3000]).merge(ls.moments(values[3000:]))
    assert whole.count == parts.count == 10_001
    assert parts.mean == pytest.approx(whole.mean, rel=1e-15)
    assert parts.standard_deviation == pytest.approx(np.std(values, ddof=1), rel=1e-9)
    assert ls.moments([]).mean is None


@pytest.mark.parametrize("method", range(1, 10))
def test_quantiles_are_numpys(method: int) -> None:
    names = ["inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen",
             "weibull", "linear", "median_unbiased", "normal_unbiased"]
    values = np.random.default_rng(6).exponential(1.0, 101)
    p = [0.01, 0.1, 0.25, 0.5, 0.9, 0.99]
    expected = np.quantile(values, p, method=names[method - 1])
    assert ls.quantile(values, p, method=method) == pytest.approx(expected, rel=1e-12)


def test_invalid_quantiles() -> None:
    with pytest.raises(ls.NotEnoughDataError):
        ls.quantile([], 0.5)
    with pytest.raises(ls.ParameterError, match=r"invalid p 1\.5"):
        ls.quantile([1.0], 1.5)
    with pytest.raises(ls.ParameterError, match="invalid method 0"):
        ls.quantile([1.0], 0.5, method=0)


def test_changes_of_the_level() -> None:
    noise = np.random.default_rng(5).lognormal(0, 0.2, 200)
    raised = np.where(np.arange(200) < 130, noise, 1.5 * noise)
    assert ls.change_points(noise) == []
    found = ls.change_points(raised)
    assert [abs(change.at - 130) <= 3 for change in found] == [True]
    assert found[0].p < 1e-6 and found[0].z > 5
    # Positions count only the values that are present.
    with_gap = np.insert(raised, 50, np.nan)
    assert [change.at for change in ls.change_points(with_gap, missing="break")] == [found[0].at]
    analysis = ls.analyze(raised, stages="auto", rules="none")
    assert [stage.first for stage in analysis.stages] == [0, found[0].at]
    assert (analysis.stages[1].last, analysis.stages[1].p, analysis.stages[1].t) == (199, found[0].p, None)
    assert analysis.patterns.verdict == "out_of_control" and "the level changes" in str(analysis)
    fixed = ls.analyze(raised, stages=[found[0].at], rules="none")
    assert fixed.patterns.verdict == "in_control" and fixed.limits == analysis.limits
    assert ls.analyze(noise, stages="auto").stages[0].last == 199
    with pytest.raises(ls.ParameterError, match="auto, or 0-based positions"):
        ls.analyze(raised, stages="automatic")
    with pytest.raises(ls.ParameterError, match="invalid fewest 0"):
        ls.change_points(raised, fewest=0)


def test_the_size_of_a_change() -> None:
    noise = np.random.default_rng(5).lognormal(0, 0.2, 200)
    raised = np.where(np.arange(200) < 130, noise, 1.5 * noise)
    change = ls.change_points(raised)[0]
    before, after = raised[: change.at], raised[change.at :]
    assert (change.before, change.after) == (np.median(before), np.median(after))
    # All pairs, without the core's selection: the median, and the bounds of Moses (Hollander & Wolfe, section 4.3).
    ratios = np.sort(np.divide.outer(after, before), axis=None)
    assert change.contrast == "ratio" and change.size == pytest.approx(np.median(ratios), rel=1e-9)
    spread = np.sqrt(len(before) * len(after) * (len(raised) + 1) / 12)
    rank = int(len(ratios) / 2 - 1.959963984540054 * spread - 0.5)
    assert change.interval is not None
    lower, upper = change.interval
    # Dependence may only widen the interval.
    assert ratios[rank // 2] <= lower <= ratios[rank] and ratios[-1 - rank] <= upper <= ratios[-1 - rank // 2]
    assert lower < change.size < upper
    narrow = ls.change_points(raised, confidence=0.5)[0].interval
    assert narrow is not None and lower < narrow[0] < change.size < narrow[1] < upper
    difference = ls.change_points(raised - 2.0)[0]
    assert (difference.contrast, difference.at) == ("difference", change.at)
    assert difference.size == pytest.approx(np.median(np.subtract.outer(after, before)), rel=1e-9)


def test_the_level_of_changes() -> None:
    noise = np.random.default_rng(7).normal(10, 1, 120)
    weak = noise + 0.75 * (np.arange(120) >= 60)
    p = ls.change_points(weak, level=0.9)[0].p
    assert ls.change_points(weak, level=p / 2) == []
    for level in (0.0, 1.0, float("nan")):
        with pytest.raises(ls.ParameterError, match="invalid level"):
            ls.change_points(weak, level=level)
    with pytest.raises(ls.ParameterError, match="invalid confidence"):
        ls.change_points(weak, confidence=1.0)


def test_a_known_dependence_of_neighbors() -> None:
    noise = np.random.default_rng(7).normal(10, 1, 120)
    raised = noise + 1.0 * (np.arange(120) >= 60)
    assert [change.at for change in ls.change_points(raised, inflation=1.0)]
    assert ls.change_points(raised, inflation=20.0) == []
    for inflation in (0.9, -1.0, float("nan"), float("inf")):
        with pytest.raises(ls.ParameterError, match="invalid inflation"):
            ls.change_points(raised, inflation=inflation)


def test_normality_and_autocorrelation() -> None:
    generator = np.random.default_rng(7)
    normal, skewed = generator.normal(0, 1, 500), generator.exponential(1, 500)
    first, second = ls.anderson_darling(normal), ls.anderson_darling(skewed)
    assert first is not None and second is not None and first.p > 0.05 > 1e-6 > second.p
    assert ls.anderson_darling([1.0, 2.0]) is None
    centered = normal - normal.mean()
    assert ls.autocorrelation(normal, 3) == pytest.approx(
        (centered[3:] * centered[:-3]).sum() / (centered**2).sum(), rel=1e-9
    )
