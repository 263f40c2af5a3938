import uPlot from "uplot";
import { axesOf, type XAxis } from "./axes";
import { readColors, type Colors } from "./colors";
import { drawChanges } from "./changes";
import { drawLines, drawPhaseOne, drawZones } from "./limits";
import { at, nearest, type ChartModel } from "./model";
import { Viewport } from "./viewport";
import { drawDots, drawSignals } from "./signals";

export type Fit = "all" | "limits";
export type Range = [from: number, to: number];

export interface PlotListener {
  /** The point under the pointer and its position; null without a point. */
  pointed: (point: { k: number; x: number; y: number } | null) => void;
  /** The user selected a range of points by dragging. */
  brushed: (points: Range) => void;
  zoomed: (isZoomed: boolean) => void;
}

export interface PlotSettings {
  xAxis: XAxis;
  fit: Fit;
  /** Dragging selects phase I instead of zooming. */
  brushing: boolean;
  phaseOne: Range | null;
}

/** The control chart. uPlot draws lines and axes; hooks draw zones, limits, dots and signals on its canvas. */
export class ControlPlot {
  #u: uPlot;
  #viewport: Viewport;
  #settings: PlotSettings;
  #colors: Colors = readColors();
  #range: Range | null = null;
  #listener: PlotListener;

  constructor(host: HTMLElement, model: ChartModel, settings: PlotSettings, listener: PlotListener) {
    this.#viewport = new Viewport(model, settings.xAxis);
    this.#settings = settings;
    this.#listener = listener;
    this.#u = new uPlot(this.#options(host), this.#columns(), host);
    this.#show(null);
  }

  /** Shows new points or settings of the same kind of chart, and keeps the zoom. */
  update(model: ChartModel, settings: PlotSettings): void {
    this.#viewport = new Viewport(model, settings.xAxis);
    this.#settings = settings;
    this.#u.setData(this.#columns(), false);
    this.#show(this.#range);
  }

  /** True if `update` can show this chart. Otherwise, create a new plot. */
  fits(model: ChartModel, xAxis: XAxis): boolean {
    return this.#settings.xAxis === xAxis && (this.#viewport.model.lower === null) === (model.lower === null);
  }

  recolor(): void {
    this.#colors = readColors();
    this.#u.redraw(false, true);
  }

  resize(width: number, height: number): void {
    this.#u.setSize({ width: Math.max(width, 160), height });
    this.#show(this.#range);
  }

  /** Zooms to the points from `first` to `last`, as positions in the analysis, and the points around them. */
  zoomTo(first: number, last: number): void {
    const { i, n } = this.#viewport.model;
    const margin = Math.max(Math.ceil((last - first) * 0.75), 15);
    const [from, to] = [nearest(i, Math.max(first - margin, 0)), nearest(i, Math.min(last + margin, n - 1))];
    const [left, right] = [this.#viewport.xs[from] as number, this.#viewport.xs[to] as number];
    const pad = (right - left) * 0.03;
    this.zoom([left - pad, right + pad]);
  }

  zoom(range: Range | null): void {
    this.#range = range;
    this.#show(range);
    this.#listener.zoomed(range !== null);
  }

  /** Puts the cursor on a point, and first moves the point into view if necessary. */
  point(k: number): void {
    const x = this.#viewport.xs[k] as number;
    if (this.#range && (x < this.#range[0] || x > this.#range[1])) this.#pan(x);
    this.#u.setCursor({ left: this.#u.valToPos(x, "x"), top: this.#u.valToPos(this.#valueAt(k), "y") });
  }

  unpoint(): void {
    this.#u.setCursor({ left: -10, top: -10 });
  }

  destroy(): void {
    this.#u.destroy();
  }

  #pan(x: number): void {
    const [from, to] = this.#range as Range;
    const half = (to - from) / 2;
    this.zoom([x - half, x + half]);
  }

  #show(range: Range | null): void {
    const [min, max] = range ?? this.#viewport.whole(this.#u.width);
    // `batch` applies the range immediately, so that positions that are read next belong to it.
    this.#u.batch(() => this.#u.setScale("x", { min, max }));
  }

  #valueAt = (k: number): number => (this.#viewport.model.x[k] as number) * this.#viewport.model.scale.factor;

