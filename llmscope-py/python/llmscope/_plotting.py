"""Draws the chart of a judgement with matplotlib and plotly. Imported on first use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from llmscope import Judgement

    # The first point after a change of the level, its label and its color.
    _Change = tuple[int, str, str]

# One color per rule, distinguishable for color-blind readers (Okabe & Ito 2008, darkened), as in the core's drawing.
RULE_COLORS = ("#d1242f", "#0072b2", "#e08e00", "#7b3fb5", "#009e73", "#c2508f", "#8a5a00", "#2b8fb8")
ZONES = ((3.0, "#fde8e4"), (2.0, "#fdf6dc"), (1.0, "#e6f4ea"))
POINTS, LOWER, CENTER, LIMITS = "#475569", "#0072b2", "#1a7f37", "#b42318"
VERDICTS = {True: ("in control", "#1a7f37"), False: ("out of control", "#d1242f")}
# The height of a label and the width of its characters in points, and the columns of a legend.
LABEL_HEIGHT, CHARACTER, LEGEND_COLUMNS = 11.0, 5.6, 4
# The height of a row of a legend in points.
LEGEND_ROW = 15.0


class _Picture:
    """The data that both libraries draw: lines with one value per point, gaps as NaN, the signals of each rule."""

    def __init__(self, judgement: Judgement) -> None:
        chart = judgement.chart
        if chart is None:
            raise TypeError("a judgement of bare points has no chart: judge a chart to draw one")
        n = len(chart)
        # A moving range is at the position of its later measurement.
        self.x = np.arange(n) if chart.positions is None else np.asarray(chart.positions)
        self.points = np.asarray(chart.points)
        limits = chart.limits
        self.limits = limits
        self.lower, self.center, self.upper = (
            np.broadcast_to(np.asarray(line, dtype=float), n) for line in (limits.lower, limits.center, limits.upper)
        )
        # A gap in the data is a gap in the line between the points.
        self.line_x = np.insert(self.x.astype(float), chart.breaks, np.nan)
        self.line_y = np.insert(self.points, chart.breaks, np.nan)
        # The lower sums of a CUSUM chart, next to the upper ones.
        lower = chart.lower_points
        self.lower_line_y = None if lower is None else np.insert(np.asarray(lower), chart.breaks, np.nan)
        # The sum beyond its limit is the one that signals.
        self.signalling = self.points if lower is None else np.where(lower < self.lower, lower, self.points)
        # A difference that labels of the lines show.
        self.resolution = float(self.upper[-1] - self.lower[-1]) / 60 if n else 0.0
        self.signals = [
            (code, RULE_COLORS[i % len(RULE_COLORS)], np.flatnonzero(judgement.signals_of(code)))
            for i, code in enumerate(judgement.rules.codes)
        ]

    def zone(self, multiple: float) -> tuple[Any, Any]:
        """Lower and upper edge of a zone, within the drawn limits."""
        low, high = self.limits.zone_edge(-multiple), self.limits.zone_edge(multiple)
        return np.maximum(low, self.lower), np.minimum(high, self.upper)


def matplotlib_axes(
    judgement: Judgement, title: str | None, label: str | None, ax: Any, change: _Change | None = None
) -> Any:
    """Draws on ``ax``, or on new axes; returns them."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    picture = _Picture(judgement)
    if ax is None:
        _, ax = plt.subplots(figsize=(11, 4.5), layout="constrained")
    for multiple, color in ZONES:
        low, high = picture.zone(multiple)
        ax.fill_between(picture.x, low, high, color=color, step="mid", linewidth=0)
    lines = (("UCL", picture.upper, LIMITS, "--"), ("CL", picture.center, CENTER, "-"), ("LCL", picture.lower, LIMITS, "--"))
    for _, line, color, dash in lines:
        ax.step(picture.x, line, where="mid", color=color, linestyle=dash, linewidth=1.2)
    marker = "o" if len(picture.x) <= 400 else None
    ax.plot(picture.line_x, picture.line_y, color=POINTS, linewidth=1, marker=marker, markersize=3)
    if picture.lower_line_y is not None:
        ax.plot(picture.line_x, picture.lower_line_y, color=LOWER, linewidth=1, marker=marker, markersize=3)
    for i, (code, color, at) in enumerate(picture.signals):
        if len(at):
            # If several rules signal at a point, the first of them is visible.
            style = {"facecolors": "none", "edgecolors": color, "linewidths": 1.6, "s": 60, "zorder": 4 - i / 32}
            ax.scatter(picture.x[at], picture.signalling[at], label=f"{code} ({len(at)})", **style)
    ax.set_title(title or (judgement.chart.kind if judgement.chart else ""))
    verdict, color = VERDICTS[judgement.is_in_control]
    ax.set_title(verdict, loc="right", color=color, fontsize="medium")
    ax.set_xlabel("point, in order of time")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if label:
        ax.set_ylabel(label)
    ax.margins(x=0.01)
    _add_legend(ax, picture, change)
    _label_lines(ax, [(name, float(line[-1]), color) for name, line, color, _ in lines], picture.resolution)
    return ax


