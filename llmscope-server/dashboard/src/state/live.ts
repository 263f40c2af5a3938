import { useEffect, useRef } from "preact/hooks";
import { onLive } from "../api/stream";

/**
 * Reloads when records of a series arrive, and when events may have been missed. A hidden page reloads once it is visible
 * again.
 */
export function useLiveReload(series: number | null, reload: () => void): void {
  const latest = useRef(reload);
  latest.current = reload;
  const missed = useRef(false);
  useEffect(() => {
    const refresh = () => {
      missed.current = document.hidden;
      if (!document.hidden) latest.current();
    };
    const seen = () => missed.current && refresh();
    document.addEventListener("visibilitychange", seen);
    const ends = [
      onLive("hello", refresh),
      onLive("lagged", refresh),
      onLive("records", (arrived) => arrived.series.some(({ id }) => id === series) && refresh()),
      onLive("series", (changed) => changed.id === series && refresh()),
      () => document.removeEventListener("visibilitychange", seen),
    ];
    return () => ends.forEach((end) => end());
  }, [series]);
}
