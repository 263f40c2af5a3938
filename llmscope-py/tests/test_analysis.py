"""From logs, frames and arrays to a verdict: the same numbers as on the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import CLI, SESSIONS

import llmscope as ls


def frame(n: int = 60) -> dict[str, Any]:
    generator = np.random.default_rng(8)
    times = np.datetime64("2026-11-23T10:00:00", "us") + np.arange(n) * np.timedelta64(1, "s")
    return {
        "model": ["small" if i % 2 else "large" for i in range(n)],
        "ttft_s": generator.normal(0.3, 0.02, n),
        "size": np.full(n, 50),
        "failed": generator.integers(0, 5, n),
        "started_at": times,
    }


FRAMES = {
    "dictionary": dict,
    "pandas": pd.DataFrame,
    "pandas categories": lambda columns: pd.DataFrame(columns).astype({"model": "category"}),
    "pandas Arrow": lambda columns: pd.DataFrame(columns).convert_dtypes(dtype_backend="pyarrow"),
    "polars": pl.DataFrame,
    "polars categories": lambda columns: pl.DataFrame(columns).with_columns(pl.col("model").cast(pl.Categorical)),
    "pyarrow": pa.table,
}


@pytest.mark.parametrize("session", sorted(path.name for path in SESSIONS.glob("*.json")))
def test_the_report_is_that_of_the_command_line(session: str) -> None:
    assert CLI.exists(), "build the command line first: make program"
    path = SESSIONS / session
    command = [CLI, "analyze", path, "--by", "session", "--metric", "e2e_s", "--usl", "800ms", "--points", "--json"]
    written = subprocess.run(command, capture_output=True, check=False)
    assert written.returncode in (0, 1), written.stderr
    expected = json.loads(written.stdout)
    assert expected["analyses"]
    del expected["generated_at"]
    assert ls.analyze(path, metric="e2e_s", by="session", usl="800ms", points=True).to_dict() == expected
    # A session in memory gives the same result as its file, except for the name of the file.
    again = ls.analyze(ls.read_session(path), metric="e2e_s", by="session", usl=0.8, points=True).to_dict()
    for analysis, other in zip(again["analyses"], expected["analyses"], strict=True):
        assert {**analysis, "source": None} == {**other, "source": None}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_of_every_kind(kind: str) -> None:
    report = ls.analyze(FRAMES[kind](frame()), metric="ttft_s", by="model", usl="400ms")
    assert [analysis.group for analysis in report] == [{"model": "large"}, {"model": "small"}]
    expected = ls.analyze(frame()["ttft_s"][::2], metric="ttft_s", usl=0.4)
    assert report[0].capability == expected.capability is not None
    assert (report[0].limits, report[0].unit, report[0].n) == (expected.limits, "s", 30)
    judgement = report[0].judgement
    assert judgement is not None and judgement.chart is not None
    assert judgement.chart.points.tolist() == frame()["ttft_s"][::2].tolist()
    assert "2026-11-23T10:00:00Z" in repr(report[0])


def test_a_column_means_what_its_name_or_the_caller_says() -> None:
    values = [100.0 + i * 7 % 10 - (50 if i >= 40 else 0) for i in range(80)]
    by_name = ls.analyze({"tps": values, "x": values}, metric=["tps", "x"], by=[])
    assert [analysis.answer.direction for analysis in by_name] == ["worse", "unknown"]
    assert by_name[0].unit == "1/s"
    stated = ls.analyze({"x": values}, by=[], units={"x": "ms"}, lower_is_better="x")
    assert (stated[0].unit, stated[0].answer.direction) == ("ms", "better")
    columns = {column["name"]: column for column in by_name.to_dict()["columns"]}
    assert columns["tps"]["direction"] == "higher_is_better" and columns["tps"]["direction_from"] == "name"
    with pytest.raises(ls.ParameterError, match="limits of several metrics"):
        ls.analyze({"ttft_s": values, "e2e_s": values}, metric=["ttft_s", "e2e_s"], by=[], usl="800ms")
    with pytest.raises(ls.ParameterError, match="xbar-r"):
        ls.analyze({"x": values}, by=[], chart="ewma", subgroups=5)


def test_counts_and_subgroups_by_column() -> None:
    report = ls.analyze(pd.DataFrame(frame()), metric="failed", by=[], chart="p", sizes="size")
    assert report[0].limits == ls.attributes(frame()["failed"], 50).limits
    report = ls.analyze(pl.DataFrame(frame()), metric="ttft_s", by=[], chart="xbar-s", subgroups=5)
    assert report[0].limits == ls.xbar(frame()["ttft_s"], 5, chart="xbar-s").limits
    columns = {**frame(), "batch": [f"b{i // 6}" for i in range(60)]}
    by_label = ls.analyze(columns, metric="ttft_s", by=[], chart="xbar-r", subgroups="batch")
    assert by_label[0].limits == ls.xbar(frame()["ttft_s"], 6).limits


def test_limits_are_those_of_the_last_stage_by_default() -> None:
    values = frame(200)["ttft_s"]
    values[100:] *= 1.5
    analysis = ls.analyze(values, metric="ttft_s", usl=0.8)
    assert analysis.basis is not None and analysis.power == 0.0
    assert (analysis.basis.first, analysis.basis.last, analysis.basis.n) == (100, 199, 100)
    stage = ls.individuals(values[100:], transform="log")
    assert analysis.limits is not None and analysis.capability is not None
    assert analysis.limits.center == pytest.approx(stage.limits.center, rel=1e-12)
    assert analysis.limits.upper == pytest.approx(stage.limits.upper, rel=1e-12)
    assert all(violation.first >= 100 for violation in analysis.violations)
    assert analysis.patterns.false_alarm is not None and 0.0 <= analysis.patterns.false_alarm <= 1.0
    # Everything that is requested gives the limits of all points.
    for options in ({"rules": "nelson"}, {"chart": "individuals"}, {"transform": "none"}):
        classical = ls.analyze(values, metric="ttft_s", **options)
        assert classical.basis is None and classical.patterns.false_alarm is None
        assert classical.limits == ls.individuals(values, bounds=(0, None)).limits


def test_where_limits_come_from(tmp_path: Path) -> None:
    values = frame()["ttft_s"]
    first = ls.analyze(values, metric="ttft_s", phase1=30)
    assert (first.phase, first.limits) == (2, ls.individuals(values[:30], bounds=(0, None)).limits)
    assert ls.analyze(values, phase1=(10, 40)).limits == ls.individuals(values[10:40]).limits
    given = ls.analyze(values, center=0.3, sigma=0.02, metric="ttft_s")
    assert given.limits is not None and given.limits.upper == pytest.approx(0.36)
    study = ls.analyze(frame(), metric="ttft_s", by="model")
    study.save_baseline(tmp_path / "baseline.json")
    later = ls.analyze(frame(), metric="ttft_s", by="model", baseline=tmp_path / "baseline.json")
    assert [(a.phase, a.limits) for a in later] == [(2, a.limits) for a in study]
    with pytest.raises(ls.ParameterError, match="invalid origin of the limits phase1 and center: expected only one"):
        ls.analyze(values, phase1=10, center=0.3)
    with pytest.raises(ls.FormatError, match="not a baseline"):
        ls.analyze(values, baseline=SESSIONS / "paused.json")


def test_the_error_of_a_gap_names_its_row() -> None:
    columns = {"latency": [0.3, None, 0.2] * 5}
    with pytest.raises(ls.FormatError) as caught:
        ls.analyze(columns, metric="latency")
    assert (caught.value.line, caught.value.field) == (1, "latency")
    assert "frame:1: latency: missing value; choose how gaps are handled (break or drop)" in str(caught.value)
    report = ls.analyze(columns, metric="latency", missing="break")
    assert (report[0].n, report[0].excluded.missing) == (10, 5)
    with pytest.raises(ls.FormatError, match='"fast" is not a number'):
        ls.analyze({"latency": [0.3] * 12 + ["fast"]}, metric="latency")


def test_errors_list_the_available_names() -> None:
    with pytest.raises(ls.UnknownNameError, match="expected model, ttft_s"):
        ls.analyze(frame(), metric="e2e_s")
    with pytest.raises(ls.UnknownNameError, match="itl"):
        ls.analyze(SESSIONS / "paused.json", metric="itl")
    with pytest.raises(ls.ParameterError, match="invalid column model: expected a data frame"):
        ls.analyze([1.0, 2.0], by="model")
    with pytest.raises(ls.LengthMismatchError):
        ls.analyze({"model": ["a"], "x": [1.0, 2.0]}, metric="x", by="model")
    with pytest.raises(TypeError, match="expected paths, logs and sessions"):
        ls.analyze([SESSIONS / "paused.json", 3])  # type: ignore[list-item]


def test_too_few_and_constant_data_are_verdicts() -> None:
    few = ls.analyze([1.0, 2.0, 3.0], usl=4.0)
    assert (few.verdict, few.need, few.judgement, few.limits) == ("not_enough_data", 10, None, None)
    with pytest.raises(ls.NotEnoughDataError):
        few.plot()
    constant = ls.analyze([1.0] * 30, usl=4.0)
    assert (constant.verdict, constant.patterns.verdict, constant.capability) == ("stable", "in_control", None)
    assert any("sigma is 0" in warning for warning in constant.warnings)
    assert ls.analyze([]).verdict == "not_enough_data"


def test_several_logs_and_a_report_as_a_sequence() -> None:
    paths = sorted(SESSIONS.glob("*.json"))
    report = ls.analyze(paths, by="session", metric=["ttft_s", "tpot_s"])
    assert len(report) == 2 * len(paths)
    assert report == ls.analyze([ls.read_log(path) for path in paths], by="session", metric=["ttft_s", "tpot_s"])
    assert report[-1] == report[len(report) - 1] == list(report)[-1] == report.analyses[-1]
    with pytest.raises(IndexError):
        report[len(report)]
    table = report.to_frame("pandas")
    assert table["session"].nunique() == len(paths)
    assert table["verdict"].tolist() == [analysis.verdict for analysis in report]
    assert report.is_in_control == all(verdict != "out_of_control" for verdict in table["patterns"])
    assert report.to_frame("polars")["center"].to_list() == table["center"].tolist()


def test_a_long_log_is_judged_as_it_comes(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    rows = {"model": generator.choice(["small", "large"], 20_000), "ttft_s": generator.gamma(9.0, 0.03, 20_000)}
    rows["run"] = np.repeat(["one", "two"], 10_000)
    for name, write in [("a.csv", pd.DataFrame.to_csv), ("a.jsonl", pd.DataFrame.to_json)]:
        path = tmp_path / name
        options = {"index": False} if name == "a.csv" else {"orient": "records", "lines": True}
        write(pd.DataFrame(rows), path, **options)
        for by in ["model", ["session", "model"]]:
            report = ls.analyze(path, metric="ttft_s", by=by)
            assert report == ls.analyze(ls.read_log(path), metric="ttft_s", by=by)
            assert sum(analysis.n for analysis in report) == 20_000
    path.write_text(path.read_text().replace("small", "small\"", 1))
    with pytest.raises(ls.errors.FormatError, match=r"a\.jsonl:\d+"):
        ls.analyze(path, metric="ttft_s")
    with pytest.raises(OSError, match="directory"):
        ls.analyze(tmp_path, metric="ttft_s")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ls.analyze(tmp_path / "nowhere.csv")


def test_several_sessions_are_studied_together() -> None:
    paths = sorted(str(path) for path in SESSIONS.glob("*.json"))
    logs = [ls.read_log(path) for path in paths]
    report = ls.analyze(logs, metric="e2e_s", by="session", usl="800ms")
    assert len(report) == 3
    (study,) = report.studies
    assert (len(study.runs), study.n, study.verdict) == (3, 899, "not_enough_data")
    assert study.total.variance == pytest.approx(study.within.variance + study.between.variance)
    assert study.performance is not None and study.capability is not None
    assert study.performance.ppk < study.capability.cpk
    assert study.within.interval is not None
    assert study.within.interval[0] < study.within.sigma < study.within.interval[1]
    assert report.to_dict()["studies"] == [study.to_dict()]
    assert "σ between runs" in repr(report) and "3 runs" in report._repr_html_()
    assert ls.analyze(logs, metric="e2e_s").studies == []


def test_skewed_data_get_indices_that_fit_them() -> None:
    values = np.random.default_rng(5).lognormal(-1.0, 0.4, 200)
    analysis = ls.analyze(values, usl=2.0)
    non_normal = analysis.non_normal
    assert non_normal is not None and analysis.performance is not None
    assert non_normal["supported"] == "lognormal"
    assert non_normal["fits"][0]["ppk"] < analysis.performance.ppk
    assert non_normal["fits"][0]["sigma"] == pytest.approx(np.log(values).std(), rel=1e-12)
    assert abs(non_normal["box_cox"]["lambda"]) < 0.5
    assert ls.analyze(values).non_normal is None


def test_a_name_comes_from_the_series() -> None:
    assert ls.analyze(pd.Series([1.0, 2.0] * 8, name="ttft_s")).metric == "ttft_s"
    assert ls.analyze(pl.Series("e2e_s", [1.0, 2.0] * 8)).unit == "s"
    assert ls.analyze([1.0, 2.0] * 8).metric == "value"


def test_rules_of_ones_own() -> None:
    rules = ls.RuleSet([ls.Rule("two-up", {"trend": {"length": 3}})])
    analysis = ls.analyze([1.0, 2.0, 3.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0], rules=rules)
    assert analysis.rules == ["two-up"]
    assert [violation.first_signal for violation in analysis.violations] == [2]


def test_how_it_shows_itself() -> None:
    analysis = ls.analyze(SESSIONS / "second-load.json", metric="tpot_s", usl="8ms", phase1=100)[0]
    text = repr(analysis)
    assert text.startswith("CHANGED  tpot_s (time per output token)  llama.cpp")
    for part in ("OUT OF CONTROL", "limits", "sigma", "capability    Cpk", "nelson-1 at 150"):
        assert part in text
    html = analysis._repr_html_()
    assert html.count("<img") == 1 and "<svg" not in html and "nelson-1 at 150" in html
    hostile = ls.analyze({"m": ["<script>alert(1)</script>"] * 12, "x": [1.0, 2.0] * 6}, metric="x", by="m")
    assert "<script>" not in hostile._repr_html_()
    both = ls.analyze(frame(), metric="ttft_s", by="model")._repr_html_()
    assert both.count("<details>") == 2


def test_what_is_judged_and_grouped_if_nobody_says(tmp_path: Path) -> None:
    # In a file, the counts of a column "failed" would be outcomes of requests.
    table = pd.DataFrame(frame()).drop(columns="failed")
    table.to_csv(tmp_path / "log.csv", index=False)
    report = ls.analyze(table)
    assert [(a.metric, a.group) for a in report] == [("ttft_s", {"model": "large"}), ("ttft_s", {"model": "small"})]
    # The same as from a file, except that messages call its rows lines.
    assert [a.limits for a in report] == [a.limits for a in ls.analyze(tmp_path / "log.csv")]
    assert [a.metric for a in ls.analyze({"model": ["a"] * 12, "latency": [1.0, 2.0] * 6})] == ["latency"]
    with pytest.raises(ls.UnknownNameError, match="expected a, b"):
        ls.analyze({"a": [1.0], "b": [2.0]})
    assert len(ls.analyze(table, by=[])) == 1
