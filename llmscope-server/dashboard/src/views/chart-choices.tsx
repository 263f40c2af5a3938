import { Choice } from "../parts/fields";
import type { PlotSettings, Range } from "../chart/plot";
import type { Patch } from "../router";

interface Props {
  query: URLSearchParams;
  change: (patch: Patch) => void;
}

/** How the chart is drawn. The choices change no result. */
export function ChartChoices({ query, change }: Props) {
  return (
    <div class="chart-choices">
      <Choice label="Horizontal axis" value={query.get("x") ?? "order"} options={[["order", "by order"], ["time", "by time"]]} onPick={(value) => change({ x: value === "order" ? null : value })} testId="along" />
      <Choice label="Vertical axis" value={query.get("y") ?? "all"} options={[["all", "all values"], ["limits", "near limits"]]} onPick={(value) => change({ y: value === "all" ? null : value })} testId="fit" />
    </div>
  );
}

export function settingsOf(query: URLSearchParams, phaseOne: Range | null, brushing = false): PlotSettings {
  return { xAxis: query.get("x") === "time" ? "time" : "order", fit: query.get("y") === "limits" ? "limits" : "all", brushing, phaseOne };
}
