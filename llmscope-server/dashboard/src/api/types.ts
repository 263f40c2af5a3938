// The types of the HTTP API, as docs/http-api.md and the schemas of the reports define them. Unknown values are absent.

export type Unit = "s" | "s/token" | "1/s" | "USD" | "1" | "ms";
/** What the rules find on a chart. */
export type Verdict = "in_control" | "out_of_control" | "not_enough_data";
/** The answer about a series. */
export type SeriesVerdict = "failing" | "changed" | "stable" | "not_enough_data";
export type Direction = "worse" | "better" | "unknown";
export type Side = "above" | "below" | "both";
export type Scope = "read" | "write" | "admin";
/** One value for all points, or one per point. */
export type Line = number | number[];
export type Interval = [number, number];

/** The power transformation that is applied to values before they are judged; `lambda` 0 is the logarithm. */
export interface Transform {
  lambda: number;
}

export interface Limits {
  lower: number;
  center: number;
  upper: number;
  /** Of the transformed values if there is a transformation. */
  sigma: number;
  transform?: Transform;
}

export interface Series {
  id: number;
  provider: string;
  model?: string;
  metric: string;
  title: string;
  unit: Unit;
  state: "learning" | "watching";
  n: number;
  /** Only while limits are learned. */
  learned?: number;
  need?: number;
  limits?: Limits;
  frozen_at?: string;
  last?: { at: string; value: number };
  verdict: Verdict;
  open_violations: number;
  /** Absent if shifts raise no alarms. */
  alarm?: SeriesAlarm;
}

export interface SeriesAlarm {
  learning: boolean;
  /** The values that later ones are compared with. */
  values: number;
  /** How many independent values carry as much information, while more are needed. */
  information?: number;
  /** 1 raises an alarm. */
  evidence_ratio: number;
  /** One false alarm in this number of values. */
  false_alarms: number;
  /** The smallest change that can be noticed, as a ratio. */
  smallest_visible?: number;
  /** The change of this series, with the id of its open incident. */
  incident?: IncidentMember & { id: number };
}

/** A change of a series, of the failed requests of a model, or the silence of an endpoint. */
export interface IncidentMember {
  model?: string;
  opened_at: string;
  ended_at?: string;
  text: string;
  /** Absent for failures and silence. */
  metric?: string;
  part: "level" | "spread" | "failures" | "no_data";
  direction: Direction;
  since: string;
  /** The level as a multiple of the one before. */
  ratio?: number;
  interval?: Interval;
}

/** Changes of one provider that have one cause. */
export interface Incident extends IncidentMember {
  id: number;
  provider: string;
  members: IncidentMember[];
  status: ViolationStatus;
  acknowledged?: { at: string; by: string };
  resolved?: { at: string; by: string };
  notes: { at: string; by: string; text: string }[];
}

export type ViolationStatus = "new" | "acknowledged" | "resolved";

export interface Violation {
  id: number;
  series: { id: number; provider: string; model?: string; metric: string; unit: Unit };
  rule: string;
  words: string;
  side: Side;
  first_at: string;
  signal_at: string;
  last_at: string;
  signals: number;
  open: boolean;
  value: number;
  limits?: Limits;
  status: ViolationStatus;
  acknowledged?: { at: string; by: string };
  resolved?: { at: string; by: string };
  notes?: { at: string; by: string; text: string }[];
}

export interface ViolationPage {
  violations: Violation[];
  next?: string | number;
}

export interface SessionSummary {
  id: number | string;
  name: string;
  tool?: string;
  uploaded_at: string;
  started_at?: string;
  records: number;
  failed: number;
  /** True if the run used a simulated endpoint. */
  simulated?: boolean;
  providers: string[];
  models: string[];
  metrics: string[];
  notices?: string[];
}

export interface Point {
  i: number;
  t?: string;
  x: number;
  /** The lower sum of a CUSUM chart. */
  lower?: number;
  rules: string[];
  member_of: string[];
}

export interface ReportViolation {
  rule: string;
  first: number;
  last: number;
  signals: number[];
  side: Side;
}

export interface ControlLimits {
  lower: Line;
  center: Line;
  upper: Line;
  /** Of the transformed values if there is a transformation. */
  sigma: Line;
  transform?: Transform;
}

export interface Stage {
  first: number;
  last: number;
  t?: string;
  mean: number;
  /** The p value of the change that begins this stage, if the service detected it. */
  p?: number;
}

export interface Specification {
  lower?: number;
  upper?: number;
  target?: number;
}

/** Where a change is: the position and time of the first value after it, and the interval of the position. */
export interface Since {
  index: number;
  t?: string;
  interval: Interval;
  /** The run that begins there, if the change is one between runs. */
  run?: { index: number; interval: Interval; name: string; t?: string; count: number };
}

/** One change of one part of a series. It has a quotient if all values are positive, or else a difference. */
export interface Change {
  part: "level" | "failures" | "spread" | "slow_requests";
  direction: Direction;
  since: Since;
  ratio?: number;
  difference?: number;
  interval?: Interval;
  before: number;
  after: number;
  p: number;
  p_call: number;
}

