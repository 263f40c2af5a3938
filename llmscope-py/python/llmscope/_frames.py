"""Columns as a data frame of the library in use."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from llmscope.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

BACKENDS = ("pandas", "polars", "pyarrow")


def frame(columns: Mapping[str, Any], backend: str | None) -> Any:
    """A data frame of these columns: of ``backend``, or the first library that is imported, or else installed."""
    name = backend or _in_use()
    if name == "pandas":
        import pandas

        return pandas.DataFrame(dict(columns))
    if name == "polars":
        import polars

        return polars.DataFrame(dict(columns), nan_to_null=True)
    if name == "pyarrow":
        import pyarrow

        return pyarrow.table(dict(columns))
    expected = ", ".join(BACKENDS)
    raise ParameterError(
        f"invalid backend {name}: expected one of {expected}", name="backend", value=str(name), expected=expected
    )


def _in_use() -> str:
    loaded = [name for name in BACKENDS if name in sys.modules]
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if not installed:
        raise ImportError("a data frame needs pandas, polars or pyarrow: pip install one of them")
    return (loaded or installed)[0]
