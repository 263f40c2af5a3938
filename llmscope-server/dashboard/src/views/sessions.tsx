import { useState } from "preact/hooks";
import { allSessions } from "../api/calls";
import type { SessionSummary } from "../api/types";
import { Failure, Empty, Skeleton } from "../parts/feedback";
import { useQuery } from "../router";
import { useWriteBarrier } from "../state/access";
import { useLoaded } from "../state/loaded";
import { Compare } from "./compare";
import { DeleteDialog } from "./delete-dialog";
import { SessionTable } from "./session-table";
import { Upload } from "./upload";

export function Sessions() {
  const { data, error, loading, reload } = useLoaded("sessions", allSessions);
  const [query, change] = useQuery();
  const barrier = useWriteBarrier();
  const [deleting, setDeleting] = useState<SessionSummary | null>(null);
  const sessions = data?.sessions ?? [];
  const [baseline, candidate] = [query.get("baseline"), query.get("candidate")];
  return (
    <main id="main">
      <h1>Sessions</h1>
      <p class="lead">Recorded runs. Analyze a run, or compare two runs to find out whether one is worse.</p>
      <Upload barrier={barrier} done={reload} />
      {error && <Failure error={error} retry={reload} what="The sessions could not be loaded." />}
      {!data && loading && !error && <Skeleton kind="table" what="sessions" />}
      {data && sessions.length === 0 && (
        <Empty title="There are no sessions yet.">
          <p>Upload a log of <code>llmscope bench</code> or another load tool, a CSV file or a JSON Lines file. Or post a log:</p>
          <pre tabIndex={0}><code>{`curl '${location.origin}/api/v1/sessions?name=run.json' \\\n  -H 'Authorization: Bearer YOUR_KEY' --data-binary @run.json`}</code></pre>
        </Empty>
      )}
      {sessions.length > 0 && <SessionTable {...{ sessions, query, change, barrier }} remove={setDeleting} />}
      {baseline && candidate && <Compare key={`${baseline} ${candidate}`} {...{ baseline, candidate, sessions }} />}
      {deleting && <DeleteDialog session={deleting} done={reload} onClose={() => setDeleting(null)} />}
    </main>
  );
}
