import type { ComponentChildren } from "preact";
import { errorMessage } from "../api/client";
import { Icon } from "./icons";

export function Failure({ error, retry, what }: { error: Error; retry?: () => void; what: string }) {
  return (
    <div class="failure" role="alert" data-testid="error">
      <Icon name="alert" />
      <div>
        <p><b>{what}</b></p>
        <p>{errorMessage(error)}</p>
        {retry && <button type="button" data-testid="retry" onClick={retry}>Try again</button>}
      </div>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty" data-testid="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Skeleton({ kind = "lines", what }: { kind?: "lines" | "chart" | "table"; what: string }) {
  return (
    <div class={`skeleton ${kind}`} role="status" data-testid="skeleton">
      <span class="sr-only">Loading {what}…</span>
      {Array.from({ length: kind === "chart" ? 1 : 4 }, (_, k) => <i key={k} />)}
    </div>
  );
}

export function Warnings({ items }: { items: string[] }) {
  if (items.length === 0) return null;
  return (
    <ul class="warnings" aria-label="Warnings about these results" data-testid="warnings">
      {items.map((text) => <li key={text}>{text}</li>)}
    </ul>
  );
}
