import { Store } from "../store";

const STORED = "llmscope-api-key";

/** The API key of this tab, or of this device if the user chose to remember it. */
export const key = new Store<string | null>(sessionStorage.getItem(STORED) ?? localStorage.getItem(STORED));

/** Why the key dialog is open: the service refused the current key, or the user wants to use another one. */
export const keyPrompt = new Store<"refused" | "requested" | null>(null);

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
