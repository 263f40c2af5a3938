from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from os import PathLike
from typing import Any, Literal, Protocol, TypeAlias, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class _Frame(Protocol):
    @property
    def columns(self) -> Any: ...
    def __getitem__(self, name: Any, /) -> Any: ...

_Numbers: TypeAlias = ArrayLike | _ArrowArray | _ArrowStream | Sequence[float | None]
_Labels: TypeAlias = int | _Numbers | Sequence[str]
_Path: TypeAlias = str | PathLike[str]
_Rules: TypeAlias = str | RuleSet | Sequence[Rule | str]
_Bounds: TypeAlias = tuple[float | None, float | None]
_Missing: TypeAlias = Literal["error", "break", "drop"]
_Transform: TypeAlias = Literal["none", "log", "box-cox", "auto"]
_Side: TypeAlias = Literal["above", "below", "both"]
_Backend: TypeAlias = Literal["pandas", "polars", "pyarrow"]
_Interval: TypeAlias = tuple[float, float]
_Log: TypeAlias = _Path | Log | Session
_SeriesVerdict: TypeAlias = Literal["failing", "changed", "stable", "not_enough_data"]
_Part: TypeAlias = Literal["level", "failures", "spread", "slow_requests"]
_Direction: TypeAlias = Literal["worse", "better", "unknown"]
_Lines: TypeAlias = float | NDArray[np.float64]
_OpenInterval: TypeAlias = tuple[float | None, float | None]

__version__: str

@overload
def analyze(  # type: ignore[overload-overlap]
    data: _Log | Sequence[_Log] | _Frame | Mapping[str, Any],
    *,
    metric: str | Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    chart: str | None = None,
    subgroups: int | str | None = None,
    sizes: int | str | None = None,
    rules: _Rules | None = None,
    sigma_estimator: str | None = None,
    phase1: int | tuple[int, int] | None = None,
    baseline: _Path | None = None,
    center: float | None = None,
    sigma: float | None = None,
    stages: Sequence[int] | Literal["auto"] | None = None,
    lsl: float | str | None = None,
    usl: float | str | None = None,
    target: float | str | None = None,
    missing: _Missing | None = None,
    confidence: float = 0.95,
    points: bool = False,
    lambda_: float = 0.2,
    width: float = 3.0,
    k: float = 0.5,
    h: float = 5.0,
    headstart: float = 0.0,
    span: int = 5,
    transform: _Transform | None = None,
    alpha: float = 0.01,
    spikes: bool = False,
    slo: str | Sequence[str] | None = None,
    units: dict[str, str] | None = None,
    higher_is_better: str | Sequence[str] | None = None,
    lower_is_better: str | Sequence[str] | None = None,
    status: str | None = None,
    strict: bool = False,
) -> Report:
    """Analyzes data, per group and metric: did it change, since when, by how much; control chart, patterns and capability.

    The verdict on a series says whether its level, spread or failure share changed. It allows for dependent values and
    for the number of series. The patterns of the rules are reported separately.

    Args:
        data: A path, a :class:`Log` or :class:`Session`, or a list of those; a data frame (pandas, polars, pyarrow) or
            a dictionary of columns; or one-dimensional numbers. A long line-based log is read from its path in blocks
            and not held in memory.
        metric: The metric of requests (``"ttft_s"``, ``"e2e_s"``, ``"tpot_s"``, ``"output_tokens_per_s"``,
            ``"error_rate"``, …) or the column to analyze, or several. By default, the standard metrics in the data, or
            the only other column of a data frame. For bare numbers, a name for them; by default, that of the Series.
        by: Names to group by: ``"provider"``, ``"model"``, ``"session"``, a label or a column, or several; ``[]`` for
            one group. By default, provider and model, if the data have them.
        chart: ``"individuals"``, ``"xbar-r"``, ``"xbar-s"``, ``"p"``, ``"np"``, ``"c"``, ``"u"``, ``"laney-p"``,
            ``"laney-u"``, ``"ewma"``, ``"cusum"`` or ``"moving-average"``.
        subgroups: The size of subgroups, or the column that labels them.
        sizes: Sample size of a chart of counts, or the column that holds it.
        rules: A preset, a list of rules, or a :class:`RuleSet`. By default, Nelson's rules judge the last stage, and the
            limits are those of that stage (:attr:`Analysis.basis`). If you name rules, a chart, a transformation or an
            estimator, the limits are those of all points.
        sigma_estimator: The estimator of the within sigma (see :func:`sigma`); by default, that of the chart.
        phase1: Estimate limits from these points, ``n`` or ``(start, end)``; the rest is monitored.
        baseline: A file with limits from :meth:`Report.save_baseline`.
        center: Given standards: the center line.
        sigma: Given standards: sigma of a single measurement.
        stages: Positions of points at which new limits begin, or ``"auto"``: where the level changes
            (:func:`change_points`).
        lsl: Lower specification limit: a number in the metric's unit, or a text such as ``"200ms"``.
        usl: Upper specification limit, such as a service level objective.
        target: Target value.
        missing: Policy for missing values: ``"error"``, ``"break"`` or ``"drop"``; by default, ``"break"`` for requests
            and ``"error"`` for columns.
        confidence: Level of the capability intervals, between 0 and 1.
        points: True to include every point in the JSON.
        lambda_: Weight of the newest point of an EWMA chart.
        width: Width of the limits of an EWMA chart, in sigmas of the average.
        k: Allowance of a CUSUM chart, in sigmas.
        h: Decision interval of a CUSUM chart, in sigmas.
        headstart: Where the sums of a CUSUM chart start, as a share of ``h``.
        span: Measurements in each mean of a moving average chart.
        transform: Transformation of single measurements: ``"none"``, ``"log"`` for long tails, ``"box-cox"`` (the
            maximum likelihood power, rounded to a half), or ``"auto"`` (Box–Cox if the data are not normal). Limits are
            transformed back to the unit of the data; sigma, zones and capability refer to the transformed measurements.
            By default, durations have logarithms on an individuals chart, and all else has no transformation.
        alpha: The chance that the call reports a change of any series if nothing changed, above 0 and below 0.5. All
            series of the call share it.
        spikes: True if single slow requests make a series changed. They then have a share of alpha, which is valid if
            the logarithms of the values are normal.
        slo: Objectives, separated by commas or as a list: ``"errors=1%,ttft.p99=500ms"`` of a run, which are met, missed
            or undecided; ``"ttft=500ms"`` of a request, which is an upper specification limit.
        units: The units of columns whose names give none or another one: ``{"latency": "ms"}``.
        higher_is_better: A column of which more is better, or several.
        lower_is_better: A column of which less is better, or several.
        status: Which rows of a table succeeded: ``"code=ok,200..299"`` names a column and its values, and ``"none"``
            ignores such columns. By default, columns such as ``status``, ``success`` and ``error`` say so.
        strict: True to refuse a unit or a direction that is guessed from a name and decides.

    Returns:
        An :class:`Analysis` for bare numbers, otherwise a :class:`Report`. Too few data result in the verdict
        ``"not_enough_data"``, not an error.

    Raises:
        UnknownNameError: If the data lack the metric or column; the message lists the available ones.
        FormatError: For text or a gap in a numeric column, with its row.
        ParameterError: If the parameters contradict each other or the data, or for a guess with ``strict=True``.

    Example:
        >>> import llmscope as ls
        >>> import numpy as np
        >>> ttft_s = np.random.default_rng(1).normal(0.30, 0.02, 120)
        >>> ttft_s[90:] *= 1.2
        >>> report = ls.analyze({"model": ["a"] * 60 + ["b"] * 60, "ttft_s": ttft_s}, by="model", usl="800ms")
        >>> [(a.group["model"], a.verdict, round(a.capability.cpk, 1)) for a in report]
        [('a', 'stable', 5.8), ('b', 'changed', 4.0)]
        >>> report[1].answer
        Answer('slower by 21 % (17 to 24 %) since request 30, 28 to 30, p < 0.0001')
    """
@overload
def analyze(
    data: _Numbers,
    *,
    metric: str | Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    chart: str | None = None,
    subgroups: int | str | None = None,
    sizes: int | str | None = None,
    rules: _Rules | None = None,
    sigma_estimator: str | None = None,
    phase1: int | tuple[int, int] | None = None,
    baseline: _Path | None = None,
    center: float | None = None,
    sigma: float | None = None,
    stages: Sequence[int] | Literal["auto"] | None = None,
    lsl: float | str | None = None,
    usl: float | str | None = None,
    target: float | str | None = None,
    missing: _Missing | None = None,
    confidence: float = 0.95,
    points: bool = False,
    lambda_: float = 0.2,
    width: float = 3.0,
    k: float = 0.5,
    h: float = 5.0,
    headstart: float = 0.0,
    span: int = 5,
    transform: _Transform | None = None,
    alpha: float = 0.01,
    spikes: bool = False,
    slo: str | Sequence[str] | None = None,
    units: dict[str, str] | None = None,
    higher_is_better: str | Sequence[str] | None = None,
    lower_is_better: str | Sequence[str] | None = None,
    status: str | None = None,
    strict: bool = False,
) -> Analysis: ...
def gate(
    baseline: _Log | Sequence[_Log] | _Frame | Mapping[str, Any] | _Numbers,
    candidate: _Log | Sequence[_Log] | _Frame | Mapping[str, Any] | _Numbers | None = None,
    *,
    metric: str | Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    statistic: str | Sequence[str] | None = None,
    max_shift: float | str | None = None,
    max_share_increase: float | str | None = None,
    alpha: float | str | None = None,
    run_sd: float | str | None = None,
    slo: str | Sequence[str] | None = None,
    rules: _Rules | None = None,
    missing: _Missing | None = None,
    units: dict[str, str] | None = None,
    higher_is_better: str | Sequence[str] | None = None,
    lower_is_better: str | Sequence[str] | None = None,
    status: str | None = None,
    strict: bool = False,
) -> Gate:
    """Judges whether a candidate is worse than a baseline, at a given chance of failing an unchanged candidate.

    A candidate is worse if the whole interval of a change is beyond ``max_shift``, and not worse if the whole interval
    is within it. Otherwise the data do not decide. It is failing if more requests failed than ``max_share_increase``
    allows. The options and the result are those of ``llmscope gate`` on the command line.

    Each path, log or session of a side is a run. With fewer than four runs in total, the differences between runs are
    assumed (``run_sd``).

    Args:
        baseline: The data of the baseline, as for :func:`analyze`. Without a candidate: the run whose objectives are
            judged.
        candidate: The data of the candidate. Not needed with an objective of a run in ``slo``.
        metric: The metric of requests or the column to compare, or several. By default, ``"ttft_s"``, ``"e2e_s"`` and
            ``"tpot_s"``, as far as the data have them, or the only other column of a data frame. For bare numbers, a
            name for them.
        by: Names to group by, or several. By default, provider, model and run, if the data have them.
        statistic: The figures to compare: ``"typical"``, quantiles such as ``"p95"``, ``"error_rate"``, or several. By
            default, typical, p50, p90, p95, p99 and the error rate.
        max_shift: The largest allowed shift for the worse: a number, or a text such as ``"10%"``.
        max_share_increase: The largest allowed increase of the share of requests that fail or miss an objective.
        alpha: The chance of failing an unchanged candidate, over all comparisons, above 0 and at most 0.2.
        run_sd: How much runs of one build differ, as a standard deviation, if there are too few runs to measure it. 0
            restricts the answer to the runs that were measured. By default, 10 % for latencies.
        slo: Objectives, separated by commas or as a list. Those of a request (``"ttft=500ms"``) are compared as shares.
            Those of a run (``"ttft.p99=500ms,errors=1%"``) are judged for the candidate.
        rules: The rules on the baseline's frozen chart, which do not decide. By default, Nelson's.
        missing: Policy for missing values: ``"error"``, ``"break"`` or ``"drop"``; by default, ``"break"`` for requests
            and ``"error"`` for columns.
        units: The units of columns whose names give none or another one: ``{"latency": "ms"}``.
        higher_is_better: A column of which more is better, or several.
        lower_is_better: A column of which less is better, or several.
        status: Which rows of a table succeeded: ``"code=ok,200..299"`` names a column and its values, and ``"none"``
            ignores such columns. By default, columns such as ``status``, ``success`` and ``error`` say so.
        strict: True to refuse a direction that is guessed from a name.

    Returns:
        The result. Too few data result in the verdict ``"not_enough_data"``, not an error.

    Raises:
        UnknownNameError: If the sides have no group or no measure in common.
        ParameterError: If a parameter is out of range, for a guess with ``strict=True``, and without a candidate or an
            objective of a run.

    Example:
        >>> import llmscope as ls
        >>> import numpy as np
        >>> main, branch = np.random.default_rng(1).lognormal(-1.2, 0.2, (2, 400))
        >>> gate = ls.gate(main, 1.3 * branch, metric="ttft_s", run_sd=0)
        >>> gate.verdict, gate.exit_status
        ('fail', 1)
        >>> print(gate.pairs[0].comparisons[0].change)
        +31 % [26 %, 36 %]
    """
