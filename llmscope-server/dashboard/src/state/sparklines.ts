import { useEffect, useState } from "preact/hooks";
import { sparklines } from "../api/calls";
import { onLive } from "../api/stream";
import { extended, type Sparklines } from "../sparkline";
import { useLoaded } from "./loaded";

/** The last values of all series. Further values come with the events of the service. */
export function useSparklines(): Sparklines {
  const { data, reload } = useLoaded("sparklines", sparklines);
  const [known, setKnown] = useState<Sparklines>(new Map());
  useEffect(() => {
    if (data) setKnown(new Map(data.series.map(({ id, values }) => [id, values])));
  }, [data]);
  useEffect(() => {
    const ends = [onLive("hello", reload), onLive("lagged", reload), onLive("records", (arrived) => setKnown((before) => extended(before, arrived)))];
    return () => ends.forEach((end) => end());
  }, []);
  return known;
}
