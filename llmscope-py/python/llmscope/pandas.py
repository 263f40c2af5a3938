"""pandas Series: ``import llmscope.pandas`` adds the accessor ``.spc``.

>>> import pandas as pd
>>> import llmscope.pandas
>>> ttft_s = pd.Series([0.30, 0.31, 0.29, 0.31, 0.30, 0.32, 0.30, 0.29, 0.52, 0.30], name="ttft_s")
>>> round(ttft_s.spc.ppk(usl=0.8), 2)
2.28
>>> list(ttft_s[ttft_s.spc.nelson("1", center=0.30, sigma=0.01)["nelson-1"]].index)
[8]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from llmscope import _columns
from llmscope._verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmscope._verbs import _Make

__all__ = ["SpcAccessor"]


@pd.api.extensions.register_series_accessor("spc")
class SpcAccessor(Verbs[pd.DataFrame, "float | None"]):
    """Control charts and capability of a Series; tables are data frames with its index."""

    def __init__(self, series: pd.Series[Any]) -> None:
        self._series = series

    def _table(self, make: _Make, types: dict[str, type]) -> pd.DataFrame:
        columns = make(self._series, self._series.notna().to_numpy(dtype=bool))
        return pd.DataFrame(columns, index=self._series.index)

    def _number(self, make: Callable[[Any], float | None]) -> float | None:
        return _columns.index(lambda: make(self._series))
