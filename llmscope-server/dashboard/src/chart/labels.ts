import type { Analysis, Change } from "../api/types";
import { exactTime } from "../clock";
import { chartTitle, metricTitle } from "../metrics";
import { change as signed, counted, inScale } from "../quantity";
import { ruleDescription } from "../rules";
import { at, isBeyond, signalling, type ChartModel } from "./model";

export const valueLabel = (model: ChartModel, value: number): string => inScale(model.scale, value, model.resolution);

/** The size of a change: a percentage, or the difference of values that are not all positive. */
export function sizeLabel(model: ChartModel, { ratio, difference = 0 }: Change): string {
  if (ratio !== undefined) return signed(ratio - 1);
  return (difference > 0 ? "+" : "") + valueLabel(model, difference);
}

export interface PointLabels {
  value: string;
  place: string;
  beyond: string | null;
  signals: string[];
  members: string[];
}

/** The labels of a point for its tooltip and for screen readers. */
export function pointLabels(model: ChartModel, k: number): PointLabels {
  const signals = model.signals[k] as string[];
  const value = signalling(model, k);
  const i = model.i[k] as number;
  const time = model.t ? ` · ${exactTime(model.t[k] as number)}` : "";
  const above = model.limits && value > at(model.limits.upper, k, i);
  return {
    value: valueLabel(model, value),
    place: `point ${i}${time}`,
    beyond: isBeyond(model, k) ? `${above ? "above the upper" : "below the lower"} control limit` : null,
    signals: signals.map((code) => `${code}: ${ruleDescription(code, model.kind)}`),
    members: (model.members[k] as string[]).filter((code) => !signals.includes(code)),
  };
}

/** The text that a screen reader announces for a point. */
export function announcementOf(labels: PointLabels): string {
  const member = labels.members.length > 0 ? `part of ${labels.members.join(", ")}` : null;
  return [labels.value, labels.place, labels.beyond, ...labels.signals, member].filter(Boolean).join(". ");
}

/** A summary of the chart for screen readers. */
export function summary(analysis: Analysis, model: ChartModel): string {
  const group = Object.values(analysis.group).join(" ");
  const kind = chartTitle(analysis.chart);
  const last = model.x.length - 1;
  const lines = model.limits
    ? `, center line ${valueLabel(model, at(model.limits.center, last, model.n - 1))}, control limits ${valueLabel(model, at(model.limits.lower, last, model.n - 1))} to ${valueLabel(model, at(model.limits.upper, last, model.n - 1))}`
    : "";
  const signalling = model.signals.filter((codes) => codes.length > 0).length;
  const signals = signalling === 0 ? "No point signals." : `${counted(signalling, "point signals", "points signal")}.`;
  const changes = model.changes.map((change) => ` The level changes at point ${change.since.index}: ${sizeLabel(model, change)}.`).join("");
  return `${kind} chart of ${metricTitle(analysis.metric)}${group ? ` of ${group}` : ""}: ${counted(model.n, "point")}${lines}. ${signals}${changes} Last value ${valueLabel(model, model.x[last] as number)}.`;
}
