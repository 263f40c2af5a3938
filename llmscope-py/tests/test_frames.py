"""Frames of every library: relations, streams, decimals, durations, categories, names that are numbers."""

from __future__ import annotations

import datetime
import decimal
import pickle
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import llmscope as ls

if TYPE_CHECKING:
    from collections.abc import Callable

# Whole microseconds, with a step after 30 values.
SECONDS = [round(0.3 + 0.01 * (7 * i % 10) + (0.2 if i >= 30 else 0), 6) for i in range(60)]
MODELS = ["a", "b"] * 30
DURATIONS = [datetime.timedelta(microseconds=round(1e6 * seconds)) for seconds in SECONDS]
DECIMALS = [decimal.Decimal(str(seconds)) for seconds in SECONDS]


def table(values: Any, name: str = "latency_s") -> pa.Table:
    return pa.table({name: values, "model": MODELS})


def judged(data: Any, name: str = "latency_s", **options: Any) -> list[tuple[dict[str, str], float, str]]:
    """Group, mean and answer of each series, in seconds."""
    report = ls.analyze(data, metric=name, by=[], **options)
    return [(one.group, one.mean, one.answer.text) for one in report]


EXPECTED = judged(table(SECONDS))


def relation(arrow: pa.Table) -> Any:
    return duckdb.from_arrow(arrow)


FRAMES: dict[str, Callable[[], Any]] = {
    "relation of DuckDB": lambda: relation(table(SECONDS)),
    "stream of record batches": lambda: table(SECONDS).to_reader(max_chunksize=7),
    "record batch": lambda: table(SECONDS).to_batches()[0],
    "decimals of Arrow": lambda: table(pa.array(DECIMALS)),
    "decimals of polars": lambda: pl.DataFrame({"latency_s": DECIMALS}),
    "decimals of pandas": lambda: pd.DataFrame({"latency_s": DECIMALS}),
    "decimals of DuckDB": lambda: relation(table(pa.array(DECIMALS, pa.decimal128(9, 6)))),
    "durations of Arrow": lambda: table(pa.array(DURATIONS, pa.duration("us"))),
    "durations of polars": lambda: pl.DataFrame({"latency_s": DURATIONS}),
    "durations of pandas": lambda: pd.DataFrame({"latency_s": DURATIONS}),
    "durations in a dictionary": lambda: {"latency_s": DURATIONS},
    "categories of numbers": lambda: table(pa.array(SECONDS).dictionary_encode()),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_a_frame_of_any_library_gives_the_same_answer(frame: Callable[[], Any]) -> None:
    [(_, mean, text)] = judged(frame())
    assert (mean, text) == (pytest.approx(EXPECTED[0][1], rel=1e-12), EXPECTED[0][2])


def test_a_duration_keeps_its_unit_whatever_the_name_says() -> None:
    [(_, mean, text)] = judged(table(pa.array(DURATIONS, pa.duration("us")), "latency_ms"), "latency_ms")
    assert (mean, text) == (pytest.approx(1e3 * EXPECTED[0][1], rel=1e-12), EXPECTED[0][2])


def test_negative_and_missing_durations_are_left_out() -> None:
    values = [None, datetime.timedelta(milliseconds=-5), *DURATIONS[2:]]
    [one] = ls.analyze({"latency_s": values}, metric="latency_s", missing="drop")
    assert one.n == 58


@pytest.mark.parametrize("name", [0, "0"])
def test_names_can_be_whole_numbers(name: Any) -> None:
    frame = pd.DataFrame({0: SECONDS, 1: MODELS})
    report = ls.analyze(frame, metric=name, by=1)
    assert [one.group for one in report] == [{"1": "a"}, {"1": "b"}]
    [one] = ls.analyze(pd.DataFrame(SECONDS))
    assert one.n == 60


def test_a_lazy_frame_says_how_to_get_its_data() -> None:
    lazy = pl.DataFrame({"latency_s": SECONDS}).lazy()
    with pytest.raises(TypeError, match=r"a LazyFrame has no data yet: call \.collect\(\) first"):
        ls.analyze(lazy, metric="latency_s")


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        (pl.Series(DURATIONS), r"\.dt\.total_seconds\(fractional=True\)"),
        (pd.Series(DURATIONS), r"\.dt\.total_seconds\(\)"),
        (np.asarray(DURATIONS, "timedelta64[us]"), r'values / numpy\.timedelta64\(1, "s"\)'),
    ],
    ids=["polars", "pandas", "numpy"],
)
def test_the_advice_for_durations_is_that_of_the_library(values: Any, advice: str) -> None:
    with pytest.raises(TypeError, match=advice):
        ls.individuals(values)


def test_the_advice_for_polars_keeps_what_is_below_a_second() -> None:
    assert pl.Series(DURATIONS).dt.total_seconds(fractional=True).to_list() == pytest.approx(SECONDS)
    assert set(pl.Series(DURATIONS).dt.total_seconds().to_list()) == {0}


def test_the_groups_of_a_report_join_their_frame() -> None:
    names = {"concurrency": [1, 8] * 30, "rate": [0.5, 2.0] * 30, "model": ["7", "8"] * 30}
    calls = pl.DataFrame({"latency_s": SECONDS, **names})
    report = ls.analyze(calls, metric="latency_s", by=["concurrency", "rate", "model"])
    table: pl.DataFrame = report.to_frame("polars")
    assert table.schema["concurrency"] == pl.Int64
    assert table.schema["rate"] == pl.Float64
    assert table.schema["model"] == pl.String, "text that looks like a number stays text"
    assert calls.join(table, on=["concurrency", "rate", "model"]).height == len(SECONDS)
    assert pickle.loads(pickle.dumps(report)).to_frame("polars").equals(table)
    assert report[0].group == {"concurrency": "1", "rate": "0.5", "model": "7"}, "as in JSON and on the command line"
