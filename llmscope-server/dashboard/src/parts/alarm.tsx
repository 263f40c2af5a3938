import type { Series, SeriesAlarm } from "../api/types";
import { count } from "../quantity";
import { Icon } from "./icons";
import { LOOKS } from "./verdict";

/** The independent values that an alarm needs. */
const NEEDED = 25;

/** Whether a series has changed, in large type, with the evidence in one sentence. */
export function AlarmVerdict({ verdict, alarm }: { verdict: Series["verdict"]; alarm: SeriesAlarm }) {
  const { label, tone, icon } = LOOKS[verdict];
  return (
    <div class={`big-verdict ${tone}`} data-testid="alarm" data-verdict={verdict}>
      <Icon name={icon} />
      <div>
        <p class="big-label">{alarm.learning ? "Still learned" : label}</p>
        <p class="quiet">{evidence(alarm)}</p>
      </div>
    </div>
  );
}

export function evidence({ learning, values, information, incident, evidence_ratio, false_alarms, smallest_visible }: SeriesAlarm): string {
  if (learning) {
    const known = information === undefined ? "" : `: they carry the information of ${count(Math.round(information))} independent ones, of which ${NEEDED} are needed`;
    return `${count(values)} values so far${known}.`;
  }
  const promise = `One false alarm in ${rounded(false_alarms)} values.`;
  if (incident) return `${incident.text}.`;
  const share = evidence_ratio < 0.01 ? "less than 1" : `${Math.round(100 * evidence_ratio)}`;
  const visible = smallest_visible === undefined ? "" : ` A change below ${Math.ceil(100 * (smallest_visible - 1))} % cannot be noticed.`;
  return `No change: the evidence is ${share} % of an alarm.${visible} ${promise}`;
}

function rounded(values: number): string {
  if (values < 100_000) return count(Math.round(values));
  return values < 999_500 ? count(1000 * Math.round(values / 1000)) : `${(values / 1e6).toFixed(1)} million`;
}