def imr(
    values: _Numbers,
    *,
    metric: str | None = None,
    title: str | None = None,
    rules: _Rules | None = None,
    sigma_estimator: str = "average_moving_range",
    stages: Sequence[int] = ...,
    bounds: _Bounds = ...,
    missing: _Missing = "error",
    transform: _Transform = "none",
) -> Picture:
    """The individuals chart over its moving range chart, as one picture with a shared axis of time.

    Source: Montgomery, *Introduction to Statistical Quality Control*, ch. 6.4.

    Args:
        values: Measurements in time order. Shape (n,).
        metric: The name of the measured quantity; by default, that of the Series. Its suffix names the unit, as in
            ``ttft_s`` or ``latency_ms``.
        title: The title; by default, the metric.
        rules: A preset, a list of rules, or a :class:`RuleSet`. Rules that use zones do not apply to the ranges.
        sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
        stages: Positions of points at which new limits begin.
        bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
        transform: Transformation of the measurements (see :func:`individuals`). The moving ranges are those of the
            transformed measurements.

    Returns:
        The picture.

    Raises:
        NotEnoughDataError: Without two adjacent values.
        NonFiniteError: For a NaN or infinity, with its index.
        UnknownNameError: For an unknown rule.

    Example:
        >>> import llmscope as ls
        >>> picture = ls.imr([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.52, 0.30], metric="ttft_s", bounds=(0, None))
        >>> picture.svg.startswith("<svg"), len(picture.png()) > 10_000
        (True, True)
    """
def sixpack(
    values: _Numbers,
    *,
    lsl: float | str | None = None,
    usl: float | str | None = None,
    target: float | str | None = None,
    metric: str | None = None,
    title: str | None = None,
    rules: _Rules | None = None,
    sigma_estimator: str = "average_moving_range",
    bounds: _Bounds = ...,
    confidence: float = 0.95,
    missing: _Missing = "error",
) -> Picture:
    """Stability, distribution and capability as one picture of six panels: individuals chart, moving range chart, the last
    25 values, capability histogram with normal curves, normal probability plot, and the indices.

    The picture shows the conditions of an index next to the index. An index describes the future only of a stable
    process, and its expected ppm only those of a normal one.

    Source: AIAG SPC 2nd ed. 2005; Montgomery, *Introduction to Statistical Quality Control*, ch. 8; the probability plot
    has median ranks (Benard & Bos-Levenbach 1953), the test is Anderson and Darling's (see :func:`anderson_darling`).

    Args:
        values: Measurements in time order. Shape (n,).
        lsl: Lower specification limit: a number in the unit of the data, or a text such as ``"200ms"``.
        usl: Upper specification limit, such as a service level objective.
        target: Target value, for Cpm.
        metric: The name of the measured quantity; by default, that of the Series. Its suffix names the unit, as in
            ``ttft_s`` or ``latency_ms``.
        title: The title; by default, the metric.
        rules: A preset, a list of rules, or a :class:`RuleSet`. Rules that use zones do not apply to the ranges.
        sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
        bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
        confidence: Level of the intervals of the indices, between 0 and 1.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Returns:
        The picture. Without specification limits, it has no indices.

    Raises:
        NotEnoughDataError: Without two adjacent values.
        NonFiniteError: For a NaN or infinity, with its index.
        SpecificationError: For a target without a limit, or unless LSL < USL.
        QuantityError: For a limit whose unit does not suit the metric.

    Example:
        >>> import llmscope as ls
        >>> values = [0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30]
        >>> ls.sixpack(values, usl="400ms", metric="ttft_s").save("sixpack.png")  # doctest: +SKIP
        >>> ls.sixpack(values, lsl=0.2, usl=0.4)
        Picture(alt='value, stability and capability: in control, Cpk 2.53, Ppk 3.41')
    """
def individuals(
    values: _Numbers,
    *,
    sigma_estimator: str = "average_moving_range",
    stages: Sequence[int] = ...,
    bounds: _Bounds = ...,
    missing: _Missing = "error",
    transform: _Transform = "none",
) -> Chart:
    """Individuals chart: limits x̄ ± 3σ̂ of single measurements, with a chart of their moving ranges (I-MR).

    Source: Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 6.4.

    Args:
        values: Measurements in time order. Shape (n,); NumPy, pandas, polars, Arrow, or a sequence. Contiguous float64
            is not copied.
        sigma_estimator: Estimator of the within sigma: ``"average_moving_range"`` (MR̄/d₂), ``"median_moving_range"``,
            ``"overall"`` or ``"overall_unbiased"``.
        stages: Positions of points at which new limits begin.
        bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``; ``(0, None)`` for a
            latency.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (every run and moving range ends there) or
            ``"drop"``.
        transform: Transformation of the measurements: ``"none"``, ``"log"`` for long tails, ``"box-cox"`` (the maximum
            likelihood power, rounded to a half), or ``"auto"`` (Box–Cox if the data are not normal). Limits are
            transformed back to the unit of the data; sigma, zones and moving ranges refer to the transformed
            measurements.

    Returns:
        The phase I chart, in the unit of the data.

    Raises:
        NotEnoughDataError: Without two adjacent values.
        NonFiniteError: For a NaN or infinity, with its index.
        MissingValueError: For a missing value under ``"error"``.
        NotPositiveError: For a measurement that cannot be transformed, with its index.

    Example:
        >>> import llmscope as ls
        >>> chart = ls.individuals([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
        >>> round(chart.limits.upper, 3)
        55.802
        >>> chart.judge().is_in_control
        True
    """
def xbar(
    values: _Numbers,
    subgroups: _Labels | None = None,
    *,
    chart: str = "xbar-r",
    sigma_estimator: str | None = None,
    stages: Sequence[int] = ...,
    bounds: _Bounds = ...,
    missing: _Missing = "error",
) -> Chart:
    """X̄ chart: subgroup means with limits x̿ ± 3σ̂/√nᵢ, and a dispersion chart (X̄–R, X̄–S), for subgroups of any sizes.

    Source: Montgomery, *Introduction to Statistical Quality Control*, ch. 6.2 and 6.3.

    Args:
        values: A matrix whose rows are subgroups, shape (k, n); or measurements in time order, shape (N,).
        subgroups: For measurements: the size of the subgroups, or one label per measurement. Measurements with the
            same label form a subgroup; those without one are left out.
        chart: ``"xbar-r"`` (σ̂ = R̄/d₂) or ``"xbar-s"`` (σ̂ = S̄/c₄).
        sigma_estimator: Another estimator: ``"average_range"``, ``"average_standard_deviation"``, ``"pooled"``,
            ``"pooled_biased"``, … (see :func:`sigma`).
        stages: Positions of subgroups at which new limits begin.
        bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Returns:
        The phase I chart.

    Raises:
        NotEnoughDataError: Without subgroups.
        ParameterError: If the chart or the estimator does not support subgroups.

    Example:
        >>> import llmscope as ls
        >>> ls.xbar([[74.03, 74.002, 74.019], [73.995, 73.992, 74.001], [73.988, 74.024, 74.021]]).kind
        'xbar-r'
    """
def attributes(
    counts: _Numbers, sizes: float | _Numbers | None = None, *, chart: str = "p", stages: Sequence[int] = ...
) -> Chart:
    """Attributes chart: p and np for nonconforming items, c and u for nonconformities, Laney's p′ and u′.

    Source: Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 7; Laney 2002, *Quality
    Engineering* 14(4).

    Args:
        counts: Whole numbers in time order. Shape (n,).
        sizes: Sample sizes (p, np, Laney p′) or areas of opportunity (c, u, Laney u′): one number, or one per count.
        chart: ``"p"``, ``"np"``, ``"c"``, ``"u"``, ``"laney-p"`` or ``"laney-u"``.
        stages: Positions of samples at which new limits begin.

    Returns:
        The phase I chart, with limits clamped to the range of a proportion or rate.

    Raises:
        CountError: For a count that is not a whole number from 0 to the size of its sample.
        ParameterError: If sizes are missing, or for another kind of chart.

    Example:
        >>> import llmscope as ls
        >>> ls.attributes([12, 15, 8, 10], 50, chart="p").limits.center
        0.225
    """
def ewma(
    values: _Numbers,
    *,
    lambda_: float = 0.2,
    width: float = 3.0,
    sigma_estimator: str = "average_moving_range",
    bounds: _Bounds = ...,
    missing: _Missing = "error",
) -> Chart:
    """EWMA chart: zᵢ = λxᵢ + (1−λ)zᵢ₋₁ with exact limits that widen with i. It detects small sustained shifts.

    Source: Roberts 1959, *Technometrics* 1(3); Lucas & Saccucci 1990.

    Args:
        values: Measurements in time order. Shape (n,).
        lambda_: Weight λ of the newest point, above 0 and at most 1.
        width: Distance L of the limits from the center line, in standard deviations of the average.
        sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
        bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (the average restarts) or ``"drop"``.

    Returns:
        The phase I chart. Only the rule of its limits applies, because its points are dependent.

    Raises:
        ParameterError: Unless 0 < λ ≤ 1 and L is positive.
        NotEnoughDataError: Without two adjacent values.

    Example:
        >>> import llmscope as ls
        >>> chart = ls.ewma([0.31, 0.29, 0.30, 0.32, 0.30, 0.31], lambda_=0.2)
        >>> bool(chart.limits.upper[-1] > chart.limits.upper[0])
        True
    """
def cusum(
    values: _Numbers,
    *,
    k: float = 0.5,
    h: float = 5.0,
    headstart: float = 0.0,
    sigma_estimator: str = "average_moving_range",
    missing: _Missing = "error",
) -> Chart:
    """CUSUM chart: cumulative sums of deviations beyond an allowance, on either side. It detects small sustained shifts
    and estimates when they began.

    Source: Page 1954, *Biometrika* 41; Lucas & Crosier 1982, *Technometrics* 24; Montgomery, *Introduction to Statistical
    Quality Control*, ch. 9.1.

    Args:
        values: Measurements in time order. Shape (n,).
        k: Allowance, in sigmas: half of the shift to detect.
        h: Decision interval, in sigmas: a sum beyond it signals.
        headstart: Initial value of the sums, as a share of ``h``; 0.5 is the usual fast initial response.
        sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (the sums restart) or ``"drop"``.

    Returns:
        The phase I chart: its points are the upper sums, its ``lower_points`` the lower ones. A violation begins at the
        estimated start of the shift.

    Raises:
        ParameterError: Unless 0 ≤ k, h is positive, and 0 ≤ headstart < 1.
        NotEnoughDataError: Without two adjacent values.

    Example:
        >>> import llmscope as ls
        >>> study = ls.Standards("cusum", center=10.0, sigma=1.0)
        >>> study.monitor([10.0] * 8 + [11.5] * 8).judge().violations[0].first
        8
    """
def moving_average(
    values: _Numbers,
    *,
    span: int = 5,
    sigma_estimator: str = "average_moving_range",
    bounds: _Bounds = ...,
    missing: _Missing = "error",
) -> Chart:
    """Moving average chart: each point is the mean of the last ``span`` measurements, with limits x̄ ± 3σ̂/√w.

    Source: Montgomery, *Introduction to Statistical Quality Control*, ch. 9.3.

    Args:
        values: Measurements in time order. Shape (n,).
        span: Measurements in each mean, from 1 to 1000.
        sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
        bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (the average restarts) or ``"drop"``.

    Returns:
        The phase I chart. Only the rule of its limits applies, because its points are dependent.

    Raises:
        ParameterError: For a span that is not from 1 to 1000.
        NotEnoughDataError: Without two adjacent values.

    Example:
        >>> import llmscope as ls
        >>> ls.moving_average([1.0, 3.0, 2.0, 4.0], span=2).points.tolist()
        [1.0, 2.0, 2.5, 3.0]
    """
def judge(
    points: _Numbers,
    center: float | _Numbers,
    sigma: float | _Numbers,
    *,
    rules: _Rules | None = None,
    breaks: Sequence[int] = ...,
) -> Judgement:
    """Judges points against a center line and the standard deviation of the plotted statistic.

    Args:
        points: The plotted points in time order. Shape (n,).
        center: The center line: one value, or one per point.
        sigma: The standard deviation of the plotted statistic: one value, or one per point.
        rules: A preset, a list of rules, or a :class:`RuleSet`.
        breaks: Positions before which values are missing; every run ends there. 0-based.

    Returns:
        The result for every point (Nelson 1984, *Journal of Quality Technology* 16(4), for the default).

    Raises:
        NonFiniteError: For a NaN or infinity among the points.
        LengthMismatchError: If a varying line does not have one value per point.
        ParameterError: For a center line or sigma outside its domain.

    Example:
        >>> import llmscope as ls
        >>> ls.judge([0.1, 3.2, -0.4], center=0.0, sigma=1.0).violations
        [Violation(rule='nelson-1', first=1, last=1, signals=[1], side='above')]
    """
def capability(
    values: _Numbers,
    subgroups: _Labels | None = None,
    *,
    lsl: float | None = None,
    usl: float | None = None,
    sigma_estimator: str | None = None,
    confidence: float = 0.95,
    missing: _Missing = "error",
) -> Capability | None:
    """Cp, CPL, CPU and Cpk: the position and width of the process relative to its specification limits, from the within
    sigma.

    Source: AIAG SPC 2nd ed. 2005; ISO 22514-2; Montgomery, ch. 8; intervals by χ² (Cp) and Bissell 1990 (Cpk).

    Args:
        values: Measurements in time order, shape (n,), or a matrix whose rows are subgroups.
        subgroups: The size of the subgroups, or one label per measurement.
        lsl: Lower specification limit, in the unit of the data.
        usl: Upper specification limit, in the unit of the data, such as a service level objective.
        sigma_estimator: The estimator of the within sigma (see :func:`sigma`); by default, the average moving range for
            single measurements and the pooled standard deviation for subgroups.
        confidence: Level of the intervals, between 0 and 1.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Returns:
        The indices; ``None`` without variation, where capability is undefined.

    Raises:
        SpecificationError: Without a limit, or unless LSL < USL.
        NotEnoughDataError: For fewer than two values.

    Example:
        >>> import llmscope as ls
        >>> index = ls.capability([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30], usl=0.40)
        >>> round(index.cpk, 3), index.cp is None
        (2.526, True)
    """
