import { useState } from "preact/hooks";
import { deleteSession } from "../api/calls";
import { errorMessage } from "../api/client";
import type { SessionSummary } from "../api/types";
import { Dialog } from "../parts/dialog";
import { counted } from "../quantity";

interface Props {
  session: SessionSummary;
  done: () => void;
  onClose: () => void;
}

export function DeleteDialog({ session, done, onClose }: Props) {
  const [failed, setFailed] = useState<string | null>(null);
  const remove = async () => {
    try {
      await deleteSession(session.id);
      done();
      onClose();
    } catch (error) {
      setFailed(errorMessage(error));
    }
  };
  return (
    <Dialog title="Delete session" testId="delete-dialog" onClose={onClose}>
      <p><b>{session.name}</b> with {counted(session.records, "request")} will be deleted. This cannot be undone.</p>
      {failed && <p class="bad-text" role="alert">{failed}</p>}
      <div class="dialog-buttons">
        <button type="button" onClick={onClose}>Keep it</button>
        <button type="button" class="danger" data-testid="delete-confirm" onClick={() => void remove()}>Delete</button>
      </div>
    </Dialog>
  );
}
