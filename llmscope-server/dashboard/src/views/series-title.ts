import { metricTitle } from "../metrics";

/** The provider, the model and the metric of a series: `openai · gpt-4o: time to first token`. */
export function seriesTitle({ group, metric }: { group: Record<string, string>; metric: string }): string {
  const names = Object.entries(group).sort(([a], [b]) => b.localeCompare(a)).map(([, value]) => value).join(" · ");
  return names === "" ? metricTitle(metric) : `${names}: ${metricTitle(metric)}`;
}
