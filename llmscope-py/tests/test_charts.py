"""The golden tables of charts, from Python."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import number, reference

import llmscope as ls


def close(expected: Any, tolerance: float = 1e-12) -> Any:
    return pytest.approx(number(expected), rel=tolerance, abs=0.0 if number(expected) else 1e-300)


def beyond(chart: ls.Chart) -> list[int]:
    return [int(i) + 1 for i in np.flatnonzero(chart.judge("1").signals)]


def test_flow_rates_of_the_nist_handbook() -> None:
    table = reference("nist_handbook_individuals_flowrate")
    chart = ls.individuals(table["data"])
    exact = table["exact_d2"]
    assert chart.standards.within is not None
    assert chart.standards.within.sigma == close(exact["sigma"])
    assert (chart.limits.upper, chart.limits.lower) == (close(exact["ucl"]), close(exact["lcl"]))
    ranges = chart.dispersion_chart
    assert ranges is not None and ranges.kind == "moving-range" and ranges.positions == list(range(1, 10))
    assert ranges.limits.upper == close(exact["mr_ucl"])
    assert (ranges.limits.lower, ranges.limits.lower_clamped) == (0.0, True)
    assert chart.judge().is_in_control
    assert (chart.phase, chart.kind, len(chart)) == (1, "individuals", 10)


def test_piston_rings_limits_and_what_qcc_finds_in_phase_two() -> None:
    table = reference("pistonrings_xbar_r_s")
    exact = table["exact_values"]
    rings = np.array(table["phase1"], dtype=float)
    for kind, letter in (("xbar-r", "r"), ("xbar-s", "s")):
        chart = ls.xbar(rings, chart=kind)
        assert chart.limits.center == close(exact["grand_mean"])
        assert chart.limits.upper == close(exact[f"xbar_{letter}_ucl"])
        assert chart.limits.lower == close(exact[f"xbar_{letter}_lcl"])
        assert chart.dispersion_chart is not None
        assert chart.dispersion_chart.limits.upper == close(exact[f"{letter}_ucl"])
    study = ls.xbar(rings)
    later = study.monitor(np.vstack([rings, np.array(table["phase2"], dtype=float)]))
    judgement = later.judge()
    found = 0
    for rule in range(1, 9):
        expected = table["qcc_values"]["xbar"]["violations_1based"][f"nelson{rule}"]
        assert [int(i) + 1 for i in np.flatnonzero(judgement.signals_of(f"nelson-{rule}"))] == expected
        found += len(expected)
    assert (found, later.phase) == (12, 2)


def test_orange_juice_and_circuits() -> None:
    juice = reference("orangejuice_p_np")
    expected = juice["expected"]
    p = ls.attributes(juice["D"], juice["size"], chart="p")
    assert (p.limits.center, p.limits.upper) == (close(expected["p_bar"]), close(expected["ucl"]))
    assert p.limits.lower == close(expected["lcl"])
    np_chart = ls.attributes(juice["D"], juice["size"], chart="np")
    assert np_chart.limits.upper == close(expected["np_ucl"])
    assert beyond(p) == beyond(np_chart) == expected["beyond_limits_1based"] != []
    circuits = reference("circuit_c")
    c = ls.attributes(circuits["x"], chart="c")
    assert (c.limits.upper, c.limits.lower) == (close(circuits["expected"]["ucl"]), close(circuits["expected"]["lcl"]))
    assert beyond(c) == circuits["expected"]["beyond_limits_1based"] != []
    new = juice["new_data"]
    kept = [i for i in range(30) if i not in (14, 22)]
    revised = ls.attributes(np.array(juice["D"])[kept], 50).monitor(new["D"], sizes=new["size"])
    assert revised.limits.center == close(juice["revised_without_15_and_23"]["p_bar"])


def test_montgomery_cusum() -> None:
    table = reference("montgomery_cusum_ewma")
    chart = ls.Standards("cusum", 10.0, 1.0).monitor(table["data"])
    assert chart.points.tolist() == [pytest.approx(float(c), abs=1e-11) for c in table["cusum"]["c_plus"]]
    assert chart.lower_points is not None
    assert (-chart.lower_points).tolist() == [pytest.approx(float(c), abs=1e-11) for c in table["cusum"]["c_minus"]]
    violation = chart.judge().violations[0]
    # Montgomery: period 22 is the last one in control.
    assert (violation.first, violation.first_signal, violation.last) == (22, 28, 29)
    assert chart.to_svg().count("stroke-linejoin") == 2
    assert "lower_point" in chart.to_frame("pandas").columns
    assert ls.ewma(table["data"]).lower_points is None


def test_montgomery_moving_average() -> None:
    table = reference("montgomery_cusum_ewma")
    chart = ls.Standards("moving-average", 10.0, 1.0, span=5).monitor(table["data"])
    assert [round(x, 3) for x in chart.points[:3]] == [9.45, 8.72, 8.91]
    assert chart.limits.upper[-1] == pytest.approx(10 + 3 / 5**0.5)


def test_montgomery_ewma() -> None:
    table = reference("montgomery_cusum_ewma")
    chart = ls.Standards("ewma", 10.0, 1.0, lambda_=0.1, width=2.7).monitor(table["data"])
    assert chart.points.tolist() == [close(z) for z in table["ewma"]["z"]]
    assert len(chart.points) == 30
    widths = chart.limits.upper - 10.0
    assert widths.tolist() == [close(width) for width in table["ewma"]["half_width"]]
    assert beyond(chart) == table["ewma"]["signals_1based"] != []
    # An average is judged only by its limits.
    assert chart.judge().rules.codes == ["nelson-1"]


def test_stages_and_bounds() -> None:
    values = [1.0, 1.1, 0.9, 1.0, 2.0, 2.1, 1.9, 2.0]
    chart = ls.individuals(values, stages=[4], bounds=(0.95, None))
    assert chart.limits.center.tolist() == [1.0] * 4 + [2.0] * 4
    assert chart.limits.lower_clamped and not chart.limits.upper_clamped
    assert chart.breaks == [4]
    assert chart.dispersion_chart is not None and chart.dispersion_chart.positions == [1, 2, 3, 5, 6, 7]
    counts = ls.attributes([1, 2, 1, 8, 9, 8], 20, stages=[3])
    assert counts.limits.center.tolist() == pytest.approx([4 / 60] * 3 + [25 / 60] * 3)
    assert ls.xbar(np.array(values).reshape(4, 2), stages=[2]).limits.center.tolist() == [1.0, 1.0, 2.0, 2.0]


def test_laney_charts_know_variation_beyond_the_binomial() -> None:
    counts, sizes = [90, 250, 420, 180, 60], [1000, 2000, 4000, 2000, 1000]
    plain, laney = ls.attributes(counts, sizes), ls.attributes(counts, sizes, chart="laney-p")
    inflation = laney.standards.inflation
    assert inflation is not None and inflation > 1.0
    half = plain.limits.sigma * 3.0 * inflation
    assert laney.limits.upper == pytest.approx(plain.limits.center + half, rel=1e-13)


def test_a_chart_as_dictionary_frame_and_text() -> None:
    chart = ls.individuals([1.0, 2.0, 1.0, 2.0])
    document = chart.to_dict()
    assert document["points"] == [1.0, 2.0, 1.0, 2.0]
    assert document["limits"]["upper"] == chart.limits.upper
    for backend in ("pandas", "polars", "pyarrow"):
        frame = chart.to_frame(backend)
        assert list(getattr(frame, "column_names", None) or frame.columns) == [
            "point", "lower", "center", "upper", "sigma"
        ]
        assert len(frame) == 4
    assert "individuals chart, phase I, 4 points" in repr(chart)


def test_standards_of_one_chart_are_refused_by_another() -> None:
    with pytest.raises(ls.ParameterError):
        ls.Standards("individuals", 1.0)
    with pytest.raises(ls.ParameterError):
        ls.Standards("p", 1.5)
    with pytest.raises(ls.UnknownNameError, match="expected individuals, xbar-r"):
        ls.Standards("pareto", 1.0)
    with pytest.raises(ls.ParameterError, match="missing sizes: expected one size"):
        ls.Standards("p", 0.5).monitor([1, 2])
    with pytest.raises(ls.LengthMismatchError, match="2 entries in the labels"):
        ls.xbar([1.0, 2.0, 3.0], ["a", "b"])


def test_published_limits_are_drawn_back_from_the_scale_of_the_logarithm() -> None:
    table = reference("nist_handbook_individuals_flowrate")
    exact = {name: float(number(value)) for name, value in table["exact_d2"].items()}
    chart = ls.individuals(np.exp(table["data"]), transform="log")
    limits = chart.limits
    assert (limits.upper, limits.lower) == (close(np.exp(exact["ucl"]), 1e-11), close(np.exp(exact["lcl"]), 1e-11))
    assert limits.sigma == close(exact["sigma"])
    assert (limits.power, limits.zone_edge(3)) == (0.0, close(limits.upper, 1e-11))
    assert limits.zone_edge(-3) == close(limits.lower, 1e-11)
    assert chart.dispersion_chart is not None and chart.dispersion_chart.limits.upper == close(exact["mr_ucl"])
    assert (chart.dispersion_chart.limits.power, ls.individuals(table["data"]).limits.power) == (None, None)
    # Frozen limits, a dictionary and a pickle keep the transformation.
    later = chart.standards.monitor(np.exp(table["data"]))
    assert (later.phase, later.limits) == (2, limits)
    again = pickle.loads(pickle.dumps(chart))
    assert (again, again.to_dict()["limits"]["transform"]) == (chart, {"lambda": 0.0})
    assert "<svg" in chart.to_svg()
    known = ls.Standards("individuals", chart.standards.center, limits.sigma, power=0.0)
    assert (known.power, known.monitor(np.exp(table["data"])).limits) == (0.0, limits)
    with pytest.raises(ls.ParameterError, match="0.1 to 2"):
        ls.Standards("individuals", 0.3, 0.1, power=-1.0)
    with pytest.raises(ls.ParameterError, match="invalid power 0 with chart xbar-r"):
        ls.Standards("xbar-r", 0.3, 0.1, power=0.0)
    stages = ls.individuals(np.exp(table["data"]), transform="log", stages=[5])
    assert np.asarray(stages.limits.zone_edge(3)) == pytest.approx(np.asarray(stages.limits.upper))


def test_an_analysis_applies_the_requested_transform() -> None:
    tail = np.exp(np.random.default_rng(7).normal(-1.2, 0.5, 300))
    measured, log = (ls.analyze(tail, transform=scale, usl=5.0) for scale in ("none", "log"))
    assert isinstance(measured, ls.Analysis) and isinstance(log, ls.Analysis)
    assert (measured.power, log.power) == (None, 0.0)
    assert (measured.mean, measured.quantiles, measured.observed_ppm) == (log.mean, log.quantiles, log.observed_ppm)
    assert log.sigma is not None and log.sigma.overall == pytest.approx(np.std(np.log(tail), ddof=1))
    assert log.performance is not None
    expected = (np.log(5.0) - np.log(tail).mean()) / (3 * np.std(np.log(tail), ddof=1))
    assert log.performance.ppk == pytest.approx(expected)
    assert ls.analyze({"a": tail, "b": tail}, metric=["a", "b"], transform="log").to_frame("pandas")["power"].eq(0.0).all()
    table = pd.Series(tail).spc.individuals(transform="log")
    assert log.limits is not None and (table["upper"] == log.limits.upper).all()
    signals = pd.Series(tail).spc.nelson("1", transform="log")["nelson-1"]
    assert (signals == ls.individuals(tail, transform="log").judge("1").signals_of("nelson-1")).all()
    assert not (signals == pd.Series(tail).spc.nelson("1")["nelson-1"]).all()
    gap = ls.analyze([*tail, 0.0], transform="log", missing="break")
    assert isinstance(gap, ls.Analysis) and gap.excluded.not_positive == 1
    with pytest.raises(ls.ParameterError, match="log with chart xbar-r"):
        ls.analyze(tail, transform="log", chart="xbar-r", subgroups=5)
    with pytest.raises(ls.UnknownNameError, match="none, log, box-cox, auto"):
        ls.analyze(tail, transform="square")  # type: ignore[call-overload]
