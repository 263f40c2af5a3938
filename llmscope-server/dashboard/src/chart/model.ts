import type { Analysis, Change, ControlLimits, Line, Point, Specification, Unit } from "../api/types";
import { scaleOf, type Scale } from "../quantity";
import { plottedSigma, type Zoned } from "./zones";

/** The data of a control chart as columns, in the order of its points. */
export interface ChartModel {
  kind: string;
  unit: Unit;
  scale: Scale;
  /** Labels distinguish values that differ by this: a tenth of the sigma of the plotted points. */
  resolution: number;
  /** The number of points of the analysis. The columns may hold fewer. */
  n: number;
  i: number[];
  /** Milliseconds since 1970; null if the time of any point is unknown. */
  t: number[] | null;
  x: number[];
  /** The lower sums of a CUSUM chart. */
  lower: number[] | null;
  signals: string[][];
  members: string[][];
  limits: ControlLimits | null;
  /** Specification limits to draw. Empty for CUSUM charts, because specifications do not apply to sums. */
  specification: Specification;
  rules: string[];
  /** Changes of the level. Empty if a point of the chart is not one measurement. */
  changes: Change[];
}

const ATTRIBUTES = ["p", "np", "c", "u", "laney-p", "laney-u"];
const POINT_PER_MEASUREMENT = ["individuals", "ewma", "cusum", "moving-average"];

export function modelOf(analysis: Analysis): ChartModel | null {
  const points = analysis.points ?? [];
  if (points.length === 0) return null;
  const unit = ATTRIBUTES.includes(analysis.chart) ? "1" : analysis.unit;
  const sums = analysis.chart === "cusum";
  const limits = analysis.limits ?? null;
  const x = points.map((point) => point.x);
  const times = points.map((point) => (point.t === undefined ? Number.NaN : Date.parse(point.t)));
  const sigma = limits ? plottedSigma(zonedAt(limits, 0, 0)) : analysis.sigma?.overall;
  // The unit follows the limits and not the largest point, so that one slow request does not change it.
  const typical = limits ? Math.max(Math.abs(at(limits.center, 0, 0)), Math.abs(at(limits.upper, 0, 0))) : analysis.median;
  return {
    kind: analysis.chart,
    unit,
    scale: scaleOf(unit, sums ? largest(points) : (typical ?? largest(points))),
    resolution: (sigma ?? 0) / 10,
    n: (points.at(-1)?.i ?? 0) + 1,
    i: points.map((point) => point.i),
    t: times.some(Number.isNaN) ? null : times,
    x,
    lower: sums ? points.map((point) => point.lower ?? 0) : null,
    signals: points.map((point) => point.rules),
    members: points.map((point) => point.member_of),
    limits,
    specification: sums ? {} : (analysis.specification ?? {}),
    rules: analysis.patterns.rules,
    changes: POINT_PER_MEASUREMENT.includes(analysis.chart) ? (analysis.answer.changes ?? []).filter(({ part }) => part === "level") : [],
  };
}

const largest = (points: Point[]): number => points.reduce((most, { x, lower = 0 }) => Math.max(most, Math.abs(x), Math.abs(lower)), 0);

/** The value of a line at the `k`th point of the columns, which is the `i`th point of the analysis. */
export function at(line: Line, k: number, i: number): number {
  if (typeof line === "number") return line;
  return line[i] ?? line[k] ?? line.at(-1) ?? Number.NaN;
}

/** Center line and sigma at the `k`th point of the columns, which is the `i`th point of the analysis. */
export const zonedAt = ({ center, sigma, transform }: ControlLimits, k: number, i: number): Zoned =>
  ({ center: at(center, k, i), sigma: at(sigma, k, i), transform });

/** The index of the value in `sorted` that is nearest to `value`. */
export function nearest(sorted: number[], value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  const before = sorted[low - 1];
  return before !== undefined && value - before < (sorted[low] as number) - value ? low - 1 : low;
}

/** The value to mark at a point that signals. On a CUSUM chart, it is the sum that is beyond its limit. */
export function signalling(model: ChartModel, k: number): number {
  const upper = model.x[k] as number;
  const lower = model.lower?.[k];
  if (lower === undefined || !model.limits) return upper;
  return upper > at(model.limits.upper, k, model.i[k] as number) ? upper : lower;
}

export function isBeyond(model: ChartModel, k: number): boolean {
  if (!model.limits) return false;
  const value = signalling(model, k);
  const i = model.i[k] as number;
  return value > at(model.limits.upper, k, i) || value < at(model.limits.lower, k, i);
}
