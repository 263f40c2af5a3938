"""polars expressions: ``import llmscope.polars`` adds the namespace ``.spc``.

>>> import polars as pl
>>> import llmscope.polars
>>> calls = pl.DataFrame({"model": ["a", "b"] * 6, "ttft_s": [0.30, 0.50, 0.31, 0.52, 0.29, 0.51] * 2})
>>> calls.group_by("model", maintain_order=True).agg(pl.col("ttft_s").spc.cpk(usl=0.8).round(2).alias("cpk")).rows()
[('a', 13.43), ('b', 7.79)]
>>> chart = calls.with_columns(pl.col("ttft_s").spc.individuals().over("model").alias("chart")).unnest("chart")
>>> chart.columns
['model', 'ttft_s', 'point', 'lower', 'center', 'upper', 'signal']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from llmscope import _columns
from llmscope._verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmscope._verbs import _Make

__all__ = ["SpcNamespace", "SpcSeriesNamespace"]

_TYPES: dict[type, pl.DataType] = {float: pl.Float64(), bool: pl.Boolean()}


@pl.api.register_expr_namespace("spc")
class SpcNamespace(Verbs[pl.Expr, pl.Expr]):
    """Control charts and capability of an expression; works under ``.over(…)`` and ``group_by(…).agg(…)``.

    Tables are structs: expand them with ``.struct.field(…)`` or ``unnest``.
    """

    def __init__(self, expression: pl.Expr) -> None:
        self._expression = expression

    def _table(self, make: _Make, types: dict[str, type]) -> pl.Expr:
        dtype = pl.Struct({name: _TYPES[kind] for name, kind in types.items()})
        return self._expression.map_batches(lambda column: _struct(column, make), return_dtype=dtype)

    def _number(self, make: Callable[[Any], float | None]) -> pl.Expr:
        return self._expression.map_batches(
            lambda column: _columns.index(lambda: make(column)), return_dtype=pl.Float64(), returns_scalar=True
        )


@pl.api.register_series_namespace("spc")
class SpcSeriesNamespace(Verbs[pl.DataFrame, "float | None"]):
    """Control charts and capability of a Series; tables are data frames."""

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    def _table(self, make: _Make, types: dict[str, type]) -> pl.DataFrame:
        return _struct(self._series, make).struct.unnest()

    def _number(self, make: Callable[[Any], float | None]) -> float | None:
        return _columns.index(lambda: make(self._series))


def _struct(column: pl.Series, make: _Make) -> pl.Series:
    gaps = column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()
    columns = make(column, ~gaps.fill_null(True).to_numpy())
    return pl.DataFrame(columns, nan_to_null=True).to_struct(column.name)
