import { useEffect } from "preact/hooks";
import { allSeries } from "../api/calls";
import { onLive } from "../api/stream";
import type { LiveEvents, Series } from "../api/types";
import { Store, useStore } from "../store";
import { useLoaded } from "./loaded";

export interface SeriesState {
  list: Series[] | null;
  error: Error | null;
  reload: () => void;
}

export const series = new Store<SeriesState>({ list: null, error: null, reload: () => undefined });

/** Keeps the list of series up to date with the events of the service. The app calls it once for all views. */
export function useSeriesWatch(): void {
  const { data, error, reload } = useLoaded("series", allSeries);
  useEffect(() => series.set({ list: data ? newest(series.get().list ?? [], data.series) : null, error, reload }), [data, error]);
  useEffect(() => {
    const ends = [
      onLive("hello", reload),
      onLive("lagged", reload),
      onLive("violation", reload),
      onLive("series", (changed) => update((list) => (replaced(list, changed)))),
      onLive("records", (arrived) => {
        const list = series.get().list;
        if (!list || arrived.series.some(({ id }) => !list.some((known) => known.id === id))) reload();
        else update((known) => advanced(known, arrived));
      }),
    ];
    return () => ends.forEach((end) => end());
  }, []);
}

export const useSeries = (): SeriesState => useStore(series);

export function put(changed: Series): void {
  update((list) => replaced(list, changed));
}

export function forget(id: number): void {
  update((list) => list.filter((known) => known.id !== id));
}

function update(change: (list: Series[]) => Series[]): void {
  const state = series.get();
  if (state.list) series.set({ ...state, list: change(state.list) });
}

export function replaced(list: Series[], changed: Series): Series[] {
  return list.some(({ id }) => id === changed.id) ? list.map((known) => (known.id === changed.id ? changed : known)) : [...list, changed];
}

/** The list with counts and last values after new records. While limits are learned, each record counts towards them. */
export function advanced(list: Series[], arrived: LiveEvents["records"]): Series[] {
  const updates = new Map(arrived.series.map((entry) => [entry.id, entry]));
  return list.map((known) => {
    const entry = updates.get(known.id);
    if (!entry) return known;
    return { ...known, n: entry.n, last: entry.last ?? known.last, ...(known.state === "learning" && { learned: learnedBy(known, entry.n) }) };
  });
}

/** The list from the service, with the values that events brought while it was on its way. */
export function newest(known: Series[], answered: Series[]): Series[] {
  const time = (one: Series | undefined) => (one?.last ? Date.parse(one.last.at) : -Infinity);
  const before = new Map(known.map((one) => [one.id, one]));
  return answered.map((one) => {
    const seen = before.get(one.id);
    return seen && one.last && time(seen) > time(one) ? { ...one, n: Math.max(one.n, seen.n), last: seen.last } : one;
  });
}

function learnedBy({ learned = 0, need = 0, n: before }: Series, n: number): number {
  return Math.min(learned + Math.max(n - before, 0), need);
}
