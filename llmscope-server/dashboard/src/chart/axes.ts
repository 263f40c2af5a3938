import type uPlot from "uplot";
import { pointTimes, tickTimes } from "../clock";
import { number } from "../quantity";
import { FONT, type Colors } from "./colors";
import { nearest, type ChartModel } from "./model";

export type XAxis = "order" | "time";

export function axesOf(xAxis: XAxis, model: () => ChartModel, colors: () => Colors): uPlot.Axis[] {
  const common: uPlot.Axis = {
    stroke: () => colors().muted,
    font: `11px ${FONT}`,
    ticks: { show: false },
    grid: { stroke: () => colors().grid, width: 1 },
  };
  const labels = xAxis === "time" ? (_: uPlot, ticks: number[]) => tickTimes(ticks) : (_: uPlot, ticks: number[]) => positionLabels(model(), ticks);
  return [
    { ...common, grid: { show: false }, size: 40, space: 72, gap: 6, values: labels, ...(xAxis === "order" ? { incrs: WHOLE } : { incrs: SECONDS, splits: localSplits }) },
    { ...common, size: yWidth, space: 34, gap: 6, values: (_, ticks) => decimalLabels(ticks) },
  ];
}

const SECONDS = [
  0.01, 0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
  ...[1, 2, 7, 14, 30, 60, 180, 365].map((days) => days * 86_400),
];

/** Ticks at round times of the local time zone. */
function localSplits(_: uPlot, __: number, min: number, max: number, apart: number): number[] {
  const offset = new Date(min * 1000).getTimezoneOffset() * 60;
  const first = Math.ceil((min - offset) / apart) * apart + offset;
  return Array.from({ length: Math.max(Math.floor((max - first) / apart) + 1, 0) }, (_value, k) => first + k * apart);
}

const WHOLE = [1, 2, 5].flatMap((first) => Array.from({ length: 7 }, (_, power) => first * 10 ** power)).sort((a, b) => a - b);

/** The position of the point, and its time below. */
function positionLabels(model: ChartModel, ticks: number[]): string[] {
  const isPoint = (tick: number) => tick >= 0 && tick < model.n;
  const times = pointTimes(ticks.map((tick) => {
    const time = isPoint(tick) ? model.t?.[nearest(model.i, tick)] : undefined;
    return time === undefined ? null : new Date(time);
  }));
  return ticks.map((tick, k) => (isPoint(tick) ? [String(tick), times[k]].filter(Boolean).join("\n") : ""));
}

function decimalLabels(ticks: number[]): string[] {
  const apart = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) || 1;
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(apart) + 1e-9)), 9);
  return ticks.map((tick) => (Math.abs(tick) >= 1e7 ? number(tick) : tick.toFixed(digits).replace(/^-/, "\u2212")));
}

function yWidth(_: uPlot, labels: string[] | null): number {
  const longest = Math.max(0, ...(labels ?? []).map((label) => label.length));
  return 14 + longest * 6.6;
}
