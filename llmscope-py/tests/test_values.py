"""Every kind of input gives the same numbers as a plain list; other values cause a TypeError that names their type."""

from __future__ import annotations

import array
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import llmscope as ls


class ArrowOnly:
    """Supports only the PyCapsule interface."""

    def __init__(self, values: Any) -> None:
        self._array = pa.array(values)

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self._array.__arrow_c_array__(requested_schema)


def strided(values: Any) -> Any:
    return np.repeat(values, 3)[::3]


def big_endian(values: Any) -> Any:
    return np.asarray(values).astype(">f8")


def misaligned(values: Any) -> Any:
    raw = np.zeros(len(values) * 8 + 1, dtype=np.uint8)
    view = raw[1:].view(np.float64)
    view[:] = values
    return view


def read_only(values: Any) -> Any:
    copy = np.array(values)
    copy.flags.writeable = False
    return copy


FLOATS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "tuple": tuple,
    "numpy": np.asarray,
    "numpy strided": strided,
    "numpy reversed twice": lambda v: np.asarray(v)[::-1].copy()[::-1],
    "numpy column of a C matrix": lambda v: np.stack([v, v], axis=1)[:, 0],
    "numpy column of a Fortran matrix": lambda v: np.asfortranarray(np.stack([v, v], axis=1))[:, 0],
    "numpy row of a Fortran matrix": lambda v: np.asfortranarray(np.stack([v, v], axis=0))[0],
    "numpy big endian": big_endian,
    "numpy misaligned": misaligned,
    "numpy read-only": read_only,
    "numpy long double": lambda v: np.asarray(v, dtype=np.longdouble),
    "numpy objects": lambda v: np.asarray(v, dtype=object),
    "numpy masked, nothing masked": np.ma.masked_array,
    "array.array": lambda v: array.array("d", v),
    "memoryview": lambda v: memoryview(array.array("d", v)),
    "pandas": pd.Series,
    "pandas with an index": lambda v: pd.Series(v, index=range(7, 7 + len(v))),
    "pandas nullable": lambda v: pd.Series(v, dtype="Float64"),
    "pandas Arrow": lambda v: pd.Series(v, dtype="float64[pyarrow]"),
    "pandas index": pd.Index,
    "pandas slice": lambda v: pd.Series(np.repeat(v, 2))[::2],
    "polars": pl.Series,
    "polars slice": lambda v: pl.Series([0.0, *v, 0.0]).slice(1, len(v)),
    "polars chunks": lambda v: pl.concat([pl.Series(v[:50]), pl.Series(v[50:])], rechunk=False),
    "pyarrow": pa.array,
    "pyarrow slice": lambda v: pa.array([0.0, *v])[1:],
    "pyarrow dictionary": lambda v: pa.array(v).dictionary_encode(),
    "pyarrow chunks": lambda v: pa.chunked_array([v[:50], v[50:51], v[51:]]),
    "Arrow capsule": ArrowOnly,
    "fractions": lambda v: [Fraction(x) for x in v],
}
NARROW: dict[str, Callable[[Any], Any]] = {
    **{f"numpy {kind}": lambda v, kind=kind: np.asarray(v, dtype=kind) for kind in (
        "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32"
    )},
    **{f"polars {kind}": lambda v, kind=kind: pl.Series(v, dtype=kind) for kind in (
        pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32
    )},
    "pyarrow half": lambda v: pa.array(np.asarray(v, dtype=np.float16)),
    "pandas Int64": lambda v: pd.Series(v, dtype="Int64"),
    "range of ints": list,
}
GAPS: dict[str, Callable[[list[float | None]], Any]] = {
    "list": list,
    "numpy NaN": lambda v: np.array([np.nan if x is None else x for x in v]),
    "numpy masked": lambda v: np.ma.masked_array([x or 0.0 for x in v], mask=[x is None for x in v]),
    "pandas": lambda v: pd.Series(v, dtype="float64"),
    "pandas nullable": lambda v: pd.Series(v, dtype="Float64"),
    "pandas objects": lambda v: pd.Series([pd.NA if x is None else x for x in v], dtype=object),
    "pandas Arrow": lambda v: pd.Series(v, dtype="float64[pyarrow]"),
    "polars": pl.Series,
    "polars NaN": lambda v: pl.Series([float("nan") if x is None else x for x in v]),
    "pyarrow": pa.array,
    "pyarrow dictionary": lambda v: pa.array(v).dictionary_encode(),
    "pyarrow dictionary with a null": lambda v: pa.DictionaryArray.from_arrays(
        pa.array(range(len(v)), pa.int16()), pa.array(v)
    ),
    "pyarrow chunks": lambda v: pa.chunked_array([pa.array(v[:3], pa.float64()), pa.array(v[3:], pa.float64())]),
    "Arrow capsule": ArrowOnly,
}


def outcome(values: Any, **options: Any) -> tuple[list[float], list[float], list[int]]:
    chart = ls.individuals(values, **options)
    judgement = chart.judge()
    return list(chart.points), [chart.limits.lower, chart.limits.center, chart.limits.upper], list(judgement.signals)


