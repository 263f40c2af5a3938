import type { Violation, ViolationStatus } from "../api/types";
import { Icon, type IconName } from "../parts/icons";
import { Time } from "../parts/time";
import { plottedSigma } from "../chart/zones";
import { groupTitle, metricTitle } from "../metrics";
import { counted, quantity } from "../quantity";
import { urlOf } from "../router";
import { chartPlace } from "./violation-filter";
import type { ActionKind } from "./note-dialog";

interface Props {
  violation: Violation;
  /** Why the user may not make changes, or null. */
  barrier: string | null;
  act: (kind: ActionKind) => void;
}

const STATUS: Record<ViolationStatus, { tone: string; icon: IconName }> = {
  new: { tone: "bad", icon: "alert" },
  acknowledged: { tone: "warning", icon: "wait" },
  resolved: { tone: "good", icon: "check" },
};

export function ViolationRow({ violation, barrier, act }: Props) {
  const { id, series, rule, words, side, signals, open, value, limits, status, signal_at: signalAt, last_at: lastAt } = violation;
  const resolution = (limits ? plottedSigma(limits) : 0) / 10;
  return (
    <tr data-testid="violation-row" data-id={id} data-status={status} data-open={open}>
      <td>
        <span class={`badge ${STATUS[status].tone}`}><Icon name={STATUS[status].icon} />{status}</span>
        <span class={open ? "state open" : "state quiet"}>{open ? "open" : "ended"}</span>
      </td>
      <td class="series-cell"><b>{metricTitle(series.metric)}</b><span class="quiet">{groupTitle(series)}</span></td>
      <th scope="row"><b>{rule}</b><span class="quiet">{words}{side === "both" ? "" : `, ${side}`}</span></th>
      <td class="number">{quantity(series.unit, value, resolution)}{limits && <span class="quiet">limits {quantity(series.unit, limits.lower, resolution)} to {quantity(series.unit, limits.upper, resolution)}</span>}</td>
      <td class="time-cell"><Time at={signalAt} /><span class="quiet">{counted(signals, "signal")}{signals > 1 && <>, last <Time at={lastAt} /></>}</span></td>
      <td class="notes"><Notes violation={violation} /></td>
      <td class="actions">
        <a class="button small" href={urlOf("/analysis", chartPlace(violation))} data-testid="violation-chart"><Icon name="link" />Chart<span class="sr-only"> of violation {id}</span></a>
        <ActionButton kind="acknowledge" title="Acknowledge" testId="ack-button" off={barrier !== null || status !== "new"} {...{ act, id }} />
        <ActionButton kind="resolve" title="Resolve" testId="resolve-button" off={barrier !== null || status === "resolved"} {...{ act, id }} />
        <ActionButton kind="note" title="Note" testId="note-button" off={barrier !== null} {...{ act, id }} />
      </td>
    </tr>
  );
}

interface ActionButtonProps {
  kind: ActionKind;
  title: string;
  testId: string;
  off: boolean;
  id: number;
  act: (kind: ActionKind) => void;
}

function ActionButton({ kind, title, testId, off, id, act }: ActionButtonProps) {
  return <button type="button" class="small" disabled={off} data-testid={testId} onClick={() => act(kind)}>{title}<span class="sr-only"> violation {id}</span></button>;
}

function Notes({ violation: { acknowledged, resolved, notes = [] } }: { violation: Violation }) {
  return (
    <>
      {acknowledged && <p class="quiet">acknowledged by {acknowledged.by}, <Time at={acknowledged.at} /></p>}
      {resolved && <p class="quiet">resolved by {resolved.by}, <Time at={resolved.at} /></p>}
      {notes.map(({ at, by, text }) => <p key={at + text} data-testid="note">“{text}” <span class="quiet">{by}, <Time at={at} /></span></p>)}
    </>
  );
}