  #columns(): uPlot.AlignedData {
    const { x, lower, scale } = this.#viewport.model;
    const scaled = (values: number[]) => values.map((value) => value * scale.factor);
    return lower ? [this.#viewport.xs, scaled(x), scaled(lower)] : [this.#viewport.xs, scaled(x)];
  }

  #options(host: HTMLElement): uPlot.Options {
    const colors = () => this.#colors;
    const line = (stroke: () => string): uPlot.Series => ({ stroke, width: 1.1, points: { show: false } });
    const series: uPlot.Series[] = [{}, line(() => colors().line)];
    if (this.#viewport.model.lower) series.push(line(() => colors().second));
    return {
      width: Math.max(host.clientWidth, 160),
      height: host.clientHeight,
      padding: [22, () => (host.clientWidth < 480 ? 76 : 104), 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { size: 11, width: 2, fill: "transparent", stroke: () => colors().focus },
      },
      scales: {
        x: { time: false, range: (_, min, max) => [min ?? 0, max ?? 1] },
        y: { range: (u, low, high) => this.#yRange(u, low, high) },
      },
      axes: axesOf(this.#settings.xAxis, () => this.#viewport.model, colors),
      series,
      hooks: {
        drawClear: [(u) => this.#drawBackground(u)],
        drawAxes: [(u) => drawLines(u, this.#viewport.model, this.#viewport, colors())],
        draw: [(u) => this.#drawPoints(u)],
        setCursor: [(u) => this.#pointed(u)],
        setSelect: [(u) => this.#selected(u)],
      },
    };
  }

  #drawBackground(u: uPlot): void {
    drawZones(u, this.#viewport.model, this.#viewport, this.#colors);
    if (this.#settings.phaseOne) drawPhaseOne(u, this.#settings.phaseOne, this.#viewport, this.#colors);
  }

  #drawPoints(u: uPlot): void {
    drawChanges(u, this.#viewport.model, this.#viewport, this.#colors);
    drawDots(u, this.#viewport.model, this.#viewport, this.#colors);
    drawSignals(u, this.#viewport.model, this.#viewport, this.#colors);
  }

  /** The range of visible points and limits. It includes specification limits unless they are far away. */
  #yRange(u: uPlot, dataLow: number | null, dataHigh: number | null): Range {
    const { model } = this.#viewport;
    const { factor } = model.scale;
    const nearLimits = this.#settings.fit === "limits" && model.limits !== null;
    const seen = nearLimits ? [] : [dataLow, dataHigh].filter((value) => value !== null);
    const [from, to] = this.#viewport.visible(u);
    for (const line of model.limits ? [model.limits.lower, model.limits.upper] : []) {
      for (let k = from; k <= to; k += typeof line === "number" ? to - from + 1 : 1) seen.push(at(line, k, model.i[k] as number) * factor);
    }
    let [low, high] = seen.length > 0 ? [Math.min(...seen), Math.max(...seen)] : [0, 1];
    const [bottom, span] = [low, high - low || Math.abs(high) || 1];
    for (const limit of [model.specification.upper, model.specification.lower, model.specification.target]) {
      const value = (limit ?? Number.NaN) * factor;
      if (!(value >= bottom - 1.5 * span && value <= bottom + 2.5 * span)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const margin = (high - low || span) * (nearLimits ? 0.35 : 0.07);
    // The axis extends below 0 only if values or limits do.
    return [bottom >= 0 ? Math.max(low - margin, 0) : low - margin, high + margin];
  }

  #pointed(u: uPlot): void {
    const k = u.cursor.idx;
    const outside = (u.cursor.left ?? -1) < 0;
    if (k == null || outside) {
      this.#listener.pointed(null);
      return;
    }
    const { left, top } = { left: u.over.offsetLeft, top: u.over.offsetTop };
    this.#listener.pointed({ k, x: left + u.valToPos(this.#viewport.xs[k] as number, "x"), y: top + u.valToPos(this.#valueAt(k), "y") });
  }

  #selected(u: uPlot): void {
    const { left, width } = u.select;
    if (width < 4) return;
    const range: Range = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (!this.#settings.brushing) {
      this.zoom(range);
      return;
    }
    const { model, xs } = this.#viewport;
    const [first, last] = range.map((x) => model.i[nearest(xs, x)] as number) as Range;
    if (last > first) this.#listener.brushed([first, last]);
  }
}
