import { Store } from "./store";

export type Theme = "light" | "dark";

const STORED = "llmscope-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export const theme = new Store<Theme>("light");

/** Applies the stored theme. Without a stored theme, follows the theme of the system. */
export function startTheme(): void {
  const chosen = () => localStorage.getItem(STORED) as Theme | null;
  const wanted = (): Theme => chosen() ?? (system.matches ? "dark" : "light");
  theme.subscribe((value) => {
    document.documentElement.dataset.theme = value;
  });
  document.documentElement.dataset.theme = wanted();
  theme.set(wanted());
  system.addEventListener("change", () => theme.set(wanted()));
}

export function toggleTheme(): void {
  const next = theme.get() === "dark" ? "light" : "dark";
  localStorage.setItem(STORED, next);
  theme.set(next);
}
