import type { SessionSummary } from "./api/types";
import type { Patch } from "./router";

export type Option = readonly [value: string, title: string];

const TITLES: Record<string, string> = {
  ttft_s: "time to first token",
  e2e_s: "end-to-end latency",
  tpot_s: "time per output token",
  output_tokens_per_s: "output tokens per second",
  ttft_from_write_s: "time to first token after write",
  connect_s: "time to connect",
  sched_delay_s: "delay from schedule to send",
  sched_e2e_s: "latency from scheduled time",
  cost_usd: "cost",
  error_rate: "error rate",
};

export const METRICS: readonly string[] = Object.keys(TITLES);

export const metricTitle = (metric: string): string => TITLES[metric] ?? metric;

export const CHARTS: readonly Option[] = [
  ["individuals", "Individuals"],
  ["ewma", "EWMA"],
  ["cusum", "CUSUM"],
  ["moving-average", "Moving average"],
  ["xbar-r", "X̄–R (subgroups)"],
  ["xbar-s", "X̄–S (subgroups)"],
  ["p", "p (error rate)"],
];

export const chartTitle = (kind: string): string => CHARTS.find(([code]) => code === kind)?.[1] ?? kind;

export const hasSubgroups = (chart: string): boolean => ["xbar-r", "xbar-s", "p"].includes(chart);

export const WINDOWS: readonly Option[] = [
  ["15m", "15 min"], ["1h", "1 h"], ["6h", "6 h"], ["24h", "24 h"], ["7d", "7 d"], ["500", "last 500"], ["all", "all"],
];

const HOURS: Record<string, number> = { "15m": 0.25, "1h": 1, "6h": 6, "24h": 24, "7d": 168 };

/** By default, the service judges only the newest 10,000 records. */
const ALL_RECORDS = 1_000_000;

/** The query parameters for a window, which is a key of `WINDOWS`. */
export function windowQuery(window: string): Patch {
  if (window in HOURS) return { hours: HOURS[window], limit: ALL_RECORDS };
  return { limit: /^\d+$/.test(window) ? window : ALL_RECORDS };
}

/** The service accepts whole hours only: fractions of an hour are sent as a start time. */
export function withWholeHours({ hours, ...query }: Patch, now = Date.now()): Patch {
  if (typeof hours !== "number" || Number.isInteger(hours)) return { ...query, hours };
  return { ...query, from: new Date(now - hours * 3_600_000).toISOString() };
}

/** `openai · gpt-4o`. */
export function groupTitle(group: { provider?: string; model?: string }): string {
  return [group.provider, group.model].filter(Boolean).join(" · ");
}

/** The metric of sessions that is shown first: a latency that all of them have. */
export const usualMetric = (sessions: SessionSummary[]): string | undefined =>
  ["ttft_s", "e2e_s"].find((name) => sessions.every(({ metrics }) => metrics.includes(name))) ?? sessions[0]?.metrics[0];
