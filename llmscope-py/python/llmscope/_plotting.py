"""Draws the chart of a judgement with matplotlib and plotly. Imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from llmscope import Judgement

# One color per rule, distinguishable for color-blind readers (Okabe & Ito 2008, darkened), as in the core's drawing.
RULE_COLORS = ("#d1242f", "#0072b2", "#e08e00", "#7b3fb5", "#009e73", "#c2508f", "#8a5a00", "#2b8fb8")
ZONES = ((3.0, "#fde8e4"), (2.0, "#fdf6dc"), (1.0, "#e6f4ea"))
POINTS, LOWER, CENTER, LIMITS = "#475569", "#0072b2", "#1a7f37", "#b42318"


class _Picture:
    """The data that both libraries draw: lines with one value per point, gaps as NaN, the signals of each rule."""

    def __init__(self, judgement: Judgement) -> None:
        chart = judgement.chart
        if chart is None:
            raise TypeError("a judgement of bare points has no chart: judge a chart to draw one")
        n = len(chart)
        self.x = np.arange(n)
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
        self.signals = [
            (code, RULE_COLORS[i % len(RULE_COLORS)], np.flatnonzero(judgement.signals_of(code)))
            for i, code in enumerate(judgement.rules.codes)
        ]

    def zone(self, multiple: float) -> tuple[Any, Any]:
        """Lower and upper edge of a zone, within the drawn limits."""
        low, high = self.limits.zone_edge(-multiple), self.limits.zone_edge(multiple)
        return np.maximum(low, self.lower), np.minimum(high, self.upper)


def matplotlib_axes(judgement: Judgement, title: str | None, ax: Any) -> Any:
    """Draws on ``ax``, or on new axes; returns them."""
    import matplotlib.pyplot as plt

    picture = _Picture(judgement)
    if ax is None:
        _, ax = plt.subplots(figsize=(11, 4.5), layout="constrained")
    for multiple, color in ZONES:
        low, high = picture.zone(multiple)
        ax.fill_between(picture.x, low, high, color=color, step="mid", linewidth=0)
    ax.step(picture.x, picture.upper, where="mid", color=LIMITS, linestyle="--", linewidth=1.2, label="UCL, LCL")
    ax.step(picture.x, picture.lower, where="mid", color=LIMITS, linestyle="--", linewidth=1.2)
    ax.step(picture.x, picture.center, where="mid", color=CENTER, linewidth=1.2, label="CL")
    marker = "o" if len(picture.x) <= 400 else None
    ax.plot(picture.line_x, picture.line_y, color=POINTS, linewidth=1, marker=marker, markersize=3)
    if picture.lower_line_y is not None:
        ax.plot(picture.line_x, picture.lower_line_y, color=LOWER, linewidth=1, marker=marker, markersize=3)
    for i, (code, color, at) in enumerate(picture.signals):
        if len(at):
            # If several rules signal at a point, the first of them is visible.
            style = {"facecolors": "none", "edgecolors": color, "linewidths": 1.6, "s": 60, "zorder": 4 - i / 32}
            ax.scatter(at, picture.signalling[at], label=f"{code} ({len(at)})", **style)
    ax.set_title(title or (judgement.chart.kind if judgement.chart else ""))
    ax.set_xlabel("point, in order of time")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    ax.margins(x=0.01)
    return ax


def plotly_figure(judgement: Judgement, title: str | None) -> Any:
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
            trace = go.Scatter(x=at, y=y, name=f"{code} ({len(at)})", mode="markers", marker=marker)
            figure.add_trace(trace)
    figure.update_layout(
        title=title or None,
        template="plotly_white",
        xaxis_title="point, in order of time",
        legend_traceorder="reversed",
    )
    return figure
