import type { ComponentChildren } from "preact";
import type { Analysis, Interval, Line } from "../api/types";
import { transformName } from "../chart/zones";
import { count, counted, index, number, quantity } from "../quantity";

const ESTIMATORS: Record<string, string> = {
  average_moving_range: "from moving ranges",
  median_moving_range: "from the median moving range",
  average_range: "from subgroup ranges",
  average_standard_deviation: "from subgroup deviations",
  given: "given",
};

interface Fact {
  id: string;
  name: string;
  value: ComponentChildren;
  note?: string;
  title?: string;
}

/** The statistics that the service computed for the values on the chart. */
export function Statistics({ analysis }: { analysis: Analysis }) {
  return (
    <section class="panel statistics" aria-label="Statistics" data-testid="statistics">
      <Facts title="Level and dispersion" facts={levels(analysis)} />
      <Facts title="Quantiles" facts={quantiles(analysis)} />
      <Facts title="Control limits" facts={limits(analysis)} />
      <Capability analysis={analysis} />
    </section>
  );
}

function Facts({ title, facts }: { title: string; facts: Fact[] }) {
  if (facts.length === 0) return null;
  return (
    <div class="facts">
      <h2>{title}</h2>
      <dl>
        {facts.map(({ id, name, value, note, title: hint }) => (
          <div key={id} title={hint}>
            <dt>{name}</dt>
            <dd><span class="value" data-testid={`stat-${id}`}>{value}</span>{note && <span class="note">{note}</span>}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function levels(analysis: Analysis): Fact[] {
  const show = quantityOf(analysis);
  const { sigma, transform } = analysis;
  // Transformed values have no unit.
  const sigmaText = (value: number | undefined) => (transform && value !== undefined ? number(value) : show(value));
  return present([
    { id: "n", name: "n", value: count(analysis.n), note: exclusions(analysis) },
    { id: "mean", name: "Mean", value: show(analysis.mean) },
    { id: "median", name: "Median", value: show(analysis.median) },
    { id: "sigma-within", name: "σ within", value: sigmaText(sigma?.within), title: `Short-term standard deviation, ${ESTIMATORS[sigma?.estimator ?? ""] ?? sigma?.estimator ?? ""}` },
    { id: "sigma-overall", name: "σ overall", value: sigmaText(sigma?.overall), title: "Long-term sample standard deviation" },
    { id: "transform", name: "Transform", value: transform ? transformName(transform) : null, title: "Sigma, zones and capability are those of the transformed values; limits are transformed back to the unit" },
  ]);
}

function exclusions({ excluded: { failed, warmup, missing, not_positive: notPositive = 0 } }: Analysis): string | undefined {
  const parts = [[failed, "failed"], [warmup, "warm-up"], [missing, "missing"], [notPositive, "not positive"]] as const;
  const some = parts.filter(([number]) => number > 0).map(([number, what]) => `${count(number)} ${what}`);
  return some.length > 0 ? `without ${some.join(", ")}` : undefined;
}

function quantiles(analysis: Analysis): Fact[] {
  const show = quantityOf(analysis);
  const names = ["p50", "p90", "p95", "p99"] as const;
  return present(names.map((name) => ({ id: name, name, value: show(analysis.quantiles?.[name]) })));
}

function limits(analysis: Analysis): Fact[] {
  const show = quantityOf(analysis);
  const { limits: lines } = analysis;
  if (!lines) return [];
  const varies = typeof lines.upper !== "number";
  return present([
    { id: "ucl", name: "UCL", value: show(last(lines.upper)), note: varies ? "at the last point" : undefined },
    { id: "cl", name: "Center", value: show(last(lines.center)) },
    { id: "lcl", name: "LCL", value: show(last(lines.lower)) },
    ...basis(analysis),
    ...stages(analysis),
    { id: "phase", name: "Phase", value: analysis.phase === 1 ? "I" : "II", note: analysis.phase === 1 ? "from these data" : "frozen" },
  ]);
}

/** The points from which the limits come: by default those of the last stage, without its outliers. */
function basis({ basis: from, n }: Analysis): Fact[] {
  if (!from) return [];
  const { first, last: end, outliers } = from;
  const isAll = end + 1 - first === n;
  const value = isAll ? "all points" : `points ${count(first)} to ${count(end)}`;
  const notes = [!isAll && "the last stage", outliers > 0 && `without ${counted(outliers, "outlier")}`];
  return [{ id: "basis", name: "Limits from", value, note: notes.filter(Boolean).join(", ") || undefined }];
}

/** The stages, each with its own limits: where they begin, and their means. */
function stages(analysis: Analysis): Fact[] {
  const [, ...later] = analysis.stages ?? [];
  if (!analysis.stages) return [];
  const show = quantityOf(analysis);
  const begins = later.map(({ first, mean }) => `from ${count(first)} on ${show(mean)}`);
  return [{ id: "stages", name: "Stages", value: count(later.length + 1), note: begins.join("; ") || "no change of the level detected", title: "Stages, each with its own limits, and their means" }];
}

function Capability({ analysis }: { analysis: Analysis }) {
  const { capability, performance, specification } = analysis;
  if (!specification) {
    return (
      <div class="facts">
        <h2>Capability</h2>
        <p class="quiet">Enter an upper or lower specification limit (USL, LSL) to compute Cp, Cpk, Pp and Ppk. A service level objective is a USL.</p>
      </div>
    );
  }
  return (
    <Facts
      title="Capability"
      facts={present([
        indexFact("cp", "Cp", capability?.cp, capability?.cp_interval),
        indexFact("cpk", "Cpk", capability?.cpk, capability?.cpk_interval),
        indexFact("pp", "Pp", performance?.pp, performance?.pp_interval),
        indexFact("ppk", "Ppk", performance?.ppk, performance?.ppk_interval),
        { id: "observed-ppm", name: "Outside", value: analysis.observed_ppm === undefined ? null : `${count(Math.round(analysis.observed_ppm))} ppm`, title: "Values outside the specification limits, per million" },
      ])}
    />
  );
}

function indexFact(id: string, name: string, value?: number, interval?: Interval): Fact {
  return { id, name, value: value === undefined ? null : index(value), note: interval && `${index(interval[0])} to ${index(interval[1])}` };
}

const last = (line: Line): number => (typeof line === "number" ? line : (line.at(-1) ?? 0));

const present = (facts: Fact[]): Fact[] => facts.filter(({ value }) => value !== null);

const quantityOf = (analysis: Analysis) => {
  // Transformed sigma is not in the unit of the values. A third of the distance from center line to limit is.
  const { limits: lines } = analysis;
  const overall = analysis.transform && lines ? (last(lines.upper) - last(lines.center)) / 3 : (analysis.sigma?.overall ?? 0);
  const resolution = overall / 100;
  return (value: number | undefined) => (value === undefined ? null : quantity(analysis.chart === "p" ? "1" : analysis.unit, value, resolution));
};
