import { useState } from "preact/hooks";
import { freezeFrom, relearnLimits } from "../api/calls";
import { errorMessage } from "../api/client";
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

/** Shows where the limits of a series come from, and offers to change them. */
export function LimitsBar({ series, window }: Props) {
  const barrier = useWriteBarrier();
  const [open, setOpen] = useState(false);
  return (
    <div class="limits-bar">
      <p class="quiet">
        {series.state === "learning" ? `Limits are frozen after ${counted(series.need ?? 0, "value")}; until then, they are computed from the values shown.` : series.frozen_at ? <>Limits frozen <Time at={series.frozen_at} /></> : "Limits are frozen."}
      </p>
      <button type="button" class="small" disabled={barrier !== null} title={barrier ?? undefined} data-testid="limits-button" onClick={() => setOpen(true)}>Change limits…</button>
      <RemoveSeries series={series} />
      {barrier && <p class="quiet" data-testid="write-barrier">{barrier}</p>}
      {open && <LimitsDialog series={series} window={window} onClose={() => setOpen(false)} />}
    </div>
  );
}

function LimitsDialog({ series, window, onClose }: Props & { onClose: () => void }) {
  const [source, setSource] = useState<"relearn" | "window">("window");
  const [failed, setFailed] = useState<string | null>(null);
  const title = WINDOWS.find(([code]) => code === window)?.[1] ?? window;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      put(await (source === "relearn" ? relearnLimits(series.id) : freezeFrom(series.id, partOf(window))));
      onClose();
    } catch (error) {
      setFailed(errorMessage(error));
    }
  };
  const choice = (value: typeof source, text: string) => (
    <label class="check">
      <input type="radio" name="limits" checked={source === value} data-testid={`limits-${value}`} onChange={() => setSource(value)} />
      <span>{text}</span>
    </label>
  );
  return (
    <Dialog title="Change limits" testId="limits-dialog" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <p>The service judges all further values by the new limits.</p>
        {choice("window", `Freeze limits from this window (${title})`)}
        {choice("relearn", "Learn the limits again from the next values")}
        {failed && <p class="bad-text" role="alert">{failed}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>Keep limits</button>
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
