import { useState } from "preact/hooks";
import { chartFile, report } from "../api/calls";
import { errorMessage } from "../api/client";
import type { Analysis } from "../api/types";
import { Icon } from "../parts/icons";
import type { Patch } from "../router";
import { useSeries } from "../state/series";
import { groupQuery } from "./group-query";
import { pointsAsCsv } from "./points-csv";

type Kind = "csv" | "png" | "svg" | "json";
const KINDS: readonly Kind[] = ["csv", "png", "svg", "json"];

/** Downloads the analysis on the screen. The service draws the images. */
export function Exports({ selection, analysis }: { selection: Patch; analysis: Analysis }) {
  const [busy, setBusy] = useState<Kind | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const { provider, model } = analysis.group;
  const query = groupQuery(selection, analysis, useSeries().list ?? []);
  const get = async (kind: Kind) => {
    setBusy(kind);
    setFailed(null);
    try {
      save(await fileOf(kind, query), `${[provider, model, analysis.metric].filter(Boolean).join("-").replace(/[^\w.-]+/g, "_")}.${kind}`);
    } catch (error) {
      setFailed(errorMessage(error));
    }
    setBusy(null);
  };
  return (
    <div class="exports">
      {KINDS.map((kind) => (
        <button key={kind} type="button" class="small" disabled={busy !== null} data-testid={`download-${kind}`} onClick={() => void get(kind)}>
          <Icon name="download" />{busy === kind ? "Preparing…" : kind === "csv" ? "Download CSV" : kind.toUpperCase()}
        </button>
      ))}
      {failed && <span class="bad-text" role="alert">{failed}</span>}
    </div>
  );
}

async function fileOf(kind: Kind, query: Patch): Promise<Blob> {
  if (kind === "png" || kind === "svg") return chartFile(kind, query);
  const whole = await report({ ...query, points: "true" });
  if (kind === "json") return new Blob([JSON.stringify(whole, null, 1)], { type: "application/json" });
  return new Blob([pointsAsCsv(whole.analyses)], { type: "text/csv" });
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
