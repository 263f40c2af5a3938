import type { Analysis, Verdict } from "../api/types";
import { count, counted } from "../quantity";
import { Icon, type IconName } from "./icons";

interface Look {
  words: string;
  tone: "good" | "bad" | "thin";
  icon: IconName;
}

const LOOKS: Record<Verdict, Look> = {
  in_control: { words: "In control", tone: "good", icon: "check" },
  out_of_control: { words: "Out of control", tone: "bad", icon: "alert" },
  not_enough_data: { words: "Not enough data", tone: "thin", icon: "wait" },
};

export function VerdictBadge({ verdict }: { verdict: Verdict }) {
  const { words, tone, icon } = LOOKS[verdict];
  return <span class={`badge ${tone}`} data-verdict={verdict}><Icon name={icon} />{words}</span>;
}

/** The verdict first, in big words, and in one sentence what it rests on. */
export function BigVerdict({ analysis, note }: { analysis: Analysis; note?: string | null }) {
  const { words, tone, icon } = LOOKS[analysis.verdict];
  return (
    <div class={`big-verdict ${tone}`} data-testid="verdict" data-verdict={analysis.verdict}>
      <Icon name={icon} />
      <div>
        <p class="big-words">{words}</p>
        <p class="quiet">{[reason(analysis), note].filter(Boolean).join(" ")}</p>
      </div>
    </div>
  );
}

function reason({ verdict, n, need, violations, phase, rules: applied }: Analysis): string {
  if (verdict === "not_enough_data") {
    return need ? `A judgement needs ${counted(need, "point")}; there are ${count(n)}.` : `${counted(n, "value")} so far.`;
  }
  if (applied.length === 0) return `No rule is applied to ${counted(n, "value")}: the chart shows and does not judge.`;
  const limits = phase === 2 ? "frozen limits of phase I" : "limits from these data";
  if (verdict === "in_control") return `No rule signals in ${counted(n, "value")}, judged by ${limits}.`;
  const rules = new Set(violations.map(({ rule }) => rule)).size;
  return `${counted(violations.length, "violation")} of ${counted(rules, "rule")} in ${counted(n, "value")}, judged by ${limits}.`;
}
