import { Store } from "./store";

export type Theme = "light" | "dark";

const STORED = "llmscope-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export const theme = new Store<Theme>("light");

/** The theme that was chosen here before, or else that of the system, which is then followed. */
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
