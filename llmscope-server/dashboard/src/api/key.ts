import { Store } from "../store";

const STORED = "llmscope-api-key";

/** The API key of this tab, or of this device where that was wished for. */
export const key = new Store<string | null>(sessionStorage.getItem(STORED) ?? localStorage.getItem(STORED));

/** Why a key is asked for: the service refused the one in use, or somebody wishes to use another. */
export const keyWanted = new Store<"refused" | "asked" | null>(null);

export function rememberKey(value: string, onDevice: boolean): void {
  forgetKey();
  (onDevice ? localStorage : sessionStorage).setItem(STORED, value);
  key.set(value);
}

export function forgetKey(): void {
  sessionStorage.removeItem(STORED);
  localStorage.removeItem(STORED);
  key.set(null);
}
