"""The methods of the ``.spc`` namespaces, shared by pandas and polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import llmscope
from llmscope import _columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    from llmscope import Rule, RuleSet

    from llmscope._columns import _Columns, _Missing, _Transform

    _Rules = str | RuleSet | Sequence[Rule | str]
    _Bounds = tuple[float | None, float | None]
    _Make = Callable[[Any, npt.NDArray[np.bool_]], _Columns]

Table = TypeVar("Table")
Number = TypeVar("Number")


class Verbs(Generic[Table, Number]):
    """Charts, rules and indices of one column of measurements in time order."""

    def _table(self, make: _Make, types: dict[str, type]) -> Table:
        """A table with one row per measurement; ``make`` receives the column and the mask of its present values."""
        raise NotImplementedError

    def _number(self, make: Callable[[Any], float | None]) -> Number:
        """One number for the whole column."""
        raise NotImplementedError

    def individuals(
        self,
        *,
        sigma_estimator: str = "average_moving_range",
        bounds: _Bounds = (None, None),
        rules: _Rules | None = None,
        missing: _Missing = "error",
        transform: _Transform = "none",
    ) -> Table:
        """Individuals chart, row by row: ``point``, ``lower``, ``center``, ``upper``, ``signal``.

        Args:
            sigma_estimator: Estimator of the within sigma (see :func:`llmscope.sigma`).
            bounds: Physical bounds of the quantity: ``(lower, upper)``; ``(0, None)`` for a latency.
            rules: The rules of ``signal``; by default, Nelson's eight.
            missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
            transform: Transformation of the measurements, as in :func:`llmscope.individuals`.

        Returns:
            One row per measurement. With too few data, the limits are missing and nothing signals.
        """
        chosen = llmscope.RuleSet(rules)

        def chart(column: Any) -> llmscope.Chart:
            return llmscope.individuals(
                column, sigma_estimator=sigma_estimator, bounds=bounds, missing=missing, transform=transform
            )

        return self._table(
            lambda column, present: _columns.chart_columns(lambda: chart(column), present, chosen, missing),
            _columns.CHART_TYPES,
        )

    def ewma(
        self,
        *,
        lambda_: float = 0.2,
        width: float = 3.0,
        sigma_estimator: str = "average_moving_range",
        missing: _Missing = "error",
    ) -> Table:
        """EWMA chart, row by row: ``point``, ``lower``, ``center``, ``upper``, ``signal`` (beyond the limits).

        Args:
            lambda_: Weight of the newest point.
            width: Width of the limits, in standard deviations of the average.
            sigma_estimator: Estimator of the within sigma (see :func:`llmscope.sigma`).
            missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
        """

        def chart(column: Any) -> llmscope.Chart:
            return llmscope.ewma(
                column, lambda_=lambda_, width=width, sigma_estimator=sigma_estimator, missing=missing
            )

        return self._table(
            lambda column, present: _columns.chart_columns(lambda: chart(column), present, None, missing),
            _columns.CHART_TYPES,
        )

    def nelson(
        self,
        rules: _Rules | None = None,
        *,
        center: float | None = None,
        sigma: float | None = None,
        sigma_estimator: str = "average_moving_range",
        missing: _Missing = "error",
        transform: _Transform = "none",
    ) -> Table:
        """The signals of run rules: one boolean column per rule, by default ``nelson-1`` to ``nelson-8``.

        Args:
            rules: A preset, a list of rules, or a :class:`llmscope.RuleSet`.
            center: Center line of a previous study (phase II); by default, the mean of these data.
            sigma: Sigma of that study, required with ``center``.
            sigma_estimator: Estimator of the within sigma, without ``center`` (see :func:`llmscope.sigma`).
            missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
            transform: Transformation of the measurements, without ``center`` (see :func:`llmscope.individuals`).
        """
        chosen = llmscope.RuleSet(rules)

        def judged(column: Any) -> llmscope.Judgement:
            if center is None:
                chart = llmscope.individuals(
                    column, sigma_estimator=sigma_estimator, missing=missing, transform=transform
                )
            else:
                chart = llmscope.Standards("individuals", center, sigma).monitor(column, missing=missing)
            return chart.judge(chosen)

        return self._table(
            lambda column, present: _columns.rule_columns(lambda: judged(column), present, chosen, missing),
            dict.fromkeys(chosen.codes, bool),
        )

    def sigma(self, *, estimator: str = "average_moving_range", missing: _Missing = "error") -> Number:
        """The within sigma; missing with too few data."""
        return self._number(lambda column: llmscope.sigma(column, estimator=estimator, missing=missing).sigma)

    def cp(self, *, lsl: float, usl: float, sigma_estimator: str | None = None, missing: _Missing = "error") -> Number:
        """Cp = (USL − LSL)/6σ̂; missing without variation or with too few data."""

        def cp(column: Any) -> float | None:
            indices = llmscope.capability(column, lsl=lsl, usl=usl, sigma_estimator=sigma_estimator, missing=missing)
            return indices and indices.cp

        return self._number(cp)

    def cpk(
        self,
        *,
        lsl: float | None = None,
        usl: float | None = None,
        sigma_estimator: str | None = None,
        missing: _Missing = "error",
    ) -> Number:
        """Cpk, from the within sigma; missing without variation or with too few data."""

        def cpk(column: Any) -> float | None:
            indices = llmscope.capability(column, lsl=lsl, usl=usl, sigma_estimator=sigma_estimator, missing=missing)
            return indices and indices.cpk

        return self._number(cpk)

    def pp(self, *, lsl: float, usl: float, missing: _Missing = "error") -> Number:
        """Pp = (USL − LSL)/6s; missing without variation or with too few data."""

        def pp(column: Any) -> float | None:
            indices = llmscope.performance(column, lsl=lsl, usl=usl, missing=missing)
            return indices and indices.pp

        return self._number(pp)

    def ppk(self, *, lsl: float | None = None, usl: float | None = None, missing: _Missing = "error") -> Number:
        """Ppk, from the overall sigma; missing without variation or with too few data."""

        def ppk(column: Any) -> float | None:
            indices = llmscope.performance(column, lsl=lsl, usl=usl, missing=missing)
            return indices and indices.ppk

        return self._number(ppk)
