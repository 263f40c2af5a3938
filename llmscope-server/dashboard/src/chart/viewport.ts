import type uPlot from "uplot";
import type { Line } from "../api/types";
import type { XAxis } from "./axes";
import { at, nearest, type ChartModel } from "./model";

/** In pixels. */
const HALF_MARKER = 10;

/** The part of a chart that the current zoom shows. */
export class Viewport {
  /** The x coordinate of each point: its position or its time in seconds. */
  readonly xs: number[];

  constructor(
    readonly model: ChartModel,
    xAxis: XAxis,
  ) {
    this.xs = xAxis === "time" && model.t ? model.t.map((ms) => ms / 1000) : model.i;
  }

  /** The range of all points, with room for half a marker at both ends of a chart of this width in pixels. */
  whole(width: number): [number, number] {
    const [first, last] = [this.xs[0] as number, this.xs.at(-1) as number];
    const pad = last > first ? (last - first) * Math.max(0.008, HALF_MARKER / Math.max(width, 1)) : 0.6;
    return [first - pad, last + pad];
  }

  /** The indices of the first and last visible point. */
  visible(u: uPlot): [number, number] {
    const { min, max } = u.scales.x ?? {};
    const end = this.xs.length - 1;
    if (min == null || max == null) return [0, end];
    let from = nearest(this.xs, min);
    let to = nearest(this.xs, max);
    if ((this.xs[from] as number) < min && from < end) from += 1;
    if ((this.xs[to] as number) > max && to > 0) to -= 1;
    return [Math.min(from, to), Math.max(from, to)];
  }

  last(u: uPlot): number {
    return this.visible(u)[1];
  }

  /** The canvas position halfway between the `i`th point of the analysis and the point before it. */
  edge(u: uPlot, i: number): number {
    const k = nearest(this.model.i, i);
    const [here, before] = [this.xs[k] as number, this.xs[k - 1]];
    if (before === undefined) return u.valToPos(here - 0.5, "x", true);
    const beyond = i > (this.model.i.at(-1) as number);
    return u.valToPos(beyond ? here + 0.5 : (before + here) / 2, "x", true);
  }

  /** Calls `draw` for each span of the chart in which all `lines` are constant. */
  spans(u: uPlot, lines: Line[], draw: (left: number, right: number, k: number, i: number) => void): void {
    const { left, width } = u.bbox;
    const right = left + width;
    const varying = lines.filter((line) => typeof line !== "number");
    const [from, to] = this.visible(u);
    const i = (k: number) => this.model.i[k] as number;
    if (varying.length === 0) {
      draw(left, right, to, i(to));
      return;
    }
    const between = (k: number) => u.valToPos(((this.xs[k] as number) + (this.xs[k + 1] as number)) / 2, "x", true);
    let begin = left;
    for (let k = Math.max(from - 1, 0); k <= Math.min(to + 1, this.xs.length - 1); k++) {
      const end = k >= this.xs.length - 1 ? right : Math.min(Math.max(between(k), left), right);
      const changes = k >= to + 1 || k === this.xs.length - 1 || varying.some((line) => at(line, k, i(k)) !== at(line, k + 1, i(k + 1)));
      if (!changes) continue;
      draw(begin, end, k, i(k));
      begin = end;
    }
  }
}
