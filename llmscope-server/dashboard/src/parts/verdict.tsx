import type { Analysis, Direction, SeriesVerdict, Verdict } from "../api/types";
import { count, counted } from "../quantity";
import { Icon, type IconName } from "./icons";

interface Look {
  label: string;
  tone: "good" | "bad" | "warning";
  icon: IconName;
}

export const LOOKS: Record<Verdict, Look> = {
  in_control: { label: "In control", tone: "good", icon: "check" },
  out_of_control: { label: "Out of control", tone: "bad", icon: "alert" },
  not_enough_data: { label: "Not enough data", tone: "warning", icon: "wait" },
};

const ANSWERS: Record<SeriesVerdict, Look> = {
  failing: { label: "Failing", tone: "bad", icon: "alert" },
  changed: { label: "Changed", tone: "bad", icon: "alert" },
  stable: { label: "Stable", tone: "good", icon: "check" },
  not_enough_data: LOOKS.not_enough_data,
};

/** The verdict on a series. A change for the better has the color of a good result. */
export function AnswerBadge({ verdict, direction }: { verdict: SeriesVerdict; direction?: Direction }) {
  const isBetter = verdict === "changed" && direction === "better";
  const { label, tone, icon } = { ...ANSWERS[verdict], ...(isBetter && { tone: "good", icon: "check" as const }) };
  return <span class={`badge ${tone}`} data-verdict={verdict} data-direction={direction}><Icon name={icon} />{label}</span>;
}

/** What the rules find, as a badge. */
export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  const { label, tone, icon } = LOOKS[verdict];
  return <span class={`badge ${tone}`} data-verdict={verdict}><Icon name={icon} />{label}</span>;
}

/** The labels of what the rules find if an alarm gives the series its verdict. */
const PATTERNS: Record<Verdict, string> = { in_control: "No patterns", out_of_control: "Patterns", not_enough_data: LOOKS.not_enough_data.label };

/** What the rules find in large type, with its reason in one sentence. */
export function BigVerdict({ analysis, asPatterns = false, note }: { analysis: Analysis; asPatterns?: boolean; note?: string | null }) {
  const { verdict } = analysis.patterns;
  const { label, tone, icon } = LOOKS[verdict];
  return (
    <div class={`big-verdict ${tone}`} data-testid="verdict" data-verdict={verdict}>
      <Icon name={icon} />
      <div>
        <p class="big-label">{asPatterns ? PATTERNS[verdict] : label}</p>
        <p class="quiet">{[reason(analysis), falseAlarms(analysis), note].filter(Boolean).join(" ")}</p>
      </div>
    </div>
  );
}

function reason({ n, need, phase, patterns: { verdict, violations, rules: applied } }: Analysis): string {
  if (verdict === "not_enough_data") {
    return need ? `A verdict needs ${counted(need, "point")}; there ${n === 1 ? "is" : "are"} ${count(n)}.` : `${counted(n, "value")} so far.`;
  }
  if (applied.length === 0) return `The chart shows ${counted(n, "value")} and applies no rule.`;
  const limits = phase === 2 ? "frozen limits of phase I" : "limits from these data";
  if (verdict === "in_control") return `No rule signals in ${counted(n, "value")}, judged by ${limits}.`;
  const rules = new Set(violations.map(({ rule }) => rule)).size;
  return `${counted(violations.length, "violation")} of ${counted(rules, "rule")} in ${counted(n, "value")}, judged by ${limits}.`;
}

/** How often the rules signal although nothing changed: who reads a violation must know it. */
function falseAlarms({ patterns: { false_alarm: stable } }: Analysis): string | null {
  if (!stable) return null;
  const percent = 100 * stable.share;
  const share = percent > 95 ? "more than 95" : percent < 5 ? "less than 5" : `about ${Math.round(percent)}`;
  return `These rules signal in ${share} % of stable series of ${count(stable.points)} such points.`;
}
