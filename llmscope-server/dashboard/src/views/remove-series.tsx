import { useState } from "preact/hooks";
import { removeSeries } from "../api/calls";
import { errorMessage } from "../api/client";
import type { Series } from "../api/types";
import { Dialog } from "../parts/dialog";
import { groupTitle, metricTitle } from "../metrics";
import { navigate } from "../router";
import { useWriteBarrier } from "../state/access";
import { forget } from "../state/series";

/** Removes a series that is no longer needed. */
export function RemoveSeries({ series }: { series: Series }) {
  const barrier = useWriteBarrier("admin");
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="small" disabled={barrier !== null} title={barrier ?? undefined} data-testid="remove-button" onClick={() => setOpen(true)}>Remove series…</button>
      {open && <RemoveDialog series={series} onClose={() => setOpen(false)} />}
    </>
  );
}

function RemoveDialog({ series, onClose }: { series: Series; onClose: () => void }) {
  const [failed, setFailed] = useState<string | null>(null);
  const remove = async () => {
    try {
      await removeSeries(series.id);
      forget(series.id);
      navigate("/live");
    } catch (error) {
      setFailed(errorMessage(error));
    }
  };
  return (
    <Dialog title="Remove series" testId="remove-dialog" onClose={onClose}>
      <p><b>{groupTitle(series)}: {metricTitle(series.metric)}</b> will be removed, with its limits and all its violations. This cannot be undone.</p>
      <p class="quiet">Its records stay. The next record with the same provider, model and metric starts a new series, which learns its own limits.</p>
      {failed && <p class="bad-text" role="alert">{failed}</p>}
      <div class="dialog-buttons">
        <button type="button" onClick={onClose}>Keep it</button>
        <button type="button" class="danger" data-testid="remove-confirm" onClick={() => void remove()}>Remove</button>
      </div>
    </Dialog>
  );
}
