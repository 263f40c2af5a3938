import { useState } from "preact/hooks";
import type { Analysis } from "../api/types";
import { counted } from "../quantity";
import { ruleSlot, ruleDescription } from "../rules";
import { RuleMark } from "../chart/legend";
import { Time } from "./time";

interface Props {
  analysis: Analysis;
  /** Zooms the chart to a violation. */
  onPick: (first: number, last: number) => void;
}

const SHOWN = 8;

/** The violations of an analysis as a table, newest first. */
export function SignalsTable({ analysis, onPick }: Props) {
  const [all, setAll] = useState(false);
  const violations = [...analysis.patterns.violations].sort((a, b) => b.last - a.last);
  const shown = all ? violations.slice(0, 500) : violations.slice(0, SHOWN);
  const times = new Map((analysis.points ?? []).map(({ i, t }) => [i, t]));
  if (violations.length === 0) return <p class="quiet" id="violations-table">No rule signals.</p>;
  return (
    <div class="scroll" id="violations-table" tabIndex={0} role="region" aria-label="Violations, scrollable">
      <table class="signals cards" data-testid="violations-table">
        <caption class="sr-only">Violations on the chart, newest first</caption>
        <thead>
          <tr><th scope="col">Rule</th><th scope="col">Points</th><th scope="col">Side</th><th scope="col">First signal</th><th scope="col"><span class="sr-only">Show</span></th></tr>
        </thead>
        <tbody>
          {shown.map(({ rule, first, last, signals, side }) => {
            const at = times.get(signals[0] ?? first);
            return (
              <tr key={`${rule} ${first}`} data-testid="violation-row">
                <th scope="row"><span class="rule-cell"><RuleMark rule={ruleSlot(rule, analysis.patterns.rules)} /><b>{rule}</b> <span class="quiet">{ruleDescription(rule, analysis.chart)}</span></span></th>
                <td>{first === last ? first : `${first}–${last}`} <span class="quiet">({counted(signals.length, "signal")})</span></td>
                <td>{side === "both" ? "both sides" : side}</td>
                <td>{at ? <Time at={at} /> : "–"}</td>
                <td class="actions"><button type="button" class="small" data-testid="violation-show" onClick={() => onPick(first, last)}>Show<span class="sr-only"> {rule} at point {first}</span></button></td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {violations.length > SHOWN && !all && (
        <button type="button" class="small" onClick={() => setAll(true)}>Show all {counted(violations.length, "violation")}</button>
      )}
    </div>
  );
}
