import { useEffect } from "preact/hooks";
import { openIncidents } from "../api/calls";
import { onLive } from "../api/stream";
import type { Incident } from "../api/types";
import { useLoaded } from "./loaded";

/** The open incidents, newest first, kept up to date with the events of the service. */
export function useIncidents(): { incidents: Incident[] | null; error: Error | null; reload: () => void } {
  const { data, error, reload } = useLoaded("incidents", openIncidents);
  useEffect(() => {
    const names = ["hello", "lagged", "incident.opened", "incident.worse", "incident.ended", "incident.changed"] as const;
    const ends = names.map((name) => onLive(name, reload));
    return () => ends.forEach((end) => end());
  }, []);
  return { incidents: data?.incidents ?? null, error, reload };
}
