import { useState } from "preact/hooks";
import type { SessionSummary } from "../api/types";
import { Time } from "../parts/time";
import { usualMetric } from "../metrics";
import { count } from "../quantity";
import { type Patch, urlOf } from "../router";

interface Props {
  sessions: SessionSummary[];
  query: URLSearchParams;
  change: (patch: Patch) => void;
  barrier: string | null;
  remove: (session: SessionSummary) => void;
}

export function SessionTable({ sessions, query, change, barrier, remove }: Props) {
  const [baseline, setBaseline] = useState(query.get("baseline") ?? "");
  const [candidate, setCandidate] = useState(query.get("candidate") ?? "");
  const [runs, setRuns] = useState<readonly string[]>([]);
  const setRun = (id: string, on: boolean) => setRuns(on ? [...runs, id] : runs.filter((other) => other !== id));
  const ready = baseline !== "" && candidate !== "" && baseline !== candidate;
  return (
    <>
      <div class="panel scroll" tabIndex={0} role="region" aria-label="Sessions, scrollable">
        <table class="sessions cards" data-testid="sessions-table">
          <caption class="sr-only">Sessions</caption>
          <thead>
            <tr><th scope="col">Baseline</th><th scope="col">Candidate</th><th scope="col">Run</th><th scope="col">Session</th><th scope="col">Provider, model</th><th scope="col" class="number">Requests</th><th scope="col">Uploaded</th><th scope="col" class="actions">Actions</th></tr>
          </thead>
          <tbody>
            {sessions.map((session) => (
              <Row key={session.id} {...{ session, barrier, remove, baseline, candidate, setBaseline, setCandidate, runs, setRun }} />
            ))}
          </tbody>
        </table>
      </div>
      <div class="compare-bar">
        <button type="button" class="primary" disabled={!ready} data-testid="compare-button" onClick={() => change({ baseline, candidate })}>Compare</button>
        <p class="quiet">{ready ? "Is the candidate worse than the baseline?" : baseline !== "" && baseline === candidate ? "Baseline and candidate are the same session." : "Select a baseline and a candidate."}</p>
      </div>
      <Runs runs={sessions.filter(({ id }) => runs.includes(String(id)))} selectAll={() => setRuns(sessions.map(({ id }) => String(id)))} />
    </>
  );
}

/** Leads to the analysis of several sessions: does one run differ from the others? */
function Runs({ runs, selectAll }: { runs: SessionSummary[]; selectAll: () => void }) {
  const ids = runs.map(({ id }) => id).join(",");
  return (
    <div class="compare-bar">
      {runs.length > 1
        ? <a class="button" href={urlOf("/analysis", { session: ids, metric: usualMetric(runs) })} data-testid="runs-link">Judge {runs.length} runs</a>
        : <button type="button" onClick={selectAll} data-testid="runs-all">Select all as runs</button>}
      <p class="quiet">{runs.length > 1 ? "Did a later run become slower?" : "Select the runs of several days, to find out since which run they differ."}</p>
    </div>
  );
}

interface RowProps extends Pick<Props, "barrier" | "remove"> {
  session: SessionSummary;
  baseline: string;
  candidate: string;
  setBaseline: (id: string) => void;
  setCandidate: (id: string) => void;
  runs: readonly string[];
  setRun: (id: string, on: boolean) => void;
}

function Row({ session, barrier, remove, baseline, candidate, setBaseline, setCandidate, runs, setRun }: RowProps) {
  const id = String(session.id);
  return (
    <tr data-testid="session-row" data-id={id}>
      <td class="pick"><input type="radio" name="baseline" checked={baseline === id} aria-label={`${session.name} as baseline`} data-testid="pick-baseline" onChange={() => setBaseline(id)} /></td>
      <td class="pick"><input type="radio" name="candidate" checked={candidate === id} aria-label={`${session.name} as candidate`} data-testid="pick-candidate" onChange={() => setCandidate(id)} /></td>
      <td class="pick"><input type="checkbox" checked={runs.includes(id)} aria-label={`${session.name} as run`} data-testid="pick-run" onChange={(event) => setRun(id, event.currentTarget.checked)} /></td>
      <th scope="row">
        <a href={urlOf("/analysis", { session: id, metric: usualMetric([session]) })} data-testid="session-link">{session.name}</a>
        <span class="quiet">{[session.tool, session.simulated && "simulated endpoint"].filter(Boolean).join(" · ")}</span>
        {session.notices?.map((text) => <span class="quiet" key={text}>{text}</span>)}
      </th>
      <td>{session.providers.join(", ")}<span class="quiet">{session.models.join(", ")}</span></td>
      <td class="number">{count(session.records)}<span class="on-phone"> requests</span>{session.failed > 0 && <span class="bad-text">{count(session.failed)} failed</span>}</td>
      <td><Time at={session.uploaded_at} />{session.started_at && <span class="quiet">began <Time at={session.started_at} /></span>}</td>
      <td class="actions"><button type="button" class="small" disabled={barrier !== null} data-testid="delete-button" onClick={() => remove(session)}>Delete<span class="sr-only"> {session.name}</span></button></td>
    </tr>
  );
}
