import { useState } from "preact/hooks";
import { uploadSession } from "../api/calls";
import { errorMessage } from "../api/client";
import type { SessionSummary } from "../api/types";
import { Icon } from "../parts/icons";
import { counted } from "../quantity";
import { urlOf } from "../router";

interface Props {
  barrier: string | null;
  done: () => void;
}

type Outcome = { name: string; session: SessionSummary } | { name: string; failed: string };

/** Uploads logs in any format that the service recognizes. The user drops or selects the files. */
export function Upload({ barrier, done }: Props) {
  const [over, setOver] = useState(false);
  const [busy, setBusy] = useState<string | null>(null);
  const [outcomes, setOutcomes] = useState<Outcome[]>([]);
  const send = async (files: File[]) => {
    setOutcomes([]);
    for (const file of files) {
      setBusy(file.name);
      const outcome = await uploadSession(file).then((session) => ({ name: file.name, session }), (error) => ({ name: file.name, failed: errorMessage(error) }));
      setOutcomes((before) => [...before, outcome]);
    }
    setBusy(null);
    done();
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (!barrier && event.dataTransfer) void send([...event.dataTransfer.files]);
  };
  return (
    <section aria-label="Upload" class="upload-area">
      <label class={over ? "upload over" : "upload"} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop} data-testid="upload-drop">
        <Icon name="upload" />
        <span><b>Drop logs here</b> or choose files <span class="quiet">of any tool that <code>llmscope analyze</code> reads</span></span>
        <input
          type="file"
          multiple
          disabled={barrier !== null || busy !== null}
          data-testid="upload-input"
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])];
            event.currentTarget.value = "";
            void send(files);
          }}
        />
      </label>
      {barrier && <p class="quiet barrier" data-testid="write-barrier">{barrier}</p>}
      <div role="status" class="outcomes">
        {busy && <p class="quiet">Uploading {busy}…</p>}
        {outcomes.map((outcome) => <UploadResult key={outcome.name} outcome={outcome} />)}
      </div>
    </section>
  );
}

function UploadResult({ outcome }: { outcome: Outcome }) {
  if ("failed" in outcome) return <p class="bad-text" data-testid="upload-failed"><b>{outcome.name}</b>: {outcome.failed}</p>;
  const { id, name, records, notices: warnings = [], metrics } = outcome.session;
  return (
    <div data-testid="upload-done">
      <p><b>{name}</b>: {counted(records, "request")}. <a href={urlOf("/analysis", { session: String(id), metric: metrics[0] })}>Analyze</a></p>
      {warnings.map((text) => <p class="quiet" key={text}>{text}</p>)}
    </div>
  );
}