@pytest.mark.parametrize("kind", FLOATS)
def test_floats_of_every_kind(kind: str, latencies: Any) -> None:
    expected = outcome(latencies.tolist())
    assert any(expected[2]), "nothing signals: the comparison would be empty"
    assert outcome(FLOATS[kind](latencies)) == expected


@pytest.mark.parametrize("kind", NARROW)
def test_numbers_of_every_width(kind: str) -> None:
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9]
    assert outcome(NARROW[kind](values)) == outcome([float(x) for x in values])


@pytest.mark.parametrize("kind", GAPS)
def test_a_gap_follows_the_policy(kind: str) -> None:
    values = [0.30, 0.31, None, 0.29, 0.32, None, None, 0.30]
    data = GAPS[kind](values)
    broken = ls.individuals(data, missing="break")
    assert (list(broken.points), broken.breaks) == ([0.30, 0.31, 0.29, 0.32, 0.30], [2, 4])
    dropped = ls.individuals(data, missing="drop")
    assert (list(dropped.points), dropped.breaks) == ([0.30, 0.31, 0.29, 0.32, 0.30], [])
    with pytest.raises((ls.MissingValueError, ls.NonFiniteError)) as caught:
        ls.individuals(data)
    assert caught.value.index == 2


@pytest.mark.parametrize(
    "empty",
    [[], (), np.array([]), pd.Series([], dtype=float), pl.Series([], dtype=pl.Float64), pa.array([], pa.float64()),
     pa.chunked_array([], pa.float64()), pl.Series([], dtype=pl.Null)],
    ids=lambda empty: type(empty).__module__ + "." + type(empty).__name__,
)
def test_an_empty_sample_is_too_few_data(empty: Any) -> None:
    with pytest.raises(ls.NotEnoughDataError) as caught:
        ls.individuals(empty)
    assert (caught.value.have, caught.value.need) == (0, 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("0.3, 0.2", "expected numbers, got <class 'str'>"),
        (b"0.3", "expected one-dimensional"),
        (0.3, "expected one-dimensional data, got an array of shape ()"),
        ([[1.0, 2.0], [3.0, 4.0]], "expected one-dimensional data, got an array of shape (2, 2)"),
        (np.zeros((2, 3)), "got an array of shape (2, 3)"),
        ([0.3, "fast"], "expected numbers"),
        ([0.3, object()], "value 1 is <object"),
        (np.array([1 + 2j]), "of dtype complex128"),
        (np.array(["2026-01-01"], dtype="datetime64[s]"), "of dtype datetime64[s]"),
        (pd.Series(pd.to_timedelta([1, 2], unit="s")), "convert durations to seconds first"),
        (pl.Series([1, 2]).cast(pl.Duration), "convert durations to seconds first"),
        (pl.Series(["fast"]), "expected numbers, got Arrow data of type Utf8View"),
        (pl.DataFrame({"x": [1.0]}), "expected numbers, got Arrow data of type Struct"),
        ({"x": [1.0]}, "expected numbers, got <class 'dict'>"),
        ((x for x in [1.0]), "expected one-dimensional"),
        (None, "expected one-dimensional"),
    ],
)
def test_other_values_are_a_type_error(values: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        ls.individuals(values)
    assert message in str(caught.value)


def test_a_contiguous_array_is_borrowed_and_not_copied() -> None:
    values = np.random.default_rng(1).normal(10.0, 1.0, 1000)
    points = ls.individuals(values).points
    assert points.__array_interface__["data"][0] == values.__array_interface__["data"][0]
    assert not points.flags.writeable
    series = pl.Series(values)
    address = series.to_numpy(allow_copy=False).__array_interface__["data"][0]
    assert ls.individuals(series).points.__array_interface__["data"][0] == address
    arrow = pa.array(values)
    assert ls.individuals(arrow).points.__array_interface__["data"][0] == arrow.buffers()[1].address


def test_the_points_keep_their_memory_alive() -> None:
    points = ls.individuals(np.arange(100_000.0)).points
    expected = np.arange(100_000.0)
    del_me = [np.full(100_000, -1.0) for _ in range(20)]
    assert (points == expected).all() and len(del_me) == 20


def test_a_matrix_is_read_row_by_row_whatever_its_order() -> None:
    rows = np.random.default_rng(2).normal(74.0, 0.01, (25, 5))
    expected = ls.xbar(rows.ravel(), 5)
    for matrix in (rows, np.asfortranarray(rows), rows.tolist(), np.repeat(rows, 2, axis=1)[:, ::2],
                   pd.DataFrame(rows), pl.DataFrame(rows, schema=list("abcde"))):
        assert ls.xbar(matrix) == expected
    assert ls.xbar(rows.ravel(), np.repeat(np.arange(25), 5)) == expected
    assert ls.xbar(rows.ravel(), np.repeat(np.arange(25), 5).astype(str).tolist()) == expected
    assert ls.xbar(rows.ravel(), pl.Series(np.repeat(np.arange(25), 5).astype(str)).cast(pl.Categorical)) == expected
    assert ls.xbar(rows.ravel(), pd.Series(np.repeat(np.arange(25), 5)).astype("category")) == expected
