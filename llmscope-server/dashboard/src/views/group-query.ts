import type { Analysis, Series } from "../api/types";
import type { Patch } from "../router";

/** The query for one group of what is selected. One without a model is only told from others by its series. */
export function groupQuery(selection: Patch, { group, metric }: Analysis, list: Series[]): Patch {
  const { provider, model } = group;
  const asked = { ...selection, metric, ...(provider && { provider }), ...(model && { model }) };
  if (model || selection.by || selection.series || selection.session) return asked;
  const series = list.find((one) => one.provider === provider && one.model === undefined);
  return series ? { ...asked, series: series.id } : asked;
}
