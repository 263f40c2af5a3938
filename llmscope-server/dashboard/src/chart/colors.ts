// The colors of the page as values for the canvas, which cannot read CSS custom properties.

export interface Colors {
  ink: string;
  muted: string;
  grid: string;
  panel: string;
  line: string;
  dot: string;
  second: string;
  center: string;
  limit: string;
  spec: string;
  zoneA: string;
  zoneB: string;
  zoneC: string;
  phase: string;
  focus: string;
  worse: string;
  better: string;
  rules: string[];
}

const NAMES: Record<Exclude<keyof Colors, "rules">, string> = {
  ink: "--ink", muted: "--muted", grid: "--grid", panel: "--panel", line: "--line", dot: "--dot", second: "--second",
  center: "--center", limit: "--limit", spec: "--spec", zoneA: "--zone-a", zoneB: "--zone-b", zoneC: "--zone-c",
  phase: "--phase", focus: "--accent", worse: "--bad", better: "--good",
};

export function readColors(): Colors {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(name).trim();
  const named = Object.fromEntries(Object.entries(NAMES).map(([name, property]) => [name, value(property)]));
  const rules = Array.from({ length: 8 }, (_, k) => value(`--rule-${k + 1}`));
  return { ...named, rules } as unknown as Colors;
}

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