export interface Answer {
  part?: Change["part"];
  direction?: Direction;
  since?: Since;
  p_call?: number;
  adjusted_for: string[];
  events: string[];
  changes?: Change[];
  /** The answer as one sentence. */
  text: string;
}

/** What the rules find on the chart. */
export interface Patterns {
  verdict: Verdict;
  rules: string[];
  violations: ReportViolation[];
  /** In how many stable series of as many points a rule signals. */
  false_alarm?: { share: number; points: number };
}

/** The points behind the limits, unless the request names limits or phase I. */
export interface Basis {
  first: number;
  last: number;
  n: number;
  outliers: number;
}

export interface Analysis {
  group: Record<string, string>;
  metric: string;
  unit: Unit;
  verdict: SeriesVerdict;
  answer: Answer;
  n: number;
  excluded: { failed: number; warmup: number; missing: number; not_positive?: number };
  chart: string;
  phase: 1 | 2;
  mean?: number;
  median?: number;
  transform?: Transform;
  sigma?: { within?: number; estimator?: string; overall?: number };
  limits?: ControlLimits;
  basis?: Basis;
  /** Only if the request asks for stages. One stage means that no change of the level was detected. */
  stages?: Stage[];
  patterns: Patterns;
  need?: number;
  dispersion?: { chart: string; violations: ReportViolation[] };
  specification?: Specification;
  capability?: { cp?: number; cp_interval?: Interval; cpk: number; cpk_interval?: Interval };
  performance?: { pp?: number; pp_interval?: Interval; ppk: number; ppk_interval?: Interval };
  confidence?: number;
  observed_ppm?: number;
  expected_ppm?: { within?: number; overall?: number };
  normality?: { anderson_darling: number; p: number };
  autocorrelation?: { lag1: number };
  quantiles?: { p50: number; p90: number; p95: number; p99: number };
  warnings: string[];
  points?: Point[];
}

/** The answer about one series. `analysis` is its position in the report's analyses. */
export interface RankedAnswer {
  analysis: number;
  group: Record<string, string>;
  metric: string;
  verdict: SeriesVerdict;
  direction?: Direction;
  text: string;
}

export interface Report {
  schema: string;
  generated_at?: string;
  /** The result as one sentence. */
  headline: string;
  /** The chance that the report says that a series changed if nothing did. */
  alpha: number;
  /** The number of series that share alpha. */
  comparisons: number;
  decided_by: "changes" | "rules";
  /** The most urgent one first. */
  answers: RankedAnswer[];
  analyses: Analysis[];
  /** The chart of the runs of an analysis, if several sessions are selected: each point is the median of a run. */
  runs?: { analysis: number; chart: Analysis }[];
}

export interface Histogram {
  edges: number[];
  counts: number[];
  n: number;
  unit: Unit;
  specification?: Specification;
}

export type Decision = "worse" | "not_worse" | "cannot_tell" | "not_enough_data";
/** null: the interval is open at this end. */
export type OpenInterval = [number | null, number | null];

export interface Comparison {
  statistic: string;
  baseline?: number;
  candidate?: number;
  shift?: number;
  shift_interval?: OpenInterval;
  difference?: number;
  difference_interval?: OpenInterval;
  allowed: number;
  decision: Decision;
  need?: number;
  need_runs?: number;
  reason?: string;
}

export interface GatePair {
  group: Record<string, string>;
  candidate_group?: Record<string, string>;
  metric: string;
  unit: Unit;
  runs?: { baseline: number; candidate: number; sd: number; assumed: boolean };
  comparisons: Comparison[];
  since_text?: string;
  warnings: string[];
}

export interface Gate {
  schema: string;
  verdict: "pass" | "fail" | "not_enough_data";
  /** More requests failed than allowed, or an objective for failed requests is missed. */
  failing: boolean;
  headline: string;
  alpha: number;
  pairs: GatePair[];
  warnings: string[];
}

export interface GpuSample {
  name?: string;
  utilization?: number;
  memory_used_bytes?: number;
  memory_bytes?: number;
  temperature_c?: number;
  power_w?: number;
}

export interface MachineSample {
  at: string;
  /** 0 to 1, like all utilizations. */
  cpu_utilization?: number;
  memory_used_bytes?: number;
  memory_bytes?: number;
  cpu_temperature_c?: number;
  gpus?: GpuSample[];
}

export interface Machine {
  environment?: { memory_bytes?: number; gpus?: { name: string; memory_bytes?: number }[] };
  sample?: MachineSample;
}

export interface WhoAmI {
  name?: string;
  scopes: Scope[];
  keyless: boolean;
  version: string;
}

export interface LiveEvents {
  hello: { at: string; version: string };
  records: { count: number; series: { id: number; n: number; last?: { at: string; value: number }; signals: string[] }[] };
  series: Series;
  violation: Violation;
  "incident.opened": Incident;
  "incident.worse": Incident;
  "incident.ended": Incident;
  "incident.changed": Incident;
  machine: MachineSample;
  lagged: { missed: number };
}
