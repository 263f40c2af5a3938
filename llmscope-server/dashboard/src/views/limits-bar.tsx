import { useState } from "preact/hooks";
import { freezeFrom, learnAnew } from "../api/calls";
import { wordsOfError } from "../api/client";
import type { Series } from "../api/types";
import { Dialog } from "../parts/dialog";
import { Time } from "../parts/time";
import { WINDOWS, windowQuery } from "../metrics";
import { counted } from "../quantity";
import { useWriteBarrier } from "../state/access";
import { put } from "../state/series";
import { RemoveSeries } from "./remove-series";

interface Props {
  series: Series;
  window: string;
}

/** Where the limits of a series come from, and how to get others. */
export function LimitsBar({ series, window }: Props) {
  const barrier = useWriteBarrier();
  const [open, setOpen] = useState(false);
  return (
    <div class="limits-bar">
      <p class="quiet">
        {series.state === "learning" ? `Limits are frozen once ${counted(series.need ?? 0, "value")} have arrived; until then they come from the values shown.` : series.frozen_at ? <>Limits frozen <Time at={series.frozen_at} /></> : "Limits are frozen."}
      </p>
      <button type="button" class="small" disabled={barrier !== null} title={barrier ?? undefined} data-testid="limits-button" onClick={() => setOpen(true)}>Change limits…</button>
      <RemoveSeries series={series} />
      {barrier && <p class="quiet" data-testid="write-barrier">{barrier}</p>}
      {open && <LimitsDialog series={series} window={window} onClose={() => setOpen(false)} />}
    </div>
  );
}

function LimitsDialog({ series, window, onClose }: Props & { onClose: () => void }) {
  const [way, setWay] = useState<"anew" | "window">("window");
  const [failed, setFailed] = useState<string | null>(null);
  const title = WINDOWS.find(([code]) => code === window)?.[1] ?? window;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      put(await (way === "anew" ? learnAnew(series.id) : freezeFrom(series.id, partOf(window))));
      onClose();
    } catch (error) {
      setFailed(wordsOfError(error));
    }
  };
  const choice = (value: typeof way, text: string) => (
    <label class="check">
      <input type="radio" name="limits" checked={way === value} data-testid={`limits-${value}`} onChange={() => setWay(value)} />
      <span>{text}</span>
    </label>
  );
  return (
    <Dialog title="Change limits" testId="limits-dialog" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <p>From then on every value is judged by the new limits.</p>
        {choice("window", `Freeze limits from this window (${title})`)}
        {choice("anew", "Learn anew from the next values")}
        {failed && <p class="bad-text" role="alert">{failed}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>Keep the limits</button>
          <button type="submit" class="primary" data-testid="limits-submit">Change</button>
        </div>
      </form>
    </Dialog>
  );
}

function partOf(window: string): { from?: string; limit?: number } {
  const { hours, limit } = windowQuery(window);
  if (typeof hours === "number") return { from: new Date(Date.now() - hours * 3_600_000).toISOString() };
  return window === "all" ? {} : { limit: Number(limit) };
}
