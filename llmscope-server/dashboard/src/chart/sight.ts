import type uPlot from "uplot";
import type { Line } from "../api/types";
import type { Along } from "./axes";
import { at, nearest, type ChartModel } from "./model";

/** In pixels. */
const HALF_MARKER = 10;

/** What of a chart lies within the range that is shown. */
export class Sight {
  readonly along: number[];

  constructor(
    readonly model: ChartModel,
    along: Along,
  ) {
    this.along = along === "time" && model.t ? model.t.map((ms) => ms / 1000) : model.i;
  }

  /** All points, with room for half a marker at both ends of a chart of this width. */
  whole(width: number): [number, number] {
    const [first, last] = [this.along[0] as number, this.along.at(-1) as number];
    const pad = last > first ? (last - first) * Math.max(0.008, HALF_MARKER / Math.max(width, 1)) : 0.6;
    return [first - pad, last + pad];
  }

  /** The first and last shown point in sight. */
  visible(u: uPlot): [number, number] {
    const { min, max } = u.scales.x ?? {};
    const end = this.along.length - 1;
    if (min == null || max == null) return [0, end];
    let from = nearest(this.along, min);
    let to = nearest(this.along, max);
    if ((this.along[from] as number) < min && from < end) from += 1;
    if ((this.along[to] as number) > max && to > 0) to -= 1;
    return [Math.min(from, to), Math.max(from, to)];
  }

  last(u: uPlot): number {
    return this.visible(u)[1];
  }

  /** The canvas position halfway before the point that is the `i`th of all. */
  edge(u: uPlot, i: number): number {
    const k = nearest(this.model.i, i);
    const [here, before] = [this.along[k] as number, this.along[k - 1]];
    if (before === undefined) return u.valToPos(here - 0.5, "x", true);
    const beyond = i > (this.model.i.at(-1) as number);
    return u.valToPos(beyond ? here + 0.5 : (before + here) / 2, "x", true);
  }

  /** Calls `draw` for each stretch of the chart over which all `lines` stay the same. */
  stretches(u: uPlot, lines: Line[], draw: (left: number, right: number, k: number, i: number) => void): void {
    const { left, width } = u.bbox;
    const right = left + width;
    const varying = lines.filter((line) => typeof line !== "number");
    const [from, to] = this.visible(u);
    const i = (k: number) => this.model.i[k] as number;
    if (varying.length === 0) {
      draw(left, right, to, i(to));
      return;
    }
    const between = (k: number) => u.valToPos(((this.along[k] as number) + (this.along[k + 1] as number)) / 2, "x", true);
    let begin = left;
    for (let k = Math.max(from - 1, 0); k <= Math.min(to + 1, this.along.length - 1); k++) {
      const end = k >= this.along.length - 1 ? right : Math.min(Math.max(between(k), left), right);
      const changes = k >= to + 1 || k === this.along.length - 1 || varying.some((line) => at(line, k, i(k)) !== at(line, k + 1, i(k + 1)));
      if (!changes) continue;
      draw(begin, end, k, i(k));
      begin = end;
    }
  }
}
