"""A chart as columns next to the data, for the polars and pandas namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import llmscope

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    import numpy.typing as npt

    from llmscope import Chart, Judgement, RuleSet

    _Columns = dict[str, npt.NDArray[Any]]
    _Missing = Literal["error", "break", "drop"]
    _Transform = Literal["none", "log", "box-cox", "auto"]

CHART_TYPES: dict[str, type] = {"point": float, "lower": float, "center": float, "upper": float, "signal": bool}


def chart_columns(
    make: Callable[[], Chart], present: npt.NDArray[np.bool_], rules: RuleSet | None, missing: _Missing
) -> _Columns:
    """Point, limits and whether any rule signals, one per row; NaN if a row has no point.

    With too few data, all numbers are NaN, as is the standard deviation of one value.
    """
    kept = _kept(present, missing)
    columns: _Columns = {
        name: np.full(len(present), np.nan if kind is float else False) for name, kind in CHART_TYPES.items()
    }
    try:
        chart = make()
    except llmscope.NotEnoughDataError:
        return columns
    limits = chart.limits
    columns["point"][kept] = chart.points
    for name, line in (("lower", limits.lower), ("center", limits.center), ("upper", limits.upper)):
        columns[name][kept] = line
    columns["signal"][kept] = chart.judge(rules).signals != 0
    return columns


def rule_columns(
    make: Callable[[], Judgement], present: npt.NDArray[np.bool_], rules: RuleSet, missing: _Missing
) -> _Columns:
    """Whether each rule signals: one column per code, one value per row."""
    kept = _kept(present, missing)
    columns: _Columns = {code: np.zeros(len(present), dtype=bool) for code in rules.codes}
    try:
        judgement = make()
    except llmscope.NotEnoughDataError:
        return columns
    for code, column in columns.items():
        column[kept] = judgement.signals_of(code)
    return columns


def index(make: Callable[[], float | None]) -> float | None:
    """A number; ``None`` with too few data or without variation."""
    try:
        return make()
    except llmscope.NotEnoughDataError:
        return None


def _kept(present: npt.NDArray[np.bool_], missing: _Missing) -> npt.NDArray[np.bool_] | slice:
    return slice(None) if missing == "error" else present
