"""The .spc namespaces of polars and pandas give the same numbers as the functions that they call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import llmscope as ls
import llmscope.pandas
import llmscope.polars

VALUES = np.random.default_rng(11).normal(0.3, 0.02, 90)
VALUES[70] = 0.5
MODELS = np.array(["a", "b", "c"])[np.arange(90) % 3]
CALLS = pl.DataFrame({"model": MODELS, "ttft_s": VALUES})
VERBS: dict[str, tuple[dict[str, Any], Any]] = {
    "sigma": ({}, lambda x: ls.sigma(x).sigma),
    "cp": ({"lsl": 0.1, "usl": 0.6}, lambda x: ls.capability(x, lsl=0.1, usl=0.6).cp),  # type: ignore[union-attr]
    "cpk": ({"usl": 0.6}, lambda x: ls.capability(x, usl=0.6).cpk),  # type: ignore[union-attr]
    "pp": ({"lsl": 0.1, "usl": 0.6}, lambda x: ls.performance(x, lsl=0.1, usl=0.6).pp),  # type: ignore[union-attr]
    "ppk": ({"usl": 0.6}, lambda x: ls.performance(x, usl=0.6).ppk),  # type: ignore[union-attr]
}


@pytest.mark.parametrize("verb", VERBS)
def test_numbers(verb: str) -> None:
    options, expected = VERBS[verb]
    expression = getattr(pl.col("ttft_s").spc, verb)(**options)
    whole = expected(VALUES)
    assert CALLS.select(expression).item() == whole
    assert getattr(CALLS["ttft_s"].spc, verb)(**options) == whole
    assert getattr(pd.Series(VALUES).spc, verb)(**options) == whole
    by_model = {model: expected(VALUES[model == MODELS]) for model in "abc"}
    assert dict(CALLS.group_by("model").agg(expression).iter_rows()) == by_model
    lazily = CALLS.lazy().group_by("model").agg(expression)
    assert dict(lazily.collect(engine="streaming").iter_rows()) == by_model
    over = CALLS.select(expression.over("model"))["ttft_s"].to_list()
    assert over == [by_model[model] for model in MODELS]


@pytest.mark.parametrize("verb", ["individuals", "ewma"])
def test_charts_row_by_row(verb: str) -> None:
    chart = getattr(ls, verb)(VALUES)
    signals = (chart.judge().signals != 0).tolist()
    assert any(signals)
    for frame in (
        CALLS.select(getattr(pl.col("ttft_s").spc, verb)().alias("chart")).unnest("chart"),
        getattr(CALLS["ttft_s"].spc, verb)(),
        getattr(pd.Series(VALUES).spc, verb)(),
    ):
        assert list(frame.columns) == ["point", "lower", "center", "upper", "signal"]
        assert frame["point"].to_list() == chart.points.tolist()
        assert frame["upper"].to_list() == np.broadcast_to(chart.limits.upper, 90).tolist()
        assert frame["signal"].to_list() == signals
    over = CALLS.select("model", getattr(pl.col("ttft_s").spc, verb)().over("model").alias("chart")).unnest("chart")
    own = getattr(ls, verb)(VALUES[MODELS == "b"])
    assert over.filter(pl.col("model") == "b")["lower"].to_list() == np.broadcast_to(own.limits.lower, 30).tolist()


def test_rules_row_by_row() -> None:
    judgement = ls.individuals(VALUES).judge()
    expected = {code: judgement.signals_of(code).tolist() for code in judgement.rules.codes}
    assert any(expected["nelson-1"])
    expression = pl.col("ttft_s").spc.nelson()
    assert CALLS.select(expression).unnest("ttft_s").to_dict(as_series=False) == expected
    assert pd.Series(VALUES).spc.nelson().to_dict("list") == expected
    assert CALLS.filter(expression.struct.field("nelson-1"))["ttft_s"].to_list() == [0.5]
    phase2 = CALLS["ttft_s"].spc.nelson("1", center=0.3, sigma=0.02)
    assert np.flatnonzero(phase2["nelson-1"]).tolist() == np.flatnonzero(np.abs(VALUES - 0.3) > 0.06).tolist()


def test_an_index_is_kept() -> None:
    series = pd.Series(VALUES, index=pd.date_range("2026-11-23", periods=90, freq="s"))
    assert series.spc.individuals().index.equals(series.index)
    assert series.groupby(MODELS).apply(lambda x: x.spc.cpk(usl=0.6)).to_dict() == {
        model: VERBS["cpk"][1](VALUES[model == MODELS]) for model in "abc"
    }


def test_gaps_keep_their_rows() -> None:
    values = [0.30, 0.31, None, 0.29, 0.32, None, 0.30]
    for frame in (
        pl.Series(values).spc.individuals(missing="break"),
        pl.DataFrame({"x": values}).select(pl.col("x").spc.individuals(missing="break")).unnest("x"),
        pd.Series(values).spc.individuals(missing="break"),
        pd.Series(values, dtype="Float64").spc.individuals(missing="break"),
    ):
        point = [None if x is None or np.isnan(x) else x for x in frame["point"].to_list()]
        assert point == values
        assert [x is None or np.isnan(x) for x in frame["upper"].to_list()] == [x is None for x in values]
    assert pl.Series(values).spc.nelson("1", missing="drop")["nelson-1"].to_list() == [False] * 7


def test_too_few_data_are_nothing_and_no_error() -> None:
    small = pl.DataFrame({"model": ["a", "b", "b"], "x": [1.0, 2.0, 3.0]})
    assert dict(small.group_by("model").agg(pl.col("x").spc.cpk(usl=9.0)).iter_rows())["a"] is None
    over = small.select(pl.col("x").spc.individuals().over("model")).unnest("x")
    assert over["upper"].is_null().to_list() == [True, False, False]
    assert pd.Series([1.0]).spc.cpk(usl=9.0) is None
    assert pl.Series([], dtype=pl.Float64).spc.individuals().height == 0
    assert small.clear().select(pl.col("x").spc.nelson("1")).unnest("x").height == 0


def test_what_is_wrong_with_the_data_is_said() -> None:
    with pytest.raises((ls.NonFiniteError, pl.exceptions.ComputeError), match="value 1 is inf"):
        pl.DataFrame({"x": [1.0, float("inf")]}).select(pl.col("x").spc.individuals())
    with pytest.raises(ls.MissingValueError):
        pl.Series([1.0, None]).spc.sigma()
    with pytest.raises(ls.SpecificationError):
        pd.Series([1.0, 2.0]).spc.cpk()
