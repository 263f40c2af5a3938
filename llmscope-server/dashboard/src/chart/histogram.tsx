import type { Analysis, Histogram as Data } from "../api/types";
import { counted, inScale, number, scaleOf } from "../quantity";

interface Line {
  name: string;
  value: number;
  kind: "limit" | "center" | "spec";
}

const WIDTH = 520;
const HEIGHT = 216;
const TOP = 34;
const BOTTOM = 182;
const LEFT = 10;
const RIGHT = WIDTH - 10;

/** A histogram of the values with control limits and specification limits. */
export function Histogram({ data, analysis }: { data: Data; analysis: Analysis }) {
  const lines = linesOf(data, analysis);
  const [low, high] = extent(data, lines);
  const scale = scaleOf(data.unit, Math.max(Math.abs(low), Math.abs(high)));
  const x = (value: number) => LEFT + ((value - low) / (high - low || 1)) * (RIGHT - LEFT);
  const most = Math.max(1, ...data.counts);
  const y = (count: number) => BOTTOM - (count / most) * (BOTTOM - TOP);
  const ticks = ticksOf(low * scale.factor, high * scale.factor);
  const range = `${inScale(scale, data.edges[0] ?? 0)} to ${inScale(scale, data.edges.at(-1) ?? 0)}`;
  const text = `Histogram of ${counted(data.n, "value")} from ${range}. ${lines.map(({ name, value }) => `${name} ${inScale(scale, value)}`).join(", ")}`;
  return (
    <svg class="histogram" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={text} data-testid="histogram" data-n={data.n}>
      {data.counts.map((count, k) => {
        const [from, to] = [x(data.edges[k] as number), x(data.edges[k + 1] as number)];
        return (
          <rect key={k} class="bar" x={from + 0.5} y={y(count)} width={Math.max(to - from - 1, 0.5)} height={BOTTOM - y(count)}>
            <title>{`${inScale(scale, data.edges[k] as number)} to ${inScale(scale, data.edges[k + 1] as number)}: ${counted(count, "value")}`}</title>
          </rect>
        );
      })}
      <line class="base" x1={LEFT} x2={RIGHT} y1={BOTTOM} y2={BOTTOM} />
      {ticks.map((tick) => (
        <text key={tick} class="tick" x={x(tick / scale.factor)} y={BOTTOM + 15} text-anchor="middle">{number(tick).replace(/\.0+$|(\.\d*?)0+$/, "$1")}</text>
      ))}
      <text class="tick" x={RIGHT} y={HEIGHT - 4} text-anchor="end">{scale.symbol}</text>
      {inRows(lines.map((line) => ({ ...line, x: x(line.value) }))).map(({ name, kind, x: place, row }) => (
        <g key={name} class={kind}>
          <line x1={place} x2={place} y1={row === 0 ? 15 : 29} y2={BOTTOM} />
          <text x={place} y={row === 0 ? 11 : 25} text-anchor="middle">{name}</text>
        </g>
      ))}
    </svg>
  );
}

function linesOf(data: Data, analysis: Analysis): Line[] {
  const found: Line[] = [];
  const add = (name: string, value: unknown, kind: Line["kind"]) => typeof value === "number" && found.push({ name, value, kind });
  // Limits of means and sums do not apply to single values.
  if (analysis.chart === "individuals" && analysis.limits) {
    add("LCL", analysis.limits.lower, "limit");
    add("CL", analysis.limits.center, "center");
    add("UCL", analysis.limits.upper, "limit");
  }
  add("LSL", data.specification?.lower ?? analysis.specification?.lower, "spec");
  add("USL", data.specification?.upper ?? analysis.specification?.upper, "spec");
  add("T", data.specification?.target ?? analysis.specification?.target, "spec");
  return found;
}

function extent(data: Data, lines: Line[]): [number, number] {
  const all = [...data.edges, ...lines.map(({ value }) => value)];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const pad = (high - low) * 0.03;
  return [low - pad, high + pad];
}

function ticksOf(low: number, high: number): number[] {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((multiple) => multiple * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** Puts names that would overlap into two rows. */
function inRows<T extends { x: number }>(lines: T[]): (T & { row: 0 | 1 })[] {
  let before = { x: Number.NEGATIVE_INFINITY, row: 1 as 0 | 1 };
  return [...lines].sort((a, b) => a.x - b.x).map((line) => {
    const row: 0 | 1 = line.x - before.x < 30 && before.row === 0 ? 1 : 0;
    before = { x: line.x, row };
    return { ...line, row };
  });
}
