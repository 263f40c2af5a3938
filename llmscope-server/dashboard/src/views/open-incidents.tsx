import { useState } from "preact/hooks";
import { acknowledgeIncidents, noteOnIncidents, resolveIncidents } from "../api/calls";
import { errorMessage } from "../api/client";
import type { Incident, Series } from "../api/types";
import { Dialog } from "../parts/dialog";
import { Failure } from "../parts/feedback";
import { Icon } from "../parts/icons";
import { Time } from "../parts/time";
import { groupTitle } from "../metrics";
import { counted } from "../quantity";
import { urlOf } from "../router";
import { useWriteBarrier } from "../state/access";
import { useIncidents } from "../state/incidents";

const ACTIONS = {
  acknowledge: { title: "Acknowledge", run: acknowledgeIncidents },
  resolve: { title: "Resolve", run: resolveIncidents },
  note: { title: "Add note", run: noteOnIncidents },
};

interface Action {
  kind: keyof typeof ACTIONS;
  incidents: Incident[];
}

const STATUS = { new: "bad", acknowledged: "warning", resolved: "good" } as const;

/** The open incidents, those for the worse first, each with its members, notes and actions. */
export function OpenIncidents({ list }: { list: Series[] }) {
  const { incidents, error, reload } = useIncidents();
  const [action, setAction] = useState<Action | null>(null);
  const barrier = useWriteBarrier();
  if (error) return <Failure error={error} retry={reload} what="The incidents could not be loaded." />;
  if (!incidents?.length) return null;
  const shown = [...incidents].sort((a, b) => Number(a.direction === "better") - Number(b.direction === "better"));
  const unseen = shown.filter(({ status }) => status === "new");
  return (
    <section class="panel incidents" aria-labelledby="incidents-title" data-testid="open-incidents">
      <div class="incidents-head">
        <h2 id="incidents-title">{counted(shown.length, "open incident")}</h2>
        {unseen.length > 1 && <button type="button" class="small" disabled={barrier !== null} data-testid="ack-all" onClick={() => setAction({ kind: "acknowledge", incidents: unseen })}>Acknowledge all {unseen.length}</button>}
      </div>
      {barrier && <p class="quiet" data-testid="write-barrier">{barrier}</p>}
      <ul>{shown.map((incident) => <Item key={incident.id} {...{ incident, list, barrier }} act={(kind) => setAction({ kind, incidents: [incident] })} />)}</ul>
      {action && <ActionDialog action={action} done={reload} onClose={() => setAction(null)} />}
    </section>
  );
}

interface ItemProps {
  incident: Incident;
  list: Series[];
  barrier: string | null;
  act: (kind: Action["kind"]) => void;
}

function Item({ incident, list, barrier, act }: ItemProps) {
  const { id, status, text, direction, opened_at: openedAt, notes, acknowledged, members } = incident;
  const first = members.find(({ metric }) => metric !== undefined);
  const series = list.find((one) => one.provider === incident.provider && one.model === first?.model && one.metric === first?.metric);
  const name = groupTitle(incident);
  return (
    <li data-testid="incident" data-id={id} data-status={status}>
      <div class="incident-text">
        <p><span class={`badge ${direction === "better" ? "good" : STATUS[status]}`}><Icon name={direction === "better" ? "check" : "alert"} />{status}</span> <b>{name}</b></p>
        <p>{text}.</p>
        <p class="quiet">{counted(members.length, "series", "series")}, alarm at <Time at={openedAt} />{acknowledged && <>, acknowledged by {acknowledged.by} at <Time at={acknowledged.at} /></>}</p>
        {notes.map(({ at, by, text: note }) => <p key={at + note} class="quiet" data-testid="incident-note">“{note}” {by}, <Time at={at} /></p>)}
      </div>
      <div class="incident-actions">
        {series && <a class="button small" href={urlOf("/live", { series: series.id })}><Icon name="link" />Chart<span class="sr-only"> of {name}</span></a>}
        {(["acknowledge", "resolve", "note"] as const).map((kind) => (
          <button key={kind} type="button" class="small" data-testid={`incident-${kind}`} disabled={barrier !== null || (kind === "acknowledge" && status !== "new") || (kind === "resolve" && status === "resolved")} onClick={() => act(kind)}>
            {kind === "note" ? "Note" : ACTIONS[kind].title}<span class="sr-only"> incident {id}</span>
          </button>
        ))}
      </div>
    </li>
  );
}

function ActionDialog({ action: { kind, incidents }, done, onClose }: { action: Action; done: () => void; onClose: () => void }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const { title, run } = ACTIONS[kind];
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await run(incidents.map(({ id }) => id), text.trim());
      done();
      onClose();
    } catch (error) {
      setFailed(errorMessage(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={`${title}: ${counted(incidents.length, "incident")}`} testId="incident-dialog" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <p>{incidents.map((incident) => groupTitle(incident)).join(", ")}</p>
        {kind === "resolve" && <p class="quiet">A resolved incident sends no further message.</p>}
        <label class="field">
          <span>{kind === "note" ? "Note" : "Note (optional)"}</span>
          <textarea rows={3} value={text} required={kind === "note"} data-testid="incident-note-input" onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        {failed && <p class="bad-text" role="alert">{failed}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>Cancel</button>
          <button type="submit" class="primary" disabled={busy} data-testid="incident-submit">{title}</button>
        </div>
      </form>
    </Dialog>
  );
}
