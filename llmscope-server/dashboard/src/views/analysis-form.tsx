import { allSessions } from "../api/calls";
import { Select, TextField } from "../parts/fields";
import { CHARTS, hasSubgroups, METRICS, metricTitle, WINDOWS, type Option } from "../metrics";
import type { Patch } from "../router";
import { NELSON, RULE_SETS } from "../rules";
import { useLoaded } from "../state/loaded";
import { useSeries } from "../state/series";
import { chosenRules, limitSource } from "./analysis-query";
import { SpecificationFields } from "./specification-fields";

interface Props {
  query: URLSearchParams;
  change: (patch: Patch) => void;
}

const GROUPINGS: readonly Option[] = [["", "provider and model"], ["provider", "provider"], ["model", "model"], ["none", "nothing: one group"]];
const LIMITS: readonly Option[] = [
  ["default", "frozen, if available"], ["frozen", "frozen"], ["data", "from these data"], ["stages", "per stage"], ["phase1", "from phase I…"],
];

// For values with a long tail, both limits are too low unless the values are transformed.
const TRANSFORMS: readonly Option[] = [["", "service default"], ["none", "none"], ["log", "logarithm"], ["box-cox", "Box–Cox"], ["auto", "Box–Cox, if not normal"]];

export function AnalysisForm({ query, change }: Props) {
  const value = (name: string) => query.get(name) ?? "";
  const { metrics, providers, models, sessions } = useChoices(value("session"));
  const chart = query.get("chart") ?? "individuals";
  const series = useSeries().list?.find(({ id }) => String(id) === value("series"));
  const metric = query.get("metric") ?? series?.metric ?? "ttft_s";
  const { provider = "", model = "" } = series ?? { provider: value("provider"), model: value("model") };
  // With another provider or model, the selection is no longer that series.
  const pick = (patch: Patch) => change({ series: null, metric, provider, model, phase1: null, at: null, ...patch });
  return (
    <form class="panel form" aria-label="Analysis settings" onSubmit={(event) => event.preventDefault()} data-testid="analysis-form">
      <div class="form-row">
        <Select label="Records" value={value("session")} options={sessions} onPick={(session) => change({ session, series: null, metric, provider: null, model: null, limits: null, phase1: null, from: null, to: null, at: null })} testId="session-select" />
        <Select label="Metric" value={metric} options={metrics} onPick={(chosen) => change({ metric: chosen, phase1: null, at: null, ...(chosen === "error_rate" ? { transform: null } : {}) })} testId="metric-select" />
        <Select label="Provider" value={provider} options={providers} onPick={(chosen) => pick({ provider: chosen })} testId="provider-select" />
        <Select label="Model" value={model} options={models} onPick={(chosen) => pick({ model: chosen })} testId="model-select" />
        <Select label="Group by" value={value("by")} options={GROUPINGS} onPick={(by) => change({ by, group: null })} testId="by-select" />
        {value("from") || value("to")
          ? <label class="field"><span>Window</span><button type="button" data-testid="span-reset" onClick={() => change({ from: null, to: null, at: null })}>Around a violation: show all</button></label>
          : <Select label="Window" value={query.get("window") ?? "all"} options={WINDOWS} onPick={(window) => change({ window: window === "all" ? null : window, phase1: null })} testId="window-select" />}
      </div>
      <div class="form-row">
        <Select label="Chart" value={chart} options={CHARTS} onPick={(kind) => change(chartPatch(kind, metric))} testId="chart-select" />
        {hasSubgroups(chart) && <TextField label="Subgroup size" value={query.get("subgroup") ?? "5"} onCommit={(subgroup) => change({ subgroup })} testId="subgroup-input" />}
        {chart === "individuals" && metric !== "error_rate" && <Select label="Transform" value={value("transform")} options={TRANSFORMS} onPick={(transform) => change({ transform })} testId="transform-select" />}
        <RuleFields query={query} change={change} />
        <Select label="Limits" value={limitSource(query)} options={LIMITS} onPick={(source) => change(limitPatch(source))} testId="limits-select" />
        {limitSource(query) === "phase1" && <TextField label="Phase I" value={value("phase1")} title="N for the first N points, or A..B for points A to B-1" onCommit={(phase1) => change({ phase1 })} testId="phase1-input" />}
        <SpecificationFields query={query} change={change} />
      </div>
    </form>
  );
}

function RuleFields({ query, change }: Props) {
  const rules = query.get("rules");
  const chosen = chosenRules(rules);
  const toggle = (rule: number, on: boolean) => {
    const next = on ? [...(chosen ?? []), rule].sort((a, b) => a - b) : (chosen ?? []).filter((other) => other !== rule);
    change({ rules: next.length > 0 ? next.join(",") : "none" });
  };
  return (
    <>
      <Select label="Rules" value={chosen ? "list" : (rules ?? "nelson")} options={[...RULE_SETS, ["list", "Nelson, selected rules"], ["none", "none"]]} onPick={(set) => change({ rules: set === "list" ? "1,2,3,4,5,6,7,8" : set === "nelson" ? null : set })} testId="rules-select" />
      {chosen && (
        <fieldset class="rule-list" data-testid="rule-list">
          <legend>Nelson’s rules</legend>
          {NELSON.map((description, k) => (
            <label key={k} class="check">
              <input type="checkbox" checked={chosen.includes(k + 1)} data-testid={`rule-${k + 1}`} onChange={(event) => toggle(k + 1, event.currentTarget.checked)} />
              <span><b>{k + 1}</b> {description}</span>
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}

/** A p chart always shows the share of failed requests. */
function chartPatch(kind: string, before: string): Patch {
  const metric = kind === "p" ? "error_rate" : before === "error_rate" ? "ttft_s" : before;
  return { chart: kind === "individuals" ? null : kind, metric, phase1: null, ...(kind === "individuals" ? {} : { transform: null }) };
}

function limitPatch(source: string): Patch {
  const none = { limits: null, phase1: null, stages: null };
  if (source === "phase1") return { ...none, phase1: "30" };
  if (source === "stages") return { ...none, stages: "auto" };
  return { ...none, limits: source === "default" ? null : source };
}

/** The options of the form: those of the series, or those of the selected session. */
function useChoices(session: string) {
  const { list } = useSeries();
  const { data } = useLoaded("sessions", allSessions);
  const ids = session.split(",");
  const chosen = data?.sessions.filter(({ id }) => ids.includes(String(id))) ?? [];
  const series = list ?? [];
  const any = (names: (string | undefined)[]): Option[] => [["", "any"], ...[...new Set(names)].flatMap((name) => (name ? [[name, name] as const] : []))];
  const known = session ? chosen.flatMap(({ metrics }) => metrics) : series.map(({ metric }) => metric);
  const metrics = [...new Set([...known, ...METRICS])].map((metric) => [metric, metricTitle(metric)] as const);
  const several: Option[] = ids.length > 1 ? [[session, `${ids.length} sessions`]] : [];
  const sessions: Option[] = [["", "live records"], ...several, ...(data?.sessions ?? []).map(({ id, name }) => [String(id), name] as const)];
  return {
    metrics,
    providers: any(session ? chosen.flatMap((one) => one.providers) : series.map(({ provider }) => provider)),
    models: any(session ? chosen.flatMap((one) => one.models) : series.map(({ model }) => model)),
    sessions,
  };
}
