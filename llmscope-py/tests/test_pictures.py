"""Pictures of the core, matplotlib and plotly show the same points, limits and signals."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import llmscope as ls

mpl.use("agg")
import matplotlib.pyplot as plt


@pytest.fixture
def chart(latencies: Any) -> ls.Chart:
    return ls.individuals(latencies, bounds=(0, None))


def test_svg_and_png(chart: ls.Chart, tmp_path: Path) -> None:
    svg = chart.to_svg("TTFT <of> a test")
    assert svg.startswith("<svg") and "TTFT &lt;of&gt; a test" in svg and "nelson-1" in svg
    assert chart._repr_svg_() == chart.to_svg() == chart.judge().to_svg()
    assert chart.judge("1").to_svg() != chart.to_svg()
    chart.save(tmp_path / "chart.svg", title="t")
    assert (tmp_path / "chart.svg").read_text(encoding="utf-8") == chart.to_svg("t")
    for path, drawn in ((tmp_path / "a.png", chart), (tmp_path / "b.PNG", chart.judge())):
        drawn.save(path)
        content = path.read_bytes()
        width, height = struct.unpack(">II", content[16:24])
        assert content[:8] == b"\x89PNG\r\n\x1a\n" and width == 2200 and height > 900
    with pytest.raises(ls.ParameterError, match=r"ends in \.svg or \.png"):
        chart.save(tmp_path / "chart.jpg")


def test_matplotlib(chart: ls.Chart) -> None:
    _, ax = plt.subplots()
    assert chart.plot(ax, title="mine") is ax
    assert ax.get_title() == "mine"
    drawn = next(line for line in ax.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == len(chart)
                 and np.allclose(line.get_ydata(), chart.points))
    assert drawn is not None
    judgement = chart.judge()
    rings = {scatter.get_label().split()[0]: len(scatter.get_offsets()) for scatter in ax.collections
             if str(scatter.get_label()).startswith("nelson")}
    assert rings == {code: int(judgement.signals_of(code).sum()) for code in judgement.rules.codes
                     if judgement.signals_of(code).any()} != {}
    assert judgement.plot().get_title() == "individuals"
    plt.close("all")


def test_plotly(chart: ls.Chart) -> None:
    figure = chart.to_plotly("mine")
    traces = {trace.name: trace for trace in figure.data if trace.name}
    np.testing.assert_array_equal(traces["points"].y, chart.points)
    assert set(traces["UCL"].y) == {chart.limits.upper}
    judgement = chart.judge()
    for code in judgement.rules.codes:
        positions = np.flatnonzero(judgement.signals_of(code)).tolist()
        if positions:
            assert list(traces[f"{code} ({len(positions)})"].x) == positions
    assert figure.layout.title.text == "mine"


def test_a_gap_is_a_gap_in_the_line() -> None:
    chart = ls.individuals([1.0, 2.0, None, 1.0, 2.0], missing="break")
    line = next(trace for trace in chart.to_plotly().data if trace.name == "points")
    assert np.isnan(line.y[2]) and len(line.y) == 5
    ax = chart.plot()
    assert any(np.isnan(line.get_ydata()).sum() == 1 for line in ax.lines)
    plt.close("all")


def test_limits_that_vary_and_analyses_are_drawn_too() -> None:
    chart = ls.attributes([1, 2, 3, 2], [10, 20, 30, 40])
    assert len(chart.to_plotly().data) >= 10
    analysis = ls.analyze(np.random.default_rng(12).normal(0.3, 0.02, 50), metric="ttft_s")
    assert analysis.plot().get_title() == "ttft_s (time to first token)"
    assert analysis.to_plotly().layout.title.text == "ttft_s (time to first token)"
    plt.close("all")


def test_bare_points_have_no_chart() -> None:
    judgement = ls.judge([1.0, 9.0], 0.0, 1.0)
    assert judgement.chart is None and judgement._repr_svg_() is None
    for draw in (judgement.plot, judgement.to_plotly, judgement.to_svg):
        with pytest.raises(TypeError, match="bare points"):
            draw()


def test_nothing_heavy_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, llmscope; "
        "heavy = {'numpy', 'pandas', 'polars', 'pyarrow', 'matplotlib', 'plotly'} & set(sys.modules); "
        "assert not heavy, heavy; llmscope.individuals([1.0, 2.0]).judge().to_svg(); "
        "heavy = {'pandas', 'polars', 'pyarrow', 'matplotlib', 'plotly'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
