"""Pictures of the core, matplotlib and plotly show the same points, limits and signals."""

from __future__ import annotations

import base64
import re
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
    assert chart.to_svg() == chart.judge().to_svg()
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


def image_of(html: str) -> tuple[str, str]:
    """The SVG and the alternative text of the only image."""
    found = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)" style="max-width:100%">', html)
    assert len(found) == 1 and "<svg" not in html and "<script" not in html
    return base64.b64decode(found[0][0]).decode(), found[0][1]


def test_a_notebook_shows_an_image_without_trust(chart: ls.Chart) -> None:
    html = chart._repr_html_()
    assert html is not None and html == chart.judge()._repr_html_()
    assert image_of(html) == (chart.to_svg(), "individuals chart: out of control")
    analysis = ls.analyze(np.random.default_rng(12).normal(0.3, 0.02, 50), metric="ttft_s")
    assert image_of(analysis._repr_html_()) == (
        analysis.to_svg(),
        f"ttft_s (time to first token): {analysis.patterns.verdict.replace('_', ' ')}",
    )


def test_imr_and_sixpack(latencies: Any, tmp_path: Path) -> None:
    imr = ls.imr(latencies, metric="ttft_s", bounds=(0, None))
    assert imr.alt == "time to first token, individuals and moving ranges: out of control"
    sixpack = ls.sixpack(latencies, lsl=0, usl="400ms", target=0.25, metric="ttft_s", title="nightly <run>")
    within, overall = ls.capability(latencies, lsl=0, usl=0.4), ls.performance(latencies, lsl=0, usl=0.4)
    assert within is not None and overall is not None
    indices = f"Cpk {within.cpk:.2f}, Ppk {overall.ppk:.2f}"
    assert sixpack.alt == f"nightly <run>, stability and capability: out of control, {indices}"
    assert "nightly &lt;run&gt;" in sixpack.svg and "USL 400" in sixpack.svg and f"{within.cpk:.2f} [" in sixpack.svg
    for picture in (imr, sixpack):
        assert image_of(picture._repr_html_())[0] == picture.svg
        assert "ttft_s in ms" in picture.svg and "moving range in ms" in picture.svg
        picture.save(tmp_path / "picture.png")
        assert (tmp_path / "picture.png").read_bytes() == picture.png()
        picture.save(tmp_path / "picture.svg")
        assert (tmp_path / "picture.svg").read_text(encoding="utf-8") == picture.svg


def test_pictures_of_several_charts_refuse_what_they_cannot_show() -> None:
    with pytest.raises(ls.NotEnoughDataError):
        ls.imr([1.0])
    with pytest.raises(ls.NonFiniteError):
        ls.sixpack([1.0, float("nan"), 2.0])
    with pytest.raises(ls.SpecificationError):
        ls.sixpack([1.0, 2.0, 1.0], lsl=3, usl=2)
    with pytest.raises(ls.QuantityError):
        ls.sixpack([1.0, 2.0, 1.0], usl="400ms", metric="tokens")


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
    assert ax.get_title(loc="right") == "out of control" and ax.get_ylabel() == ""
    assert chart.plot(metric="ttft_s").get_ylabel() == "ttft_s in s"
    plt.close("all")


def test_matplotlib_labels_lines_and_covers_no_data(chart: ls.Chart) -> None:
    ax = chart.plot()
    ax.figure.canvas.draw()
    texts = {text.get_text().split()[0]: text for text in ax.texts}
    limits = chart.limits
    assert set(texts) == {"UCL", "CL", "LCL"}
    for name, value in (("UCL", limits.upper), ("CL", limits.center), ("LCL", limits.lower)):
        assert float(texts[name].get_text().split()[1]) == pytest.approx(value, rel=1e-3)
    covers = [ax.get_legend().get_window_extent(), *(text.get_window_extent() for text in texts.values())]
    points = ax.transData.transform(np.column_stack([np.arange(len(chart)), chart.points]))
    for box in covers:
        assert ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 and box.y1 <= ax.bbox.y1
        inside = (box.x0 < points[:, 0]) & (points[:, 0] < box.x1) & (box.y0 < points[:, 1]) & (points[:, 1] < box.y1)
        assert not inside.any()
    boxes = sorted(covers[1:], key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in zip(boxes, boxes[1:], strict=False))
    plt.close("all")


def test_a_change_is_drawn_and_labelled() -> None:
    analysis = ls.analyze([0.30, 0.31, 0.29, 0.32, 0.28] * 16 + [0.45, 0.46, 0.44, 0.47, 0.43] * 16, metric="ttft_s")
    assert analysis.answer.since is not None and analysis.answer.since.index == 80
    assert ">+50 % since point 80</text>" in analysis.to_svg()
    ax = analysis.plot()
    ax.figure.canvas.draw()
    label = next(text for text in ax.texts if text.get_text() == "+50 % since point 80")
    line = next(line for line in ax.lines if list(line.get_xdata()) == [79.5, 79.5])
    assert line.get_color() == label.get_color() == "#d1242f"
    box = label.get_window_extent()
    points = ax.transData.transform(np.column_stack([np.arange(160), analysis.judgement.chart.points]))
    inside = (box.x0 < points[:, 0]) & (points[:, 0] < box.x1) & (box.y0 < points[:, 1]) & (points[:, 1] < box.y1)
    assert not inside.any() and ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 and box.y1 <= ax.bbox.y1
    if legend := ax.get_legend():
        assert not legend.get_window_extent().overlaps(box)
    figure = analysis.to_plotly()
    assert [(s.x0, s.x1) for s in figure.layout.shapes] == [(79.5, 79.5)]
    assert [a.text for a in figure.layout.annotations] == ["+50 % since point 80"]
    stable = ls.analyze([0.30, 0.31, 0.29, 0.32, 0.28] * 16, metric="ttft_s")
    assert "since" not in stable.to_svg() and not stable.to_plotly().layout.shapes
    plt.close("all")


def test_a_moving_range_is_drawn_at_its_later_measurement() -> None:
    chart = ls.individuals([1.0, 2.0, 1.0, 2.0, 9.0]).dispersion_chart
    assert chart is not None
    line = next(line for line in chart.plot().lines if len(line.get_xdata()) == 4 and line.get_marker() == "o")
    assert line.get_xdata().tolist() == [1, 2, 3, 4]
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
    assert judgement.chart is None and judgement._repr_html_() is None
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