def performance(
    values: _Numbers,
    *,
    lsl: float | None = None,
    usl: float | None = None,
    target: float | None = None,
    confidence: float = 0.95,
    missing: _Missing = "error",
) -> Performance | None:
    """Pp, PPL, PPU, Ppk and Cpm: the position and width of the process relative to its specification limits, from the
    overall sigma.

    Source: as :func:`capability`; Cpm by Chan, Cheng & Spiring 1988.

    Args:
        values: Measurements. Shape (n,).
        lsl: Lower specification limit, in the unit of the data.
        usl: Upper specification limit, in the unit of the data.
        target: Target value for Cpm, in the unit of the data.
        confidence: Level of the intervals, between 0 and 1.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Returns:
        The indices, or ``None`` for fewer than two values or without variation.

    Raises:
        SpecificationError: Without a limit, or unless LSL < USL.

    Example:
        >>> import llmscope as ls
        >>> round(ls.performance([9.8, 10.1, 10.0, 9.9, 10.2], lsl=9.0, usl=11.0).ppk, 4)
        2.1082
    """
def expected_ppm(
    mean: float, sigma: float, *, lsl: float | None = None, usl: float | None = None
) -> float | None:
    """Expected shares outside the specification limits for a normal process, per million.

    Args:
        mean: The process mean.
        sigma: The standard deviation of the process, in the unit of the mean.
        lsl: Lower specification limit, in the unit of the mean.
        usl: Upper specification limit, in the unit of the mean.

    Returns:
        Parts per million, or ``None`` if sigma is 0.

    Example:
        >>> import llmscope as ls
        >>> round(ls.expected_ppm(10.0, 1.0, lsl=7.0, usl=13.0), 1)
        2699.8
    """
def sigma(
    values: _Numbers,
    subgroups: _Labels | None = None,
    *,
    estimator: str | None = None,
    missing: _Missing = "error",
) -> SigmaEstimate:
    """Estimates the standard deviation of a process.

    Args:
        values: Measurements in time order, shape (n,), or a matrix whose rows are subgroups.
        subgroups: The size of the subgroups, or one label per measurement.
        estimator: ``"average_moving_range"`` (the default for single measurements), ``"median_moving_range"``, ``"average_range"``,
            ``"average_standard_deviation"``, ``"pooled"`` (the default for subgroups), ``"pooled_biased"``, ``"overall"`` or
            ``"overall_unbiased"``.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Returns:
        The estimate in the unit of the data, with its convention and degrees of freedom.

    Raises:
        NotEnoughDataError: For fewer than two values, or no two adjacent values.
        ParameterError: For an estimator that does not fit the data.

    Example:
        >>> import llmscope as ls
        >>> ls.sigma([1.0, 2.0, 1.0, 2.0]).sigma  # 1 / d2(2)
        0.886226925452758
    """
def moments(values: _Numbers, *, missing: _Missing = "error") -> Moments:
    """Count, mean, standard deviation, skewness and kurtosis in one pass.

    Source: Chan, Golub & LeVeque 1979; Pébay 2008, in double-double arithmetic.

    Args:
        values: Measurements. Shape (n,).
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Example:
        >>> import llmscope as ls
        >>> ls.moments([1.0, 2.0, 4.0]).merge(ls.moments([9.0])).mean
        4.0
    """
@overload
def quantile(values: _Numbers, p: float, *, method: int = 7, missing: _Missing = "error") -> float:
    """Quantiles of a sample.

    Source: Hyndman & Fan 1996, *The American Statistician* 50(4).

    Args:
        values: Measurements. Shape (n,).
        p: A probability from 0 to 1, or several.
        method: Hyndman and Fan's number, 1 to 9; 7 is the default of NumPy and pandas.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Returns:
        A float for one probability, an array for several.

    Raises:
        NotEnoughDataError: Without data.
        ParameterError: For a probability outside [0, 1] or an unknown method.

    Example:
        >>> import llmscope as ls
        >>> ls.quantile([1.0, 2.0, 4.0, 8.0], 0.5)
        3.0
        >>> ls.quantile([1.0, 2.0, 4.0, 8.0], [0.0, 1.0]).tolist()
        [1.0, 8.0]
    """
@overload
def quantile(
    values: _Numbers, p: Sequence[float] | NDArray[Any], *, method: int = 7, missing: _Missing = "error"
) -> NDArray[np.float64]: ...
def anderson_darling(values: _Numbers, *, missing: _Missing = "error") -> Normality | None:
    """Anderson–Darling test of normality, with mean and standard deviation estimated from the data.

    Source: Anderson & Darling 1954; p-value by Stephens 1986.

    Args:
        values: Measurements. Shape (n,).
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Returns:
        The statistic and its p-value; ``None`` for fewer than 8 values or without variation.

    Example:
        >>> import llmscope as ls
        >>> ls.anderson_darling([0.1, 0.2, 0.3, 0.2, 0.1, 0.3, 0.2, 9.0]).p < 0.005
        True
    """
def change_points(
    values: _Numbers,
    *,
    fewest: int = 10,
    level: float = 0.05,
    confidence: float = 0.95,
    missing: _Missing = "error",
    inflation: float | None = None,
) -> list[ChangePoint]:
    """Detects changes of the level of a series from the ranks of its values, so long tails and outliers have no influence.

    Wilcoxon's rank sum is computed at each position of seeded intervals. If the level never changes, the probability of
    any detection is at most ``level``; values may be autocorrelated.

    The size of a change is Hodges and Lehmann's ratio between the neighboring stages, with the interval of Mann and
    Whitney's test: a difference if a value is not positive. Autocorrelation widens the interval. The positions count as
    known, so the size of a change that is barely found is overstated.

    Source: Miller & Siegmund 1982, *Biometrics* 38; Kovács, Bühlmann, Li & Munk 2023, *Biometrika* 110; Baranowski, Chen
    & Fryzlewicz 2019, *JRSS B* 81. Sizes: Hodges & Lehmann 1963, *Annals of Mathematical Statistics* 34; Hollander &
    Wolfe, section 4.3.

    Args:
        values: Measurements in time order. Shape (n,).
        fewest: The minimum number of values between changes.
        level: The probability of any detection if the level never changes, between 0 and 1.
        confidence: Level of the intervals of the sizes, between 0 and 1.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``. Positions count only the
            values that are present.
        inflation: The factor 1 + 2Σρ_k by which dependence inflates the variance of a mean, if it is known, such as from
            a long series without changes: 1 for independent values, (1 + ρ)/(1 − ρ) for a first-order autoregression.
            By default, it is estimated.

    Returns:
        The changes in order.

    Raises:
        ParameterError: If ``fewest`` is 0, ``level`` or ``confidence`` is not between 0 and 1, or ``inflation`` is
            below 1.

    Example:
        >>> import llmscope as ls
        >>> level = [31.0, 29.0, 30.0, 32.0, 28.0, 30.5, 29.5, 31.5, 28.5, 30.2, 29.1, 30.9]
        >>> change = ls.change_points(level + [1.5 * x for x in level])[0]
        >>> change.at, change.contrast, round(change.size, 2)
        (12, 'ratio', 1.5)
    """
def autocorrelation(values: _Numbers, lag: int = 1, *, missing: _Missing = "error") -> float | None:
    """Autocorrelation: the correlation of values that are ``lag`` points apart.

    Args:
        values: Measurements in time order. Shape (n,).
        lag: The distance, in points.
        missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

    Returns:
        The correlation; ``None`` without variation or without pairs at that distance.

    Example:
        >>> import llmscope as ls
        >>> ls.autocorrelation([1.0, -1.0, 1.0, -1.0])
        -0.75
    """
def factors(n: int) -> Factors:
    """The factors of Shewhart charts, computed from their defining integrals for any n.

    Args:
        n: The size of the subgroups, at least 2.

    Raises:
        ParameterError: For n < 2, where the dispersion is undefined.

    Example:
        >>> import llmscope as ls
        >>> round(ls.factors(5).A2, 4), round(ls.factors(5).D4, 4)
        (0.5768, 2.1145)
    """
def d2(n: int) -> float:
    """d₂(n): the expected range of n standard normal values (Tippett 1925).

    Example:
        >>> import llmscope as ls
        >>> round(ls.d2(5), 12)
        2.325928947281
    """
def d3(n: int) -> float:
    """d₃(n): the standard deviation of the range of n standard normal values.

    Example:
        >>> import llmscope as ls
        >>> round(ls.d3(5), 6)
        0.864082
    """
def d4(n: int) -> float:
    """d₄(n): the median of the range of n standard normal values.

    Example:
        >>> import llmscope as ls
        >>> round(ls.d4(2), 6)
        0.953873
    """
def c4(n: int) -> float:
    """c₄(n): the expected standard deviation of n standard normal values.

    Example:
        >>> import llmscope as ls
        >>> round(ls.c4(5), 6)
        0.939986
    """
def c5(n: int) -> float:
    """c₅(n) = √(1 − c₄²): the standard deviation of the standard deviation of n standard normal values.

    Example:
        >>> import llmscope as ls
        >>> round(ls.c5(5), 6)
        0.341214
    """
def probe() -> dict[str, Any]:
    """Describes this machine: its hardware and software, and its current state.

    Values that cannot be read are absent: never ``None``, never 0.

    Returns:
        ``{"environment": …, "sample": …}``. The environment contains the operating system, kernel, container,
        processors, memory in bytes and GPUs. The sample contains the share of busy processors (0 to 1), the load,
        memory in use in bytes, temperatures in degrees Celsius, and for each GPU its utilization, memory, power in
        watts and energy in joules.

    Example:
        >>> import llmscope as ls
        >>> machine = ls.probe()
        >>> machine["environment"]["memory_bytes"] > 0
        True
    """
def bench(
    vendor: str,
    *,
    url: str | None = None,
    model: str | None = None,
    provider: str | None = None,
    key_env: str | None = None,
    extra_body: Mapping[str, Any] | None = None,
    requests: int | None = None,
    duration: float | str | None = None,
    concurrency: int | Sequence[int] = ...,
    rate: float | None = None,
    arrival: str = "poisson",
    warmup: int = 0,
    prompts: _Path | Sequence[str] | None = None,
    prompt_tokens: int | None = None,
    output_tokens: int | None = None,
    tier: str | None = None,
    timeout: float | str | None = None,
    retries: int = 0,
    reuse_connections: bool = True,
    seed: int = 0,
    price_in: float | None = None,
    price_out: float | None = None,
    simulate: str | None = None,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    output: _Path | None = None,
    progress: bool | Callable[[dict[str, Any]], object] | None = None,
) -> Session:
    """Measures an endpoint: sends requests, timestamps every chunk of the responses, and returns them as a session.

    Ctrl-C ends the run; the session then contains the requests that had ended. Keys come from the environment, as on
    the command line: ``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``, ``GEMINI_API_KEY``, …

    Args:
        vendor: ``"openai"`` (and compatible servers), ``"openai-responses"``, ``"azure"``, ``"openrouter"``,
            ``"anthropic"``, ``"gemini"``, ``"bedrock"``, ``"github"``, ``"ollama"``, ``"ollama-generate"`` or
            ``"simulated"``.
        url: Base URL, such as ``"http://localhost:8000/v1"``; by default, the vendor's own.
        model: The model; by default, the only one that the endpoint lists.
        provider: Name of the provider, if it differs from the vendor.
        key_env: Environment variable that contains the key, if it differs from the vendor's own.
        extra_body: Additional fields for the body of every request.
        requests: Number of requests to measure; 100 by default, unlimited with a duration.
        duration: Time during which requests are issued: seconds, or a text such as ``"60s"``.
        concurrency: Closed loop: N clients, each of which waits for its response. Several numbers make a sweep.
        rate: Open loop: requests per second, regardless of pending responses.
        arrival: Distribution of arrivals in an open loop: ``"poisson"`` or ``"constant"``.
        warmup: Number of initial requests that the analysis excludes.
        prompts: Prompts as a list of texts, or the path of a file of prompts.
        prompt_tokens: Generate synthetic prompts of about N tokens.
        output_tokens: Maximum number of output tokens per request.
        tier: Built-in prompts: ``"simple-recall"``, ``"moderate-reasoning"``, ``"complex-reasoning"``,
            ``"high-load-creative"`` or ``"extended-context"``.
        timeout: Time limit for a complete response: seconds, or a text such as ``"60s"``.
        retries: Number of further attempts after 429, 5xx or a broken connection.
        reuse_connections: False to open a new connection for every request.
        seed: Seed of every random choice.
        price_in: US dollars per million input tokens.
        price_out: US dollars per million output tokens.
        simulate: Behavior of the simulated vendor: ``"ttft=50ms,tpot=2ms,failures=1%,shift=100:1.5"``.
        name: A name for the run.
        labels: Labels to group by.
        output: File in JSON Lines to which each request is appended during the run; it must not exist.
        progress: True for a line on standard error, False for none, or a function that receives the current summary as
            a dictionary about twice a second.

    Returns:
        The session.

    Raises:
        BenchError: If the endpoint cannot be used: no key, no such address, no model.
        ParameterError: If the parameters contradict each other.

    Example:
        >>> import llmscope as ls
        >>> session = ls.bench("simulated", requests=12, simulate="ttft=5ms,tpot=1ms,tokens=8", progress=False)
        >>> len(session), session.simulated, session.summary()["failed"]
        (12, True, 0)
    """
