import { useState } from "preact/hooks";
import { acknowledge, addNote, resolve } from "../api/calls";
import { errorMessage } from "../api/client";
import type { Violation } from "../api/types";
import { Dialog } from "../parts/dialog";
import { groupTitle, metricTitle } from "../metrics";

export type ActionKind = "acknowledge" | "resolve" | "note";

export interface Action {
  kind: ActionKind;
  violation: Violation;
}

interface Props {
  action: Action;
  done: (changed: Violation) => void;
  onClose: () => void;
}

const ACTIONS = {
  acknowledge: { title: "Acknowledge violation", verb: "Acknowledge", run: acknowledge },
  resolve: { title: "Resolve violation", verb: "Resolve", run: resolve },
  note: { title: "Note on violation", verb: "Add note", run: addNote },
};

export function NoteDialog({ action: { kind, violation }, done, onClose }: Props) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const { title, verb, run } = ACTIONS[kind];
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      done(await run(violation.id, text.trim()));
      onClose();
    } catch (error) {
      setFailed(errorMessage(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} testId="note-dialog" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <p><b>{violation.rule}</b>: {violation.words}<br /><span class="quiet">{groupTitle(violation.series)}: {metricTitle(violation.series.metric)}</span></p>
        <label class="field">
          <span>{kind === "note" ? "Note" : "Note (optional)"}</span>
          <textarea rows={3} value={text} required={kind === "note"} data-testid="note-input" onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        {failed && <p class="bad-text" role="alert">{failed}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" class="primary" disabled={busy} data-testid="note-submit">{verb}</button>
        </div>
      </form>
    </Dialog>
  );
}
