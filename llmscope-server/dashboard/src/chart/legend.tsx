import { counted } from "../quantity";
import { ruleNumber, ruleSlot, ruleDescription } from "../rules";
import type { ChartModel } from "./model";
import { cornersAt } from "./shapes";

/** Explains the markers of the rules that signal. */
export function Legend({ model }: { model: ChartModel }) {
  const counts = new Map<string, number>();
  for (const codes of model.signals) for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const signalling = model.rules.map((code) => ({ code, signals: counts.get(code) ?? 0 })).filter(({ signals }) => signals > 0);
  if (signalling.length === 0) return null;
  return (
    <ul class="legend" aria-label="Rules that signal">
      {signalling.map(({ code, signals }) => (
        <li key={code}>
          <RuleMark rule={ruleSlot(code, model.rules)} />
          <b>{ruleNumber(code)}</b>
          <span>{ruleDescription(code, model.kind)}</span>
          <span class="quiet">{counted(signals, "point")}</span>
        </li>
      ))}
    </ul>
  );
}

export function RuleMark({ rule }: { rule: number }) {
  return (
    <svg class={`rule-mark rule-${(rule % 8) + 1}`} viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
      <polygon points={cornersAt(rule, 7, 5.2)} />
    </svg>
  );
}