def read_log(path: _Path, tool: str | None = None) -> Log:
    """Reads a log of any supported tool, recognized by its content: sessions, logs of benchmarks, engines, gateways and
    telemetry, CSV, and JSON Lines (docs/logs.md). The file may be compressed with gzip or zstd.

    Args:
        path: The file.
        tool: Forces a format instead of recognizing it: ``"llmscope"``, ``"vllm-bench-serve"``, ``"jsonl"``, ``"csv"``, …

    Raises:
        FormatError: With file, line and field, the problem and a fix.
        OSError: If the file cannot be read.

    Example:
        >>> import llmscope as ls, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "latency.csv"
        >>> _ = path.write_text("model,latency\nsmall,0.31\nsmall,0.29\n")
        >>> log = ls.read_log(path)
        >>> log.tool, len(log)
        ('csv', 2)
    """
def read_session(path: _Path) -> Session:
    """Reads a recorded run: a session, or a log of a tool that records requests.

    Args:
        path: The file.

    Raises:
        FormatError: If the file contains no requests, with the problem and a fix.
        OSError: If the file cannot be read.

    Example:
        >>> import llmscope as ls, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.json"
        >>> _ = path.write_text('{"schema": "llmscope.session/1", "records": [{"ttft_s": 0.31}]}')
        >>> len(ls.read_session(path))
        1
    """
def _png(svg: str) -> bytes: ...
def _restore(name: str, state: str) -> Any: ...

@final
class Chart:
    """A control chart: the plotted points, their control limits, and the origin of the limits.

    Returned by :func:`individuals`, :func:`xbar`, :func:`attributes`, :func:`ewma`, :func:`cusum` and
    :func:`moving_average` (phase I), and by :meth:`Chart.monitor` (phase II). A chart of single measurements refers to
    your float64 array without copying it: do not modify the array; modify a copy.

    Example:
        >>> import llmscope as ls
        >>> ls.individuals([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
        individuals chart, phase I, 10 points
          limits  lower 45.82  center 50.81  upper 55.80
          sigma   1.664 (average moving range / d2)
    """

    @property
    def kind(self) -> str:
        """The plotted statistic: ``"individuals"``, ``"xbar-r"``, ``"p"``, …"""
    @property
    def phase(self) -> int:
        """1: limits from these data; 2: limits from a previous study."""
    @property
    def points(self) -> NDArray[np.float64]:
        """The plotted points, in time order. Shape (n,), read-only."""
    @property
    def lower_points(self) -> NDArray[np.float64] | None:
        """The lower sums of a CUSUM chart, at or below 0; ``points`` are the upper sums. Shape (n,), read-only."""
    @property
    def limits(self) -> ControlLimits:
        """Center line, limits, and the sigma of the zones."""
    @property
    def breaks(self) -> list[int]:
        """Positions before which values are missing; every run ends there. 0-based."""
    @property
    def positions(self) -> list[int] | None:
        """For a moving range chart, the position of the later measurement of each point."""
    @property
    def standards(self) -> Standards:
        """The estimated standards, to save and apply to later data."""
    @property
    def dispersion_chart(self) -> Chart | None:
        """The chart of the dispersion that accompanies this chart of the level: moving ranges, ranges or standard
        deviations.
        """
    @property
    def is_degenerate(self) -> bool:
        """True if sigma is zero everywhere: the limits coincide with the center line."""
    def judge(self, rules: _Rules | None = None) -> Judgement:
        """Applies rules to the points.

        Args:
            rules: A preset, a list of rules, or a :class:`RuleSet`, applied unchanged. By default, the Nelson rules
                that suit the chart: no zones on a dispersion chart, only the limits on an EWMA chart.

        Raises:
            UnknownNameError: For an unknown rule.
        """
    def monitor(
        self,
        values: _Numbers,
        *,
        subgroups: _Labels | None = None,
        sizes: float | _Numbers | None = None,
        bounds: _Bounds = ...,
        missing: _Missing = "error",
    ) -> Chart:
        """Phase II: the same chart of new data, with these limits instead of new estimates.

        Args:
            values: The new measurements, or counts. Shape (n,), or a matrix whose rows are subgroups.
            subgroups: Size of the subgroups, or one label per measurement (X̄ charts).
            sizes: Sample sizes or areas of opportunity (charts of counts).
            bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
            missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.

        Raises:
            ParameterError: If the data do not suit the chart.

        Example:
            >>> import llmscope as ls
            >>> study = ls.individuals([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30])
            >>> study.monitor([0.30, 0.42]).judge("1").violations[0].first
            1
        """
    def to_dict(self) -> dict[str, Any]:
        """Points, limits and standards as a dictionary."""
    def to_json(self) -> str:
        """Points, limits and standards as JSON. Numbers round-trip exactly."""
    def to_frame(self, backend: _Backend | None = None) -> Any:
        """One row per point: ``point`` (and ``lower_point`` of a CUSUM chart), ``lower``, ``center``, ``upper``,
        ``sigma``.

        Args:
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
                first that is installed.
        """
    def to_svg(self, title: str | None = None) -> str:
        """The chart as SVG, judged by the Nelson rules that suit it."""
    def save(self, path: _Path, title: str | None = None) -> None:
        """Writes the chart to a file whose name ends in ``.svg`` or ``.png``."""
    def plot(self, ax: Any = None, title: str | None = None, metric: str | None = None) -> Any:
        """Draws the chart with matplotlib, judged by the Nelson rules that suit it.

        Args:
            ax: The axes to draw on; new ones by default.
            title: The title.
            metric: The name of the measured quantity, for the axis of values. Its suffix names the unit, as in
                ``ttft_s`` or ``latency_ms``.

        Returns:
            The axes.
        """
    def to_plotly(self, title: str | None = None) -> Any:
        """The chart as a plotly figure, judged by the Nelson rules that suit it."""
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...
    def _repr_html_(self) -> str | None: ...

@final
class ControlLimits:
    """Control limits. Each line is one number, or an array with one number per point if the limits vary.

    Example:
        >>> import llmscope as ls
        >>> limits = ls.individuals([1.0, 2.0, 1.0, 2.0]).limits
        >>> limits.center, round(limits.upper, 3)
        (1.5, 4.159)
    """

    @property
    def lower(self) -> Any:
        """Lower control limit: center − 3σ, at least the physical bound."""
    @property
    def center(self) -> Any:
        """Center line."""
    @property
    def upper(self) -> Any:
        """Upper control limit: center + 3σ, at most the physical bound."""
    @property
    def sigma(self) -> Any:
        """Standard deviation of the plotted statistic; with a ``power``, that of the transformed statistic."""
    @property
    def power(self) -> float | None:
        """The power λ of the transformation, on whose scale the limits are three sigmas from the center line: 0 for the
        logarithm, ``None`` without one.
        """
    def zone_edge(self, multiple: float) -> Any:
        """The edge of a zone, ``multiple`` sigmas above the center line (negative: below): a number, or an array with one
        number per point if the limits vary.
        """
    @property
    def lower_clamped(self) -> bool:
        """True if the lower limit is a physical bound anywhere."""
    @property
    def upper_clamped(self) -> bool:
        """True if the upper limit is a physical bound anywhere."""
    def to_dict(self) -> dict[str, Any]:
        """The lines as a dictionary."""
    def to_json(self) -> str:
        """The lines as JSON."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Standards:
    """The standards that a phase I study estimates and a phase II chart applies unchanged.

    Args:
        chart: The kind of chart.
        center: Center line: the mean; a proportion (p, np); counts per area (c, u).
        sigma: Within sigma of a single measurement, for charts of measurements.
        lambda_: Weight of the newest point of an EWMA chart.
        width: Width of the limits of an EWMA chart, in sigmas of the average.
        k: Allowance of a CUSUM chart, in sigmas.
        h: Decision interval of a CUSUM chart, in sigmas.
        headstart: Where the sums of a CUSUM chart start, as a share of ``h``.
        span: Measurements in each mean of a moving average chart.
        power: The power λ of the transformation on an individuals chart, 0 for the logarithm; center line and sigma
            then refer to the transformed measurements.

    Raises:
        ParameterError: If the numbers do not suit the chart.

    Example:
        >>> import llmscope as ls
        >>> ls.Standards("individuals", center=0.30, sigma=0.01).monitor([0.31, 0.36]).judge("1").is_in_control
        False
    """

    def __new__(
        cls,
        chart: str,
        center: float,
        sigma: float | None = None,
        *,
        lambda_: float = 0.2,
        width: float = 3.0,
        k: float = 0.5,
        h: float = 5.0,
        headstart: float = 0.0,
        span: int = 5,
        power: float | None = None,
    ) -> Standards: ...
    @property
    def chart(self) -> str:
        """The kind of chart."""
    @property
    def center(self) -> float:
        """The center line; with a ``power``, that of the transformed measurements."""
    @property
    def power(self) -> float | None:
        """The power λ of the transformation of the measurements: 0 for the logarithm, ``None`` without one."""
    @property
    def within(self) -> SigmaEstimate | None:
        """The within sigma, for charts of measurements."""
    @property
    def inflation(self) -> float | None:
        """Laney's σ_z: variation relative to the binomial or Poisson distribution."""
    def monitor(
        self,
        values: _Numbers,
        *,
        subgroups: _Labels | None = None,
        sizes: float | _Numbers | None = None,
        bounds: _Bounds = ...,
        missing: _Missing = "error",
    ) -> Chart:
        """Phase II: a chart of new data against these standards. See :meth:`Chart.monitor`."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Judgement:
    """The result of applying rules to every point of a chart.

    Example:
        >>> import llmscope as ls
        >>> judgement = ls.individuals([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.52, 0.31]).judge()
        >>> judgement
        OUT OF CONTROL: 1 violation of 8 rules at 10 points
          nelson-1 at 8: 1 signal, above
        >>> judgement.signals_of("nelson-1").nonzero()[0].tolist()
        [8]
    """

    @property
    def violations(self) -> list[Violation]:
        """The violations, ordered by their first signal, including overlapping ones."""
    @property
    def signals(self) -> NDArray[np.uint32]:
        """For each point, the rules that signal at it, as bits: bit i is the i-th of ``rules``. Shape (n,), uint32."""
    @property
    def members(self) -> NDArray[np.uint32]:
        """For each point, the rules whose patterns include it, as bits. Shape (n,), uint32."""
    def signals_of(self, rule: str) -> NDArray[np.bool_]:
        """The points at which one rule signals. Shape (n,), bool.

        Raises:
            UnknownNameError: If the rule was not applied.
        """
    def members_of(self, rule: str) -> NDArray[np.bool_]:
        """The points that belong to a pattern of one rule. Shape (n,), bool.

        Raises:
            UnknownNameError: If the rule was not applied.
        """
    @property
    def is_in_control(self) -> bool:
        """True if no rule signals anywhere."""
    @property
    def rules(self) -> RuleSet:
        """The applied rules."""
    @property
    def chart(self) -> Chart | None:
        """The judged chart; ``None`` for bare points."""
    def to_dict(self) -> dict[str, Any]:
        """Masks, violations and rules as a dictionary."""
    def to_json(self) -> str:
        """Masks, violations and rules as JSON."""
    def to_frame(self, backend: _Backend | None = None) -> Any:
        """One row per violation: ``rule``, ``first``, ``first_signal``, ``last``, ``side``.

        Args:
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
                first that is installed.
        """
    def to_svg(self, title: str | None = None) -> str:
        """The chart with these signals, as SVG."""
    def save(self, path: _Path, title: str | None = None) -> None:
        """Writes the chart with these signals to a file whose name ends in ``.svg`` or ``.png``."""
    def plot(self, ax: Any = None, title: str | None = None, metric: str | None = None) -> Any:
        """Draws the chart with matplotlib.

        Args:
            ax: The axes to draw on; new ones by default.
            title: The title.
            metric: The name of the measured quantity, for the axis of values. Its suffix names the unit, as in
                ``ttft_s`` or ``latency_ms``.

        Returns:
            The axes.
        """
    def to_plotly(self, title: str | None = None) -> Any:
        """The chart as a plotly figure."""
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...
    def _repr_html_(self) -> str | None: ...

@final
class Picture:
    """A picture of several charts. Returned by :func:`imr` and :func:`sixpack`; a notebook shows it.

    Example:
        >>> import llmscope as ls
        >>> ls.imr([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30], metric="ttft_s")
        Picture(alt='time to first token, individuals and moving ranges: in control')
    """

    @property
    def svg(self) -> str:
        """The picture as SVG, 1100 units wide."""
    @property
    def alt(self) -> str:
        """A short description: what the picture shows, and the verdict."""
    def png(self) -> bytes:
        """The picture as PNG, with two pixels per unit.

        Raises:
            RenderError: With the message of the rasterizer.
        """
    def save(self, path: _Path) -> None:
        """Writes the picture to a file whose name ends in ``.svg`` or ``.png``.

        Raises:
            ParameterError: For another ending.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...
    def _repr_html_(self) -> str: ...