def _add_legend(ax: Any, picture: _Picture, change: _Change | None) -> None:
    """A legend of the rules and a mark of the change inside the axes, above the data: the axis of values is extended."""
    handles, labels = ax.get_legend_handles_labels()
    rows = math.ceil(len(handles) / LEGEND_COLUMNS)
    if not rows and change is None:
        return
    low, high = ax.get_ylim()
    # The height of a row and of the frame, as shares of the axes.
    height = ax.bbox.height * 72 / ax.figure.dpi
    share = min(0.5, (6 + LEGEND_ROW * (rows + (change is not None))) / height)
    ax.set_ylim(low, low + (high - low) / (1 - share))
    if change is not None:
        _mark_change(ax, picture, change, 4 + LEGEND_ROW * rows)
    if not handles:
        return
    style = {"loc": "upper left", "frameon": False, "fontsize": "small", "borderaxespad": 0.2, "columnspacing": 1.2}
    ax.legend(handles, labels, ncols=LEGEND_COLUMNS, **style)


def _mark_change(ax: Any, picture: _Picture, change: _Change, below: float) -> None:
    """A line before the first point after the change; its label is ``below`` points below the upper edge."""
    point, label, color = change
    at = float(picture.x[point]) - 0.5
    is_late = point > len(picture.x) / 2
    ax.axvline(at, color=color, linewidth=1.6)
    style = {"color": color, "fontsize": "small", "fontweight": "bold", "ha": "right" if is_late else "left", "va": "top"}
    position = {"xy": (at, 1), "xycoords": ("data", "axes fraction"), "xytext": (-4 if is_late else 4, -below)}
    ax.annotate(label, **position, textcoords="offset points", **style)


def _label_lines(ax: Any, lines: list[tuple[str, float, str]], resolution: float) -> None:
    """The name and value of each line after its end, inside the axes, where no layout cuts them off.

    The axis of time is extended for the labels, and labels of close lines are moved apart.
    """
    texts = {name: f"{name} {_number(value, resolution)}" for name, value, _ in lines}
    points = 72 / ax.figure.dpi
    (start, end), (low, high) = ax.get_xlim(), ax.get_ylim()
    width, height = ax.bbox.width * points, ax.bbox.height * points
    share = min(0.5, (10 + CHARACTER * max(map(len, texts.values()))) / width)
    ax.set_xlim(start, start + (end - start) / (1 - share))
    lowest = -math.inf
    # Of lines at the same value, the upper one has the upper label.
    for name, value, color in sorted(reversed(lines), key=lambda line: line[1]):
        at = (value - low) / (high - low) * height
        lowest = max(at, lowest + LABEL_HEIGHT)
        style = {"color": color, "fontsize": "small", "ha": "right", "va": "center"}
        position = {"xy": (1, value), "xycoords": ("axes fraction", "data"), "xytext": (-4, lowest - at)}
        ax.annotate(texts[name], **position, textcoords="offset points", **style)


def _number(value: float, resolution: float) -> str:
    """Four significant digits, or more if needed to distinguish values that differ by ``resolution``."""
    if value == 0 or not 1e-4 <= abs(value) < 1e7:
        return f"{value:.4g}"
    decimals = 3 - math.floor(math.log10(abs(value)))
    resolving = -math.floor(math.log10(resolution)) if resolution > 0 else 0
    return f"{value:.{min(max(decimals, resolving, 0), 9)}f}"


def plotly_figure(judgement: Judgement, title: str | None, change: _Change | None = None) -> Any:
    """A figure with hover texts and zoom."""
    import plotly.graph_objects as go

    picture = _Picture(judgement)
    figure = go.Figure()

    def line(y: Any, name: str, color: str, dash: str) -> None:
        style = {"color": color, "dash": dash, "width": 1.3, "shape": "hvh"}
        figure.add_trace(go.Scatter(x=picture.x, y=y, name=name, mode="lines", line=style))

    for multiple, color in ZONES:
        low, high = picture.zone(multiple)
        hidden = {"mode": "lines", "line": {"width": 0, "shape": "hvh"}, "hoverinfo": "skip", "showlegend": False}
        figure.add_trace(go.Scatter(x=picture.x, y=low, **hidden))
        figure.add_trace(go.Scatter(x=picture.x, y=high, fill="tonexty", fillcolor=color, **hidden))
    line(picture.upper, "UCL", LIMITS, "dash")
    line(picture.center, "CL", CENTER, "solid")
    line(picture.lower, "LCL", LIMITS, "dash")
    mode = "lines+markers" if len(picture.x) <= 400 else "lines"
    style = {"color": POINTS, "width": 1}
    figure.add_trace(go.Scatter(x=picture.line_x, y=picture.line_y, name="points", mode=mode, line=style))
    if picture.lower_line_y is not None:
        style = {"color": LOWER, "width": 1}
        figure.add_trace(go.Scatter(x=picture.line_x, y=picture.lower_line_y, name="lower sums", mode=mode, line=style))
    for code, color, at in reversed(picture.signals):
        if len(at):
            marker = {"symbol": "circle-open", "size": 11, "color": color, "line": {"width": 2}}
            y = picture.signalling[at]
            trace = go.Scatter(x=picture.x[at], y=y, name=f"{code} ({len(at)})", mode="markers", marker=marker)
            figure.add_trace(trace)
    if change is not None:
        point, label, color = change
        figure.add_vline(
            float(picture.x[point]) - 0.5,
            line={"color": color, "width": 1.6},
            annotation={"text": label, "font": {"color": color}, "yref": "paper", "y": 1, "yanchor": "bottom"},
        )
    figure.update_layout(
        title=title or None,
        template="plotly_white",
        xaxis_title="point, in order of time",
        legend_traceorder="reversed",
    )
    return figure
