import type { Analysis, Series } from "../api/types";
import type { Patch } from "../router";

/** The query for one group of the selection. A group without a model can only be selected by its series. */
export function groupQuery(selection: Patch, { group, metric }: Analysis, list: Series[]): Patch {
  const { provider, model } = group;
  const query = { ...selection, metric, ...(provider && { provider }), ...(model && { model }) };
  if (model || selection.by || selection.series || selection.session) return query;
  const series = list.find((one) => one.provider === provider && one.model === undefined);
  return series ? { ...query, series: series.id } : query;
}