@final
class Monitor:
    """Judges points as they arrive against a frozen center line and sigma.

    It gives the same signals as :func:`judge` for the same points, regardless of how the stream is split. Its state is
    a few numbers per rule and can be pickled.

    Args:
        center: The center line.
        sigma: The standard deviation of the plotted statistic.
        rules: A preset, a list of rules, or a :class:`RuleSet`.

    Raises:
        ParameterError: Unless the center line is finite, and sigma finite and non-negative.

    Example:
        >>> import llmscope as ls
        >>> monitor = ls.Monitor(center=0.30, sigma=0.01)
        >>> monitor.push(0.31)
        []
        >>> [signal.rule for signal in monitor.push(0.36)]
        ['nelson-1']
    """

    def __new__(cls, center: float, sigma: float, rules: _Rules | None = None) -> Monitor: ...
    def push(self, x: float, *, center: float | None = None, sigma: float | None = None) -> list[Signal]:
        """Adds one point and returns the signals that it causes, in the order of the rules.

        Args:
            x: The point.
            center: The point's own center line, for charts whose limits vary.
            sigma: The point's own sigma.

        Raises:
            NonFiniteError: For a NaN or an infinity; the monitor is then unchanged.
            ParameterError: If only one of ``center`` and ``sigma`` is given, or one is outside its domain.
        """
    def push_many(self, values: _Numbers, *, missing: _Missing = "error") -> list[Signal]:
        """Adds many points and returns all signals, in order.

        Args:
            values: The points in time order. Shape (n,).
            missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (every run ends) or ``"drop"``.

        Raises:
            NonFiniteError: For a NaN or infinity among the points; the monitor is then unchanged.
            MissingValueError: For a missing value under ``"error"``.
        """
    def gap(self) -> None:
        """Marks a gap: every run ends."""
    @property
    def seen(self) -> int:
        """Number of points pushed."""
    @property
    def rules(self) -> RuleSet:
        """The applied rules."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Alarm:
    """An alarm of a :class:`Detector`: what changed, since when, and by how much."""

    @property
    def changed(self) -> Literal["larger", "smaller", "more_varied"]:
        """``"larger"``, ``"smaller"`` or ``"more_varied"``."""
    @property
    def since(self) -> int:
        """The 0-based number of the value at which the change most probably began."""
    @property
    def at(self) -> int:
        """The 0-based number of the value that raised the alarm."""
    @property
    def size(self) -> float | None:
        """The size of the change: a ratio on the logarithmic scale, otherwise a difference. ``None`` if values vary more."""
    @property
    def interval(self) -> _Interval | None:
        """Bounds of the size, which hold the true one in at least 95 % of the alarms. ``None`` with few values."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Learning:
    """Why a :class:`Detector` does not judge yet."""

    @property
    def values(self) -> int:
        """The values so far, without gaps."""
    @property
    def information(self) -> float | None:
        """How many independent values carry as much information; 25 are needed. ``None`` before the first fit."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Evidence:
    """What a :class:`Detector` knows after a value."""

    @property
    def value(self) -> float:
        """The evidence for a change since the last alarm; 0 while the detector learns."""
    @property
    def threshold(self) -> float:
        """The evidence that raises an alarm."""
    @property
    def learning(self) -> Learning | None:
        """Present while the detector learns."""
    @property
    def alarm(self) -> Alarm | None:
        """Present if this value raised an alarm."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Detection:
    """What a :class:`Detector` found in many values."""

    @property
    def evidence(self) -> NDArray[np.float64]:
        """The evidence after each value, shape (n,). It starts again from 0 after an alarm."""
    @property
    def threshold(self) -> float:
        """The evidence that raises an alarm."""
    @property
    def alarms(self) -> list[Alarm]:
        """The alarms in order."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Detector:
    """Judges values one by one, at a stated rate of false alarms, whatever their distribution is.

    A value is judged by its rank among all values so far, after what its load and the values before it explain. Its state
    can be pickled, and a detector that is restored judges later values as the original one does, bit for bit.

    Args:
        false_alarms: How often an alarm may be false: ``"1/1000"`` is one false alarm in 1,000 values, on average.
        learn: The number of values that are learned before any is judged, 20 to 2048. Dependent values are learned longer.
        scale: ``"logarithm"`` for durations and other positive values, whose changes are ratios. ``"linear"`` for others.
        columns: The number of token counts that come with each value, such as 2 for those of the prompt and of the answer.

    Raises:
        ParameterError: For a rate, a number or a scale outside its bounds.

    Example:
        >>> import llmscope as ls, numpy as np
        >>> rng = np.random.default_rng(2)
        >>> ttft_s = 0.3 * np.exp(0.2 * rng.standard_normal(600))
        >>> ttft_s[500:] *= 1.5
        >>> found = ls.Detector("1/10000", learn=200).push_many(ttft_s)
        >>> alarm = found.alarms[0]
        >>> alarm.changed, abs(alarm.since - 500) < 5, alarm.at < 520
        ('larger', True, True)
    """

    def __new__(
        cls,
        false_alarms: str = "1/1000",
        *,
        learn: int = 100,
        scale: Literal["logarithm", "linear"] = "logarithm",
        columns: int = 0,
    ) -> Detector: ...
    @staticmethod
    def from_json(text: str) -> Detector:
        """Reads the state of a detector that :meth:`to_json` wrote.

        Raises:
            ValueError: For a text that no detector wrote.
        """
    def push(self, value: float, tokens: Sequence[float] | None = None) -> Evidence:
        """Judges the next value.

        Args:
            value: The value. NaN is a gap, as is a value that is not positive on the logarithmic scale: it changes nothing.
            tokens: Its token counts, as many as ``columns``. NaN is an unknown count.

        Raises:
            NonFiniteError: For an infinite value; the detector is then unchanged.
            LengthMismatchError: For another number of token counts.
        """
    def push_many(self, values: _Numbers, tokens: _Numbers | None = None) -> Detection:
        """Judges many values.

        Args:
            values: The values in time order, shape (n,). Missing ones are gaps.
            tokens: Their token counts, shape (n,) for one column, otherwise (n, columns).

        Raises:
            NonFiniteError: For an infinite value; the detector is then unchanged.
            LengthMismatchError: For other numbers of token counts.
        """
    def relearn(self) -> None:
        """Forgets what was learned, after a change that is to count as normal. The values keep their numbers."""
    @property
    def learning(self) -> Learning | None:
        """Why the detector does not judge yet; ``None`` if it does."""
    @property
    def evidence(self) -> float:
        """The evidence for a change since the last alarm; 0 while the detector learns."""
    @property
    def threshold(self) -> float:
        """The evidence that raises an alarm."""
    @property
    def smallest_visible(self) -> float | None:
        """The smallest change of the level that this detector can ever show, as a ratio on the logarithmic scale, otherwise as
        a difference. ``None`` while it learns.
        """
    @property
    def pushed(self) -> int:
        """Number of values, gaps included."""
    def to_json(self) -> str:
        """The complete state as JSON."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Rule:
    """A pattern of points with a code.

    Args:
        code: The name of the rule in results.
        pattern: One of ``{"beyond": {"multiple": 3, "count": 1, "window": 1}}``, ``{"same_side": {"length": 9}}``,
            ``{"trend": {"length": 6}}``, ``{"alternating": {"length": 14}}``,
            ``{"within": {"multiple": 1, "length": 15}}``,
            ``{"outside": {"multiple": 1, "length": 8, "both_sides": False}}``, ``{"opposite": {"multiple": 2}}``.
            Multiples are in sigmas, lengths in points.

    Raises:
        ParameterError: If the lengths or multiples do not form a pattern.

    Example:
        >>> import llmscope as ls
        >>> rule = ls.Rule("three-up", {"trend": {"length": 3}})
        >>> rule.description
        '3 points in a row rising or falling'
        >>> ls.judge([1.0, 2.0, 3.0, 4.0], 0.0, 10.0, rules=[rule]).violations[0].first_signal
        2
    """

    def __new__(cls, code: str, pattern: Mapping[str, Mapping[str, Any]]) -> Rule: ...
    @property
    def code(self) -> str:
        """The rule's code."""
    @property
    def description(self) -> str:
        """A description of its pattern."""
    @property
    def pattern(self) -> dict[str, dict[str, Any]]:
        """Its pattern, as the dictionary that creates the same rule."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class RuleSet:
    """A set of at most 32 rules.

    Args:
        rules: The name of a preset (``"nelson"``, ``"western-electric"``, ``"aiag"``, ``"montgomery"``,
            ``"westgard"``, ``"none"``), a list such as ``"1,2,5"`` of Nelson's rules or of codes, or a sequence of
            :class:`Rule` and codes.

    Raises:
        UnknownNameError: For an unknown rule or preset.
        ParameterError: For more than 32 rules, or two rules with the same code.

    Example:
        >>> import llmscope as ls
        >>> ls.RuleSet("1,2,5").with_length("nelson-2", 8).codes
        ['nelson-1', 'nelson-2', 'nelson-5']
    """

    def __new__(cls, rules: _Rules | None = None) -> RuleSet: ...
    @staticmethod
    def names() -> list[str]:
        """The names of the presets."""
    @property
    def rules(self) -> list[Rule]:
        """The rules, in order."""
    @property
    def codes(self) -> list[str]:
        """The codes of the rules, in order."""
    def with_length(self, code: str, length: int, count: int | None = None) -> RuleSet:
        """A copy with another run length for one rule.

        Args:
            code: The code or the number of the rule.
            length: Points in the pattern (the window of a k-of-m rule).
            count: The k of a k-of-m rule.

        Raises:
            UnknownNameError: If the set lacks the rule.
            ParameterError: If the length does not suit the rule.
        """
    def with_multiple(self, code: str, multiple: float) -> RuleSet:
        """A copy with another distance from the center line for one rule, in sigmas.

        Raises:
            UnknownNameError: If the set lacks the rule.
            ParameterError: If the distance does not suit the rule.
        """
    def without_zones(self) -> RuleSet:
        """The rules that use no zones, for dispersion charts, whose statistic is skewed."""
    def limits_only(self) -> RuleSet:
        """The rules about a single point beyond a limit, for charts of averages, whose points are dependent."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Violation:
    """A maximal run of signals of one rule, together with the points of the first pattern.

    Example:
        >>> import llmscope as ls
        >>> ls.individuals([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.52, 0.31]).judge("1").violations[0]
        Violation(rule='nelson-1', first=8, last=8, signals=[8], side='above')
    """

    @property
    def rule(self) -> str:
        """Code of the rule, such as ``"nelson-2"``."""
    @property
    def first(self) -> int:
        """First point of the first pattern, 0-based."""
    @property
    def first_signal(self) -> int:
        """The point that completed the first pattern: the first signal."""
    @property
    def last(self) -> int:
        """The last signal. Every point from ``first_signal`` to ``last`` signals."""
    @property
    def side(self) -> _Side:
        """``"above"`` the center line (or rising), ``"below"`` (or falling), or ``"both"``."""
    @property
    def signals(self) -> list[int]:
        """The points that complete the pattern, 0-based: every point from ``first_signal`` to ``last``."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Signal:
    """A signal: a point that completes the pattern of a rule.

    Example:
        >>> import llmscope as ls
        >>> ls.Monitor(center=10.0, sigma=1.0).push(13.5)
        [Signal(rule='nelson-1', first=0, at=0, side='above')]
    """

    @property
    def rule(self) -> str:
        """Code of the rule."""
    @property
    def first(self) -> int:
        """First point of the pattern, counted from the first push."""
    @property
    def at(self) -> int:
        """The point that completes the pattern."""
    @property
    def side(self) -> _Side:
        """``"above"``, ``"below"`` or ``"both"``."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class SigmaEstimate:
    """An estimate of sigma with its estimator."""

    @property
    def sigma(self) -> float:
        """The estimate, in the unit of the data; 0 for data without variation."""
    @property
    def estimator(self) -> str:
        """Name of the estimator: ``"average_moving_range"``, ``"pooled"``, ``"overall"``, …"""
    @property
    def degrees_of_freedom(self) -> float | None:
        """Effective degrees of freedom for intervals; ``None`` if none are published."""
    @property
    def convention(self) -> str:
        """A short description of the convention and its formula: indices from different conventions differ."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Capability:
    """Capability: the indices of the within (short-term) sigma. Intervals are ``(lower, upper)``."""

    @property
    def cp(self) -> float | None:
        """(USL − LSL)/6σ̂; ``None`` for one-sided limits."""
    @property
    def cp_interval(self) -> _Interval | None:
        """Its χ² interval."""
    @property
    def cpl(self) -> float | None:
        """(x̄ − LSL)/3σ̂."""
    @property
    def cpu(self) -> float | None:
        """(USL − x̄)/3σ̂."""
    @property
    def cpk(self) -> float:
        """The smaller of CPL and CPU."""
    @property
    def cpk_interval(self) -> _Interval | None:
        """Its interval (Bissell 1990)."""
    @property
    def z_bench(self) -> float | None:
        """The normal quantile of the expected share outside both limits."""
    @property
    def sigma(self) -> float:
        """The within sigma of the indices."""
    @property
    def estimator(self) -> str:
        """Name of its estimator."""
    @property
    def degrees_of_freedom(self) -> float | None:
        """Degrees of freedom of the intervals."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Performance:
    """Performance: the indices of the overall (long-term) sigma. Intervals are ``(lower, upper)``."""

    @property
    def pp(self) -> float | None:
        """(USL − LSL)/6s; ``None`` for one-sided limits."""
    @property
    def pp_interval(self) -> _Interval | None:
        """Its χ² interval."""
    @property
    def ppl(self) -> float | None:
        """(x̄ − LSL)/3s."""
    @property
    def ppu(self) -> float | None:
        """(USL − x̄)/3s."""
    @property
    def ppk(self) -> float:
        """The smaller of PPL and PPU."""
    @property
    def ppk_interval(self) -> _Interval | None:
        """Its interval (Bissell 1990)."""
    @property
    def z_bench(self) -> float | None:
        """The normal quantile of the expected share outside both limits."""
    @property
    def cpm(self) -> float | None:
        """(USL − LSL)/6√(Σ(x − T)²/(n − 1)): the dispersion about the target (Chan, Cheng & Spiring 1988)."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class ExpectedPpm:
    """Expected shares outside the specification limits for a normal distribution, per million."""

    @property
    def within(self) -> float | None:
        """With the within sigma."""
    @property
    def overall(self) -> float | None:
        """With the overall sigma."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Specification:
    """Specification limits: the requirements of a customer or a service level objective."""

    @property
    def lower(self) -> float | None:
        """Lower specification limit (LSL)."""
    @property
    def upper(self) -> float | None:
        """Upper specification limit (USL)."""
    @property
    def target(self) -> float | None:
        """Target value."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Factors:
    """The factors of Shewhart charts with 3σ limits, for subgroups of n values (ASTM E2587; Montgomery, app. VI)."""

    @property
    def n(self) -> int:
        """The size of the subgroups."""
    @property
    def d2(self) -> float:
        """Expected range over σ: σ̂ = R̄/d₂."""
    @property
    def d3(self) -> float:
        """Standard deviation of the range over σ."""
    @property
    def c4(self) -> float:
        """Expected standard deviation over σ: σ̂ = S̄/c₄."""
    @property
    def A2(self) -> float:
        """3/(d₂√n): limits of the mean are X̿ ± A₂R̄."""
    @property
    def A3(self) -> float:
        """3/(c₄√n): limits of the mean are X̿ ± A₃S̄."""
    @property
    def B3(self) -> float:
        """Lower limit of the standard deviation: B₃S̄."""
    @property
    def B4(self) -> float:
        """Upper limit of the standard deviation: B₄S̄."""
    @property
    def B5(self) -> float:
        """Lower limit of the standard deviation when σ is known: B₅σ."""
    @property
    def B6(self) -> float:
        """Upper limit of the standard deviation when σ is known: B₆σ."""
    @property
    def D3(self) -> float:
        """Lower limit of the range: D₃R̄."""
    @property
    def D4(self) -> float:
        """Upper limit of the range: D₄R̄."""
    @property
    def E2(self) -> float:
        """3/d₂: limits of individual values are X̄ ± E₂R̄."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Moments:
    """Count, mean and higher moments of a sample, in twice the precision of a float.

    The moments of two parts merge to those of the whole, so the parts may be processed on different machines.

    Example:
        >>> import llmscope as ls
        >>> ls.moments([1.0, 2.0, 4.0]).merge(ls.moments([9.0])).mean
        4.0
    """

    @property
    def count(self) -> int:
        """Number of values."""
    @property
    def min(self) -> float | None:
        """Smallest value; ``None`` without data."""
    @property
    def max(self) -> float | None:
        """Largest value; ``None`` without data."""
    @property
    def mean(self) -> float | None:
        """Arithmetic mean; ``None`` without data."""
    @property
    def variance(self) -> float | None:
        """Sample variance with n − 1; ``None`` for fewer than two values."""
    @property
    def standard_deviation(self) -> float | None:
        """Sample standard deviation with n − 1; ``None`` for fewer than two values."""
    @property
    def skewness(self) -> float | None:
        """Skewness g₁ (Joanes & Gill 1998); ``None`` without variation."""
    @property
    def excess_kurtosis(self) -> float | None:
        """Excess kurtosis g₂ (Joanes & Gill 1998); ``None`` without variation."""
    def merge(self, other: Moments) -> Moments:
        """The moments of both samples combined."""
    def to_dict(self) -> dict[str, Any]:
        """The moments as a dictionary."""
    def to_json(self) -> str:
        """The moments as JSON."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Normality:
    """Anderson–Darling test of normality."""

    @property
    def anderson_darling(self) -> float:
        """The statistic A²."""
    @property
    def p(self) -> float:
        """Its p-value (Stephens 1986); small if the data are not normal."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class SinceRun:
    """The run with which a change begins."""

    @property
    def index(self) -> int:
        """Position of the run in the order of the runs, 0-based."""
    @property
    def interval(self) -> tuple[int, int]:
        """The 95 % interval of that position, ``(first, last)``."""
    @property
    def name(self) -> str:
        """The file of the run, with the line of its summary if a file holds several."""
    @property
    def t(self) -> str | None:
        """The time at which the run began, or the date of its summary (RFC 3339)."""
    @property
    def count(self) -> int:
        """The number of runs since, this one included."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Since:
    """Where a change is."""

    @property
    def index(self) -> int:
        """Position of the first value after the change, 0-based."""
    @property
    def t(self) -> str | None:
        """The time of that value (RFC 3339)."""
    @property
    def interval(self) -> tuple[int, int]:
        """The 95 % interval of the position, ``(first, last)``."""
    @property
    def run(self) -> SinceRun | None:
        """The run that begins there, if the change is one between runs."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Change:
    """One change of one part of a series."""

    @property
    def part(self) -> _Part:
        """``"level"``, ``"failures"``, ``"spread"`` or ``"slow_requests"``."""
    @property
    def direction(self) -> _Direction:
        """``"worse"``, ``"better"`` or ``"unknown"``, which counts as worse."""
    @property
    def since(self) -> Since:
        """Where the change is."""
    @property
    def ratio(self) -> float | None:
        """The quotient of the values after and before the change, if all values are positive."""
    @property
    def difference(self) -> float | None:
        """The difference of the values after and before the change, if there is no quotient."""
    @property
    def interval(self) -> _Interval | None:
        """The 95 % interval of the quotient or of the difference, ``(lower, upper)``."""
    @property
    def before(self) -> float:
        """The median before the change, or the share of failed requests."""
    @property
    def after(self) -> float:
        """The median after the change, or the share of failed requests."""
    @property
    def p(self) -> float:
        """The probability of so clear a change in this part of this series if nothing changed."""
    @property
    def p_call(self) -> float:
        """The same for the whole call."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class LoadChange:
    """A change of the token counts of the requests: the load, not the server."""

    @property
    def name(self) -> str:
        """``"input_tokens"`` or ``"output_tokens"``."""
    @property
    def index(self) -> int:
        """Position of the first measurement after the change, 0-based."""
    @property
    def t(self) -> str | None:
        """The time of that measurement (RFC 3339)."""
    @property
    def ratio(self) -> float:
        """The quotient of the counts after and before the change."""
    @property
    def p(self) -> float:
        """The probability of so clear a change if the counts never changed."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class FailureCount:
    """A kind of failure and how often it occurred."""

    @property
    def label(self) -> str:
        """What failed."""
    @property
    def count(self) -> int:
        """The number of such failures."""
    @property
    def example(self) -> str | None:
        """The message of the first such failure."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class FailedRuns:
    """How failed requests are distributed over runs of which only summaries are known."""

    @property
    def count(self) -> int:
        """The number of runs whose failures are known."""
    @property
    def with_failures(self) -> int:
        """The number of runs with a failed request."""
    @property
    def all_failed(self) -> int:
        """The number of runs in which every request failed."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Failures:
    """The failed requests of a series."""

    @property
    def count(self) -> int:
        """The number of failed requests."""
    @property
    def requests(self) -> int:
        """The number of all requests."""
    @property
    def share(self) -> float:
        """The share of failed requests."""
    @property
    def last_in_a_row(self) -> int:
        """The number of failed requests in a row at the end."""
    @property
    def kinds(self) -> list[FailureCount]:
        """The kinds of failures, the most frequent ones first."""
    @property
    def runs(self) -> FailedRuns | None:
        """The runs with failures, if each value summarizes a run."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class SlowRequests:
    """Single requests that are far slower than the others of their stage."""

    @property
    def count(self) -> int:
        """The number of slow requests."""
    @property
    def index(self) -> int:
        """Position of the slowest one among the measurements, 0-based."""
    @property
    def t(self) -> str | None:
        """Its time (RFC 3339)."""
    @property
    def slowest(self) -> float:
        """The slowest value, in the unit of the metric."""
    @property
    def median(self) -> float:
        """The median of its stage."""
    @property
    def p(self) -> float:
        """The probability of so slow a request if the logarithms are normal about the level of their stage."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class RunsJudged:
    """The verdict between the runs of a series."""

    @property
    def count(self) -> int:
        """The number of runs."""
    @property
    def need(self) -> int | None:
        """If there are too few runs for a verdict between them, how many more are needed."""
    @property
    def p(self) -> float | None:
        """The probability of so clear a change of the run medians if the runs differ by chance only."""
    @property
    def last(self) -> float | None:
        """The level of the last run."""
    @property
    def limits(self) -> tuple[float, float] | None:
        """The limits that the other runs predict for the last one, ``(lower, upper)``."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Arm:
    """The measurements of one side of a gate."""

    @property
    def source(self) -> list[str]:
        """The files or names of the data."""
    @property
    def n(self) -> int:
        """The number of measurements."""
    @property
    def excluded(self) -> Excluded:
        """The numbers of requests that are left out."""
    @property
    def effective(self) -> float:
        """The number of independent measurements that carry the same information about the typical one."""
    @property
    def quantiles(self) -> Quantiles | None:
        """Quantiles."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Certificate:
    """Whether the requests of a run meet an objective, at a known chance of a wrong answer."""

    @property
    def objective(self) -> str:
        """The objective: ``"ttft.p99=500ms"``, ``"errors=1%"``."""
    @property
    def status(self) -> Literal["met", "missed", "cannot_tell"]:
        """``"met"``, ``"missed"`` or ``"cannot_tell"``."""
    @property
    def alpha(self) -> float:
        """The chance that an answer is wrong."""
    @property
    def observed(self) -> float | None:
        """The share of the requests that failed or exceeded the limit; ``None`` without requests."""
    @property
    def bound(self) -> float | None:
        """The one-sided bound of the share: the lower one if more than the allowed share was observed, otherwise the
        upper one. ``None`` for fewer than 20 effective requests.
        """
    @property
    def n(self) -> int:
        """The number of requests; for a quantile, of successful ones."""
    @property
    def effective(self) -> float:
        """The number of independent requests with the same information."""
    @property
    def runs(self) -> int:
        """The number of runs."""
    @property
    def need(self) -> int | None:
        """How many more requests would decide, if the objective is undecided."""
    @property
    def text(self) -> str:
        """The answer as one sentence."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Comparison:
    """One figure of the candidate, compared with the baseline's. An open end of an interval is ``None``."""

    @property
    def statistic(self) -> str:
        """The figure: ``"typical"``, ``"p95"``, ``"error_rate"``, ``"missed_objective"``."""
    @property
    def baseline(self) -> float | None:
        """The baseline's value."""
    @property
    def candidate(self) -> float | None:
        """The candidate's value."""
    @property
    def shift(self) -> float | None:
        """candidate/baseline − 1; ``None`` for shares."""
    @property
    def shift_interval(self) -> _OpenInterval | None:
        """The interval of the true shift, ``(lower, upper)``."""
    @property
    def difference(self) -> float | None:
        """candidate − baseline."""
    @property
    def difference_interval(self) -> _OpenInterval | None:
        """The interval of the true difference, ``(lower, upper)``."""
    @property
    def allowed(self) -> float:
        """The largest allowed shift (negative if less is worse), or the largest allowed difference of a share."""
    @property
    def level(self) -> float:
        """The probability that an end of the interval is wrong."""
    @property
    def decision(self) -> Literal["worse", "not_worse", "cannot_tell", "not_enough_data"]:
        """``"worse"``, ``"not_worse"``, ``"cannot_tell"`` or ``"not_enough_data"``."""
    @property
    def p(self) -> float | None:
        """For failed requests, the p-value of Fisher's exact test, if more requests failed than allowed."""
    @property
    def minimal_detectable(self) -> float | None:
        """The smallest change that data like these detect as worse four times out of five."""
    @property
    def need(self) -> int | None:
        """The approximate number of requests per side for a decision."""
    @property
    def need_runs(self) -> int | None:
        """The number of runs per side for a decision, if no number of requests is enough."""
    @property
    def reason(self) -> str | None:
        """The reason for a missing interval."""
    @property
    def change(self) -> str:
        """The change with its interval as text: ``"+12 % [8 %, 17 %]"``."""
    @property
    def advice(self) -> str:
        """For an undecided comparison, what would decide it; otherwise empty."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class GatePair:
    """One metric of one group on both sides of a gate. Properties that do not apply are ``None``."""

    @property
    def group(self) -> dict[str, str]:
        """The names and values that the baseline's requests have in common."""
    @property
    def candidate_group(self) -> dict[str, str] | None:
        """Those of the candidate's requests, if they differ."""
    @property
    def metric(self) -> str:
        """The metric or column."""
    @property
    def unit(self) -> str:
        """Its unit: ``"s"``, ``"s/token"``, ``"1/s"``, …"""
    @property
    def less_is_worse(self) -> bool:
        """True for a metric of which less is worse, such as tokens per second."""
    @property
    def direction(self) -> Literal["lower_is_better", "higher_is_better", "unknown"]:
        """``"lower_is_better"``, ``"higher_is_better"`` or ``"unknown"``: then a shift in either direction is worse."""
    @property
    def direction_from(self) -> Literal["metric", "user", "tool", "name", "unknown"]:
        """The source of the direction: ``"metric"``, ``"user"``, ``"tool"``, ``"name"`` (a guess) or ``"unknown"``."""
    @property
    def baseline(self) -> Arm:
        """The baseline."""
    @property
    def candidate(self) -> Arm:
        """The candidate."""
    @property
    def comparisons(self) -> list[Comparison]:
        """The comparisons."""
    @property
    def failures(self) -> list[FailureCount]:
        """The kinds of the candidate's failures, the most frequent ones first."""
    @property
    def since(self) -> Since | None:
        """Where a candidate that is worse changed while it was measured."""
    @property
    def since_text(self) -> str | None:
        """What changed there, as one sentence."""
    @property
    def objective(self) -> float | None:
        """The objective of this metric, in its unit."""
    @property
    def warnings(self) -> list[str]:
        """Warnings: what to know before you trust the numbers."""
    @property
    def runs(self) -> dict[str, Any] | None:
        """The number of runs of each side and how much they differ, as a dictionary."""
    @property
    def load(self) -> dict[str, Any] | None:
        """The token counts of both sides, as a dictionary."""
    @property
    def rank_test(self) -> dict[str, Any] | None:
        """Mann and Whitney's test, as a dictionary of ``u``, ``superiority`` and ``p``."""
    @property
    def chart(self) -> dict[str, Any] | None:
        """The candidate on the baseline's frozen control chart, as a dictionary. For information only."""
    @property
    def scope(self) -> str:
        """The number of measurements of each side, with their sources."""
    @property
    def facts(self) -> list[str]:
        """Facts as sentences: failures, runs, load, the candidate's own change, rank test, frozen chart."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Gate:
    """Whether a candidate is worse than a baseline, and the comparisons behind the verdict. Returned by :func:`gate`.

    A notebook displays it as a picture of the intervals against the allowed change.
    """

    @property
    def schema(self) -> str:
        """The schema version of :meth:`to_json`: ``"llmscope.gate/2"``."""
    @property
    def verdict(self) -> Literal["pass", "fail", "not_enough_data"]:
        """``"pass"``, ``"fail"`` or ``"not_enough_data"``."""
    @property
    def failing(self) -> bool:
        """True if the candidate fails more requests than allowed, or misses an objective for failed requests."""
    @property
    def headline(self) -> str:
        """The decisive comparison, in one line."""
    @property
    def alpha(self) -> float:
        """The chance of failing an unchanged candidate."""
    @property
    def family(self) -> int:
        """The number of comparisons that share alpha."""
    @property
    def level(self) -> float:
        """The probability that an end of an interval is wrong, for all figures but the typical request."""
    @property
    def pairs(self) -> list[GatePair]:
        """One pair for each group and metric."""
    @property
    def certificates(self) -> list[Certificate]:
        """Whether the candidate meets the objectives of a run."""
    @property
    def warnings(self) -> list[str]:
        """Groups and metrics that only one side has, and other warnings."""
    @property
    def label(self) -> str:
        """The verdict as text: ``"worse"``, ``"not worse"``, ``"failing"``, ``"not enough data to tell"``; without a
        baseline ``"met"`` or ``"missed"``.
        """
    @property
    def exit_status(self) -> int:
        """The exit status of the command line: 1 if the verdict is ``"fail"``, otherwise 0."""
    @property
    def promise(self) -> str:
        """The guarantee of the answer, in a few sentences."""
    def to_frame(self, backend: _Backend | None = None) -> Any:
        """One row per comparison: group, metric, statistic, the figures, the change with its interval, the decision.

        Args:
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise
                the first that is installed.
        """
    def to_svg(self) -> str:
        """The picture as SVG: each interval against the allowed change."""
    def save(self, path: _Path) -> None:
        """Writes the picture to a file whose name ends in ``.svg`` or ``.png``."""
    def _repr_html_(self) -> str: ...
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class ColumnReport:
    """A column of the data: what it means, the source of that meaning, and what was done with it."""

    @property
    def name(self) -> str:
        """Its name in the data."""
    @property
    def mapped_to(self) -> str | None:
        """The name that a mapping gives it."""
    @property
    def role(self) -> str:
        """What it holds: ``"duration"``, ``"rate"``, ``"label"``, ``"time"``, …"""
    @property
    def unit(self) -> str:
        """The unit of its numbers."""
    @property
    def unit_from(self) -> Literal["metric", "user", "tool", "name", "unknown"]:
        """The source of the unit: ``"metric"``, ``"user"``, ``"tool"``, ``"name"`` (a guess) or ``"unknown"``."""
    @property
    def direction(self) -> Literal["lower_is_better", "higher_is_better", "unknown"]:
        """``"lower_is_better"``, ``"higher_is_better"`` or ``"unknown"``."""
    @property
    def direction_from(self) -> Literal["metric", "user", "tool", "name", "unknown"]:
        """The source of the direction."""
    @property
    def used_as(self) -> Literal["judged", "group", "subgroup", "time", "tokens", "unused"]:
        """What was done with it: ``"judged"``, ``"group"``, ``"subgroup"``, ``"time"``, ``"tokens"`` or ``"unused"``."""
    @property
    def used(self) -> int | None:
        """The number of values that were judged."""
    @property
    def not_used(self) -> int | None:
        """The number of rows without a value that was judged: failed, missing, out of bounds."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Answer:
    """The answer about one metric of one group: what changed, since when, by how much, and how far to trust it.
    Properties that do not apply are ``None``.

    Positions of a change of the level or of the spread count measurements. Those of a change of the failure share
    count requests, failed ones included.

    Example:
        >>> import llmscope as ls
        >>> steady = [0.31, 0.29, 0.30, 0.32, 0.28] * 8
        >>> answer = ls.analyze(steady + [x + 0.1 for x in steady], metric="ttft_s").answer
        >>> answer.part, answer.direction, answer.since.index, round(answer.ratio, 2)
        ('level', 'worse', 40, 1.33)
    """

    @property
    def part(self) -> _Part | None:
        """The part that changed most: ``"level"``, ``"failures"``, ``"spread"`` or ``"slow_requests"``."""
    @property
    def direction(self) -> _Direction | None:
        """``"worse"``, ``"better"`` or ``"unknown"``, which counts as worse."""
    @property
    def since(self) -> Since | None:
        """Where the change is."""
    @property
    def ratio(self) -> float | None:
        """The quotient of the values after and before the change, if all values are positive."""
    @property
    def difference(self) -> float | None:
        """The difference of the values after and before the change, in the unit of the metric, if there is no
        quotient.
        """
    @property
    def interval(self) -> _Interval | None:
        """The 95 % interval of the quotient or of the difference, ``(lower, upper)``."""
    @property
    def p(self) -> float | None:
        """The probability of so clear a change in this part of this series if nothing changed."""
    @property
    def p_call(self) -> float | None:
        """The same for the whole call: at most alpha if the series changed."""
    @property
    def adjusted_for(self) -> list[str]:
        """The token counts for which the values were adjusted."""
    @property
    def load(self) -> list[LoadChange] | None:
        """Changes of the token counts, which are the load and not the server; ``None`` if no counts are known."""
    @property
    def events(self) -> list[str]:
        """Events of the session at the time of the change."""
    @property
    def changes(self) -> list[Change]:
        """All changes, in the order of the parts and of time."""
    @property
    def failures(self) -> Failures | None:
        """Failed requests."""
    @property
    def slow_requests(self) -> SlowRequests | None:
        """Single slow requests. They make a series changed only with ``spikes=True``."""
    @property
    def runs(self) -> RunsJudged | None:
        """The verdict between several runs."""
    @property
    def objectives(self) -> list[Certificate]:
        """Whether the requests meet the objectives of a run (``slo``)."""
    @property
    def goodput(self) -> dict[str, float]:
        """The share of all requests that succeeded within the objectives of a request (``slo``), by objective."""
    @property
    def effective_n(self) -> float | None:
        """The number of independent measurements with the same information."""
    @property
    def need(self) -> int | None:
        """If there are too few measurements for a verdict, how many more are needed."""
    @property
    def text(self) -> str:
        """The answer as one sentence."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class RankedAnswer:
    """The answer about one series, in the order of urgency."""

    @property
    def analysis(self) -> int:
        """The index of the analysis in the report."""
    @property
    def group(self) -> dict[str, str]:
        """The names and values that the group's requests have in common."""
    @property
    def metric(self) -> str:
        """The metric or column."""
    @property
    def verdict(self) -> _SeriesVerdict:
        """``"failing"``, ``"changed"``, ``"stable"`` or ``"not_enough_data"``."""
    @property
    def direction(self) -> _Direction | None:
        """``"worse"``, ``"better"`` or ``"unknown"``, which counts as worse."""
    @property
    def text(self) -> str:
        """The answer as one sentence."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Shift:
    """A shift that a CUSUM chart detected."""

    @property
    def began(self) -> int:
        """The first point after the sum was last 0: the estimated begin of the shift, 0-based."""
    @property
    def signal(self) -> int:
        """The point at which the sum passed the decision interval."""
    @property
    def side(self) -> _Side:
        """``"above"`` or ``"below"``."""
    @property
    def mean(self) -> float:
        """The mean as it is estimated at the signal."""
    @property
    def last(self) -> int:
        """The estimated last point of the shift, 0-based."""
    @property
    def level(self) -> float:
        """The mean of the measurements of the shift, from ``began`` to ``last``."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Patterns:
    """The patterns that the rules find on a chart. They are separate from the verdict on the series."""

    @property
    def verdict(self) -> Literal["in_control", "out_of_control", "not_enough_data"]:
        """``"in_control"``, ``"out_of_control"`` or ``"not_enough_data"``: whether a rule signals."""
    @property
    def rules(self) -> list[str]:
        """Codes of the applied rules."""
    @property
    def violations(self) -> list[Violation]:
        """Violations of the rules."""
    @property
    def shifts(self) -> list[Shift]:
        """On a CUSUM chart, the shifts behind the violations."""
    @property
    def false_alarm(self) -> float | None:
        """The share of stable series like this one in which these rules signal; ``None`` if the limits were requested."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Analysis:
    """Answer, chart, patterns and capability of one metric of one group. Properties that do not apply are ``None``.

    Returned by :func:`analyze`. A notebook displays it as answer, chart and report.
    """

    @property
    def source(self) -> list[str]:
        """The files or frames of the data."""
    @property
    def group(self) -> dict[str, str]:
        """The names and values that the group's requests have in common."""
    @property
    def metric(self) -> str:
        """The metric or column."""
    @property
    def unit(self) -> str:
        """Its unit: ``"s"``, ``"s/token"``, ``"1/s"``, …"""
    @property
    def n(self) -> int:
        """Number of measurements."""
    @property
    def excluded(self) -> Excluded:
        """The numbers of requests that the analysis leaves out."""
    @property
    def chart(self) -> str:
        """The kind of chart, such as ``"individuals"``."""
    @property
    def phase(self) -> int:
        """1: limits from these data; 2: limits from a previous study."""
    @property
    def mean(self) -> float | None:
        """Arithmetic mean, in the unit of the metric."""
    @property
    def median(self) -> float | None:
        """Median of the measurements, in the unit of the metric."""
    @property
    def power(self) -> float | None:
        """The power λ of the transformation of the measurements: 0 for the logarithm, ``None`` without a transformation.
        Sigma, capability, performance, normality and the dispersion chart then refer to the transformed measurements.
        Mean, median, quantiles, limits and observed ppm are in the unit of the metric.
        """
    @property
    def sigma(self) -> SigmaReport | None:
        """Within and overall sigma."""
    @property
    def limits(self) -> ControlLimits | None:
        """Control limits, in the unit of the metric."""
    @property
    def basis(self) -> Basis | None:
        """The stage from which limits, within sigma and capability come, and whose points the rules judge; ``None`` if the
        limits are those of all points, or were requested.
        """
    @property
    def stages(self) -> list[Stage]:
        """Stages with their own limits, if requested; a single one if no change of the level was detected. A detected
        change is a signal.
        """
    @property
    def verdict(self) -> _SeriesVerdict:
        """The verdict on the series: ``"failing"``, ``"changed"``, ``"stable"`` or ``"not_enough_data"``."""
    @property
    def answer(self) -> Answer:
        """The answer: what changed, since when, by how much, and how far to trust it."""
    @property
    def patterns(self) -> Patterns:
        """The patterns that the rules find on the chart."""
    @property
    def rules(self) -> list[str]:
        """Codes of the applied rules: short for ``patterns.rules``."""
    @property
    def violations(self) -> list[Violation]:
        """Violations of the rules: short for ``patterns.violations``."""
    @property
    def shifts(self) -> list[Shift]:
        """On a CUSUM chart, the shifts behind the violations: short for ``patterns.shifts``."""
    @property
    def need(self) -> int | None:
        """The number of points that a chart needs, if there are too few."""
    @property
    def dispersion(self) -> Dispersion | None:
        """The chart of the dispersion."""
    @property
    def specification(self) -> Specification | None:
        """Specification limits, in the unit of the metric."""
    @property
    def capability(self) -> Capability | None:
        """Capability indices, from the within sigma."""
    @property
    def performance(self) -> Performance | None:
        """Performance indices, from the overall sigma."""
    @property
    def non_normal(self) -> dict[str, Any] | None:
        """Performance without the assumption of a normal distribution, as a dictionary: ``fits``, ``box_cox``,
        ``empirical``, and which of them the data support (``supported``).
        """
    @property
    def confidence(self) -> float | None:
        """Level of the confidence intervals."""
    @property
    def observed_ppm(self) -> float | None:
        """Measurements outside the specification limits, per million."""
    @property
    def expected_ppm(self) -> ExpectedPpm | None:
        """Expected share outside the specification limits for a normal distribution, per million."""
    @property
    def normality(self) -> Normality | None:
        """Anderson–Darling test of normality."""
    @property
    def autocorrelation(self) -> float | None:
        """Lag-1 autocorrelation; with a basis, that of ranks within the stages."""
    @property
    def quantiles(self) -> Quantiles | None:
        """Quantiles."""
    @property
    def warnings(self) -> list[str]:
        """Warnings about the validity of the numbers."""
    @property
    def judgement(self) -> Judgement | None:
        """The chart with its rules and signals; ``None`` without enough data."""
    def to_dict(self) -> dict[str, Any]:
        """The analysis as a dictionary, as in the report of the command line."""
    def to_json(self) -> str:
        """The analysis as JSON, as in the report of the command line."""
    def to_frame(self, backend: _Backend | None = None) -> Any:
        """One row with the main numbers.

        Args:
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
                first that is installed.
        """
    def to_svg(self) -> str:
        """The control chart as SVG."""
    def save(self, path: _Path) -> None:
        """Writes the control chart to a file whose name ends in ``.svg`` or ``.png``."""
    def plot(self, ax: Any = None) -> Any:
        """Draws the control chart with matplotlib.

        Args:
            ax: The axes to draw on; new ones by default.

        Returns:
            The axes.

        Raises:
            NotEnoughDataError: If there are too few data for a chart.
        """
    def to_plotly(self) -> Any:
        """The control chart as a plotly figure.

        Raises:
            NotEnoughDataError: If there are too few data for a chart.
        """
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...
    def _repr_html_(self) -> str: ...

