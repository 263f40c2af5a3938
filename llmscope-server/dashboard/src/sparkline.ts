// The last values of series as small lines.

import type { LiveEvents } from "./api/types";

/** The last values of each series, by its id. */
export type Sparklines = ReadonlyMap<number, readonly number[]>;

const MOST_VALUES = 60;

/** The values with the last one of each series that got records. */
export function extended(known: Sparklines, { series }: LiveEvents["records"]): Sparklines {
  const next = new Map(known);
  for (const { id, last } of series) {
    if (last) next.set(id, [...(next.get(id) ?? []), last.value].slice(-MOST_VALUES));
  }
  return next;
}

/** The points of a line through the values in a box, oldest first. Equal values are a line in the middle. */
export function sparkPoints(values: readonly number[], width: number, height: number): string {
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const x = (i: number) => (values.length === 1 ? width : (i * width) / (values.length - 1));
  const y = (value: number) => (range === 0 ? height / 2 : height - ((value - low) / range) * height);
  return values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}
