import type { Analysis } from "../api/types";
import { exactTime } from "../clock";
import { chartTitle, metricTitle } from "../metrics";
import { counted, inScale } from "../quantity";
import { ruleWords } from "../rules";
import { at, isBeyond, signalling, type ChartModel } from "./model";

export const valueWords = (model: ChartModel, value: number): string => inScale(model.scale, value, model.resolution);

export interface PointWords {
  value: string;
  place: string;
  beyond: string | null;
  signals: string[];
  members: string[];
}

/** What is known about a point, for its tooltip and for those who hear it. */
export function pointWords(model: ChartModel, k: number): PointWords {
  const signals = model.signals[k] as string[];
  const value = signalling(model, k);
  const i = model.i[k] as number;
  const time = model.t ? ` · ${exactTime(model.t[k] as number)}` : "";
  const above = model.limits && value > at(model.limits.upper, k, i);
  return {
    value: valueWords(model, value),
    place: `point ${i}${time}`,
    beyond: isBeyond(model, k) ? `${above ? "above the upper" : "below the lower"} control limit` : null,
    signals: signals.map((code) => `${code}: ${ruleWords(code, model.kind)}`),
    members: (model.members[k] as string[]).filter((code) => !signals.includes(code)),
  };
}

export function spoken(words: PointWords): string {
  const member = words.members.length > 0 ? `part of ${words.members.join(", ")}` : null;
  return [words.value, words.place, words.beyond, ...words.signals, member].filter(Boolean).join(". ");
}

/** The chart in two sentences. */
export function summary(analysis: Analysis, model: ChartModel): string {
  const group = Object.values(analysis.group).join(" ");
  const kind = chartTitle(analysis.chart);
  const last = model.x.length - 1;
  const lines = model.limits
    ? `, center line ${valueWords(model, at(model.limits.center, last, model.n - 1))}, control limits ${valueWords(model, at(model.limits.lower, last, model.n - 1))} to ${valueWords(model, at(model.limits.upper, last, model.n - 1))}`
    : "";
  const signalling = model.signals.filter((codes) => codes.length > 0).length;
  const signals = signalling === 0 ? "No point signals." : `${counted(signalling, "point signals", "points signal")}.`;
  return `${kind} chart of ${metricTitle(analysis.metric)}${group ? ` of ${group}` : ""}: ${counted(model.n, "point")}${lines}. ${signals} Last value ${valueWords(model, model.x[last] as number)}.`;
}