@final
class Report:
    """A report: one analysis per group and metric, in order of appearance, and the answers in the order of urgency.

    A sequence: ``report[0]``, ``len(report)``, ``for analysis in report``.
    """

    @property
    def analyses(self) -> list[Analysis]:
        """The analyses."""
    @property
    def answers(self) -> list[RankedAnswer]:
        """The answers, the most urgent one first: failing series, changes for the worse by size, changes for the better,
        stable series, and those without enough data.
        """
    @property
    def columns(self) -> list[ColumnReport]:
        """What each column of the data means, and what was done with it."""
    def explain(self, backend: _Backend | None = None) -> Any:
        """What each column of the data means as a data frame, one row per column: ``analyze --explain`` of the command line.

        Args:
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
                first that is installed.
        """
    @property
    def headline(self) -> str:
        """The result of the call as one sentence."""
    @property
    def alpha(self) -> float:
        """The chance that the call reports a change of any series if nothing changed."""
    @property
    def comparisons(self) -> int:
        """The number of series that share alpha."""
    @property
    def decided_by(self) -> Literal["changes", "rules"]:
        """What decides the exit status of the command line: ``"changes"``, or ``"rules"`` with ``phase1``, ``baseline`` or
        ``center``.
        """
    @property
    def studies(self) -> list[Study]:
        """One study per metric over several runs, if the analyses are grouped by session."""
    @property
    def is_in_control(self) -> bool:
        """True if the rules find no analysis and no study out of control. A series in control may have changed."""
    def to_dict(self) -> dict[str, Any]:
        """The report as a dictionary (``llmscope.report/2``), as the command line writes it."""
    def to_json(self) -> str:
        """The report as JSON (``llmscope.report/2``), as the command line writes it."""
    def to_frame(self, backend: _Backend | None = None) -> Any:
        """One row per analysis: group, metric, ``verdict``, ``answer``, the rules' verdict (``patterns``) and the main
        numbers. Groups of a frame's numbers are numbers here, so that the rows join those of the frame.

        Args:
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
                first that is installed.
        """
    def save_baseline(self, path: _Path) -> None:
        """Saves the limits of these studies to a file, for ``analyze(…, baseline=path)`` and the command line.

        Raises:
            NotEnoughDataError: If no study has limits.
            FileError: If the file cannot be written.
        """
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Analysis: ...
    def __iter__(self) -> Iterator[Analysis]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...
    def _repr_html_(self) -> str: ...

