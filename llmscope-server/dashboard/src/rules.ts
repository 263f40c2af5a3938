// Descriptions of rules. The service identifies rules by code; violations of series come with their own description.

const beyond = (count: number, window: number, multiple: number): string => {
  if (window === 1) return `1 point beyond ${multiple}σ`;
  if (count === window) return `${count} points in a row beyond ${multiple}σ, same side`;
  return `${count} of ${window} points beyond ${multiple}σ, same side`;
};
const sameSide = (length: number): string => `${length} points in a row on one side of center`;
const trend = (length: number): string => `${length} points in a row rising or falling`;
const alternating = (length: number): string => `${length} points in a row alternating up and down`;
const within = (length: number): string => `${length} points in a row within 1σ of center`;
const eitherSide = "8 points in a row beyond 1σ, either side";

export const NELSON: readonly string[] = [
  beyond(1, 1, 3), sameSide(9), trend(6), alternating(14), beyond(2, 3, 2), beyond(4, 5, 1), within(15), eitherSide,
];

const numbered = (set: string, descriptions: readonly string[]): [string, string][] => descriptions.map((text, k) => [`${set}-${k + 1}`, text]);

const DESCRIPTIONS: ReadonlyMap<string, string> = new Map([
  ...numbered("nelson", NELSON),
  ...numbered("western-electric", [beyond(1, 1, 3), beyond(2, 3, 2), beyond(4, 5, 1), sameSide(8)]),
  ...numbered("aiag", [beyond(1, 1, 3), sameSide(7), trend(6), alternating(14), beyond(2, 3, 2), beyond(4, 5, 1), within(15), eitherSide]),
  ...numbered("montgomery", [
    beyond(1, 1, 3), beyond(2, 3, 2), beyond(4, 5, 1), sameSide(8), trend(6), within(15), alternating(14),
    "8 points in a row beyond 1σ, on both sides",
  ]),
  ["westgard-1-3s", beyond(1, 1, 3)],
  ["westgard-2-2s", beyond(2, 2, 2)],
  ["westgard-r-4s", "2 points in a row beyond 2σ on opposite sides"],
  ["westgard-4-1s", beyond(4, 4, 1)],
  ["westgard-10-x", sameSide(10)],
]);

export const RULE_SETS: readonly [code: string, title: string][] = [
  ["nelson", "Nelson (1984), 8 rules"],
  ["western-electric", "Western Electric, 4 rules"],
  ["aiag", "AIAG, 8 rules"],
  ["montgomery", "Montgomery, 8 rules"],
  ["westgard", "Westgard multirule"],
];

/** The description of a rule. On a CUSUM chart, every signal is a sum beyond the decision interval. */
export function ruleDescription(code: string, chart?: string): string {
  if (chart === "cusum") return "sum beyond the decision interval";
  return DESCRIPTIONS.get(code) ?? code;
}

/** The rule's number within its set: `nelson-2` is 2, `westgard-r-4s` is R-4s. */
export function ruleNumber(code: string): string {
  const short = code.replace(/^(nelson|western-electric|aiag|montgomery|westgard)-/, "");
  return short.replace(/^r-/, "R-");
}

/** The index of a rule in its set. It selects color and shape, independent of which rules are applied. */
export function ruleSlot(code: string, rules: readonly string[]): number {
  const numbered = /^(?:nelson|western-electric|aiag|montgomery)-(\d+)$/.exec(code)?.[1];
  return numbered === undefined ? Math.max(rules.indexOf(code), 0) : Number(numbered) - 1;
}