@final
class Run:
    """One run of a study."""

    @property
    def name(self) -> str:
        """The session's name."""
    @property
    def n(self) -> int:
        """Number of its measurements."""
    @property
    def mean(self) -> float:
        """Their mean."""
    @property
    def sigma(self) -> float | None:
        """Their standard deviation."""
    @property
    def out(self) -> bool:
        """True if the mean is outside the limits of the run means."""
    @property
    def beyond_within(self) -> bool:
        """True if the mean is further from the center than the run's own requests explain: outside the limits of an X̄
        chart.
        """
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Component:
    """A component of variance."""

    @property
    def variance(self) -> float:
        """The variance."""
    @property
    def sigma(self) -> float:
        """Its square root, in the unit of the metric."""
    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval of the square root."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Study:
    """One metric over several runs: variance components, capability within the runs and in total, and the runs that
    are out of control. Properties that do not apply are ``None``.
    """

    @property
    def group(self) -> dict[str, str]:
        """The names and values that all runs have in common."""
    @property
    def metric(self) -> str:
        """The metric or column."""
    @property
    def runs(self) -> list[Run]:
        """The runs, in order of time if known."""
    @property
    def n(self) -> int:
        """Number of measurements of all runs."""
    @property
    def mean(self) -> float:
        """Mean of all measurements."""
    @property
    def within(self) -> Component:
        """Variance within the runs."""
    @property
    def between(self) -> Component:
        """Variance between the runs; 0 if its estimate is negative."""
    @property
    def total(self) -> Component:
        """Total variance of a single measurement from any run."""
    @property
    def between_share(self) -> float | None:
        """Share of the total variance that is between the runs."""
    @property
    def limits(self) -> ControlLimits | None:
        """Limits of the run means, from their moving ranges; ``None`` for fewer than 5 runs."""
    @property
    def violations(self) -> list[Violation]:
        """Violations on the chart of the run means: positions in ``runs``."""
    @property
    def verdict(self) -> Literal["in_control", "out_of_control", "not_enough_data"]:
        """``"in_control"``, ``"out_of_control"`` or ``"not_enough_data"``: the verdict on the run means."""
    @property
    def capability(self) -> Capability | None:
        """Capability indices, from the within-run sigma."""
    @property
    def performance(self) -> Performance | None:
        """Performance indices, from the total sigma."""
    @property
    def lag1(self) -> float | None:
        """Lag-1 autocorrelation within the runs."""
    @property
    def warnings(self) -> list[str]:
        """Warnings about the validity of the numbers."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Excluded:
    """Requests that an analysis leaves out."""

    @property
    def failed(self) -> int:
        """Failed requests, which have no latency."""
    @property
    def warmup(self) -> int:
        """Warm-up requests."""
    @property
    def missing(self) -> int:
        """Requests without this metric."""
    @property
    def not_positive(self) -> int:
        """Requests whose value is not positive and cannot be transformed."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class SigmaReport:
    """Within and overall sigma."""

    @property
    def within(self) -> float | None:
        """The within sigma of the limits."""
    @property
    def estimator(self) -> str | None:
        """Name of its estimator."""
    @property
    def overall(self) -> float | None:
        """The sample standard deviation."""
    @property
    def inflation(self) -> float | None:
        """Laney's σ_z: variation relative to the binomial or Poisson distribution."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class ChangePoint:
    """A change of the level, with its size between the two neighboring stages."""

    @property
    def at(self) -> int:
        """Position of the first value after the change, 0-based."""
    @property
    def z(self) -> float:
        """The standardized rank sum statistic of the values before and after the change."""
    @property
    def p(self) -> float:
        """An upper bound of the probability of so clear a change anywhere if the level never changes."""
    @property
    def contrast(self) -> Literal["ratio", "difference"]:
        """``"ratio"`` if all values are positive, otherwise ``"difference"``."""
    @property
    def size(self) -> float:
        """The size: the median of the contrasts of all pairs of values across the change (Hodges & Lehmann 1963). A
        ratio has no unit; a difference has that of the values.
        """
    @property
    def interval(self) -> _Interval | None:
        """The interval of the size, ``(lower, upper)``; ``None`` if the stages are too short for the confidence."""
    @property
    def before(self) -> float:
        """Median of the stage before the change, in the unit of the values."""
    @property
    def after(self) -> float:
        """Median of the stage after the change, in the unit of the values."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Stage:
    """A stage: a range of points with its own limits."""

    @property
    def first(self) -> int:
        """Position of its first point, 0-based."""
    @property
    def last(self) -> int:
        """Position of its last point."""
    @property
    def t(self) -> str | None:
        """Time of its first point (RFC 3339)."""
    @property
    def mean(self) -> float:
        """Mean of its measurements, or of the plotted points for counts and subgroup means."""
    @property
    def p(self) -> float | None:
        """For a detected change, an upper bound of the probability of so clear a change anywhere if the level never
        changes.
        """
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Basis:
    """The stage from which limits, within sigma and capability come by default, without its outliers."""

    @property
    def first(self) -> int:
        """Position of its first point, 0-based."""
    @property
    def last(self) -> int:
        """Position of its last point."""
    @property
    def t(self) -> str | None:
        """Time of its first point (RFC 3339)."""
    @property
    def n(self) -> int:
        """The number of measurements, without the outliers."""
    @property
    def outliers(self) -> int:
        """The number of outliers. The rules judge them, but they do not affect the limits."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Quantiles:
    """Quantiles by Hyndman and Fan's method 7, in the unit of the metric."""

    @property
    def p50(self) -> float:
        """The median."""
    @property
    def p90(self) -> float:
        """The 90th percentile."""
    @property
    def p95(self) -> float:
        """The 95th percentile."""
    @property
    def p99(self) -> float:
        """The 99th percentile."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Dispersion:
    """The chart of the dispersion that accompanies a chart of the level."""

    @property
    def chart(self) -> str:
        """``"moving-range"``, ``"range"`` or ``"standard-deviation"``."""
    @property
    def limits(self) -> ControlLimits:
        """Its control limits."""
    @property
    def rules(self) -> list[str]:
        """Codes of the applied rules, which use no zones."""
    @property
    def violations(self) -> list[Violation]:
        """Violations of the rules."""
    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary, without those that do not apply."""
    def to_json(self) -> str:
        """The fields as JSON. Numbers round-trip exactly."""
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Session:
    """One recorded run of requests.

    Example:
        >>> import llmscope as ls
        >>> session = ls.Session.from_json('''{"schema": "llmscope.session/1", "provider": "vllm",
        ...     "records": [{"ttft_s": 0.31, "e2e_s": 2.1}, {"status": "timeout"}]}''')
        >>> len(session), session.provider, session.metric("ttft_s").tolist()
        (2, 'vllm', [0.31, nan])
    """

    @staticmethod
    def from_json(text: str) -> Session:
        """Reads a session from its JSON document or JSON Lines.

        Raises:
            FormatError: With line and field, the problem and a fix.
        """
    @property
    def name(self) -> str | None:
        """A name for the run."""
    @property
    def description(self) -> str | None:
        """The purpose of the run, in a sentence."""
    @property
    def started_at(self) -> datetime | None:
        """When the first request was issued, in UTC."""
    @property
    def provider(self) -> str | None:
        """The provider (OpenTelemetry: ``gen_ai.provider.name``)."""
    @property
    def model(self) -> str | None:
        """The requested model (OpenTelemetry: ``gen_ai.request.model``)."""
    @property
    def labels(self) -> dict[str, str]:
        """Settings of the run and labels to group by."""
    @property
    def simulated(self) -> bool:
        """True if the run used a simulated endpoint."""
    @property
    def environment(self) -> dict[str, Any] | None:
        """The machine of the client, as a dictionary."""
    def metric(self, name: str, *, warmup: bool = False) -> NDArray[np.float64]:
        """The values of a metric, one per request, NaN where it is absent. Shape (n,), in the metric's unit.

        Warm-up requests are left out, as in every analysis.

        Args:
            name: ``"ttft_s"``, ``"e2e_s"``, ``"tpot_s"``, ``"output_tokens_per_s"``, ``"error_rate"``, … or an
                attribute from the recording tool.
            warmup: True to keep the warm-up requests.

        Raises:
            UnknownNameError: If no request has such a value.
        """
    @property
    def events(self) -> list[dict[str, Any]]:
        """Events during the run, as dictionaries of ``at`` and ``message``."""
    @property
    def client_health(self) -> dict[str, Any] | None:
        """The client's report on itself at the end of the run, as a dictionary: whether its times are those of the
        endpoint or contain its own delays.
        """
    def summary(self, *, slo: str | None = None) -> dict[str, Any]:
        """A summary of the run, as a dictionary: requests, failures by kind, rates, tokens, cost, and the distribution of
        each metric (mean, p50, p90, p95, p99, max). Warm-up requests are left out.

        Args:
            slo: Objectives for goodput: ``"ttft=500ms,tpot=50ms,e2e=10s"``.

        Raises:
            ParameterError: If the objectives are invalid.
        """
    def to_dict(self) -> dict[str, Any]:
        """The session as a dictionary."""
    def to_json(self) -> str:
        """The session as one JSON document."""
    def to_json_lines(self) -> str:
        """The session as JSON Lines, the format to which a recorder appends."""
    def save(self, path: _Path) -> None:
        """Writes the session to a file: JSON Lines if its name ends in ``.jsonl``, otherwise one JSON document.

        Raises:
            FileError: If the file cannot be written.
        """
    def to_frame(self, backend: _Backend | None = None) -> Any:
        """One row per request. Fields that no request has are left out.

        Args:
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
                first that is installed.
        """
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[str, str]]: ...

@final
class Log:
    """A log of a tool, recognized by its content: requests, or a table of columns."""

    @property
    def source(self) -> str:
        """The name of the file as given."""
    @property
    def tool(self) -> str:
        """The tool that wrote it: ``"llmscope"``, ``"llmperf"``, ``"jsonl"``, ``"csv"``, …"""
    @property
    def warnings(self) -> list[str]:
        """Problems that did not prevent reading."""
    @property
    def session(self) -> Session | None:
        """The requests; ``None`` for a table of columns whose meaning only their names indicate."""
    def to_frame(self, backend: _Backend | None = None) -> Any:
        """One row per request or line.

        Args:
            backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
                first that is installed.
        """
    def __len__(self) -> int: ...
