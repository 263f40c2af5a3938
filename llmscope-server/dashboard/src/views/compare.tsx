import { gate } from "../api/calls";
import type { Comparison, Decision, Gate, GatePair, SessionSummary } from "../api/types";
import { Icon, type IconName } from "../parts/icons";
import { Failure, Skeleton, Warnings } from "../parts/feedback";
import { metricTitle } from "../metrics";
import { change, percent, quantity } from "../quantity";
import { useLoaded } from "../state/loaded";

interface Props {
  baseline: string;
  candidate: string;
  sessions: SessionSummary[];
}

interface Look {
  label: string;
  tone: string;
  icon: IconName;
}

const VERDICTS: Record<Gate["verdict"], Look> = {
  pass: { label: "Not worse", tone: "good", icon: "check" },
  fail: { label: "Worse", tone: "bad", icon: "alert" },
  not_enough_data: { label: "Not enough data", tone: "warning", icon: "wait" },
};

const DECISIONS: Record<Decision, Look> = {
  worse: { label: "worse", tone: "bad", icon: "alert" },
  not_worse: { label: "not worse", tone: "good", icon: "check" },
  cannot_tell: { label: "cannot tell", tone: "warning", icon: "flat" },
  not_enough_data: { label: "not enough data", tone: "warning", icon: "wait" },
};

/** Shows whether the candidate is worse than the baseline, with the comparisons that the verdict is based on. */
export function Compare({ baseline, candidate, sessions }: Props) {
  const { data, error, loading, reload } = useLoaded(`gate ${baseline} ${candidate}`, (signal) => gate({ baseline, candidate }, signal));
  const name = (id: string) => sessions.find((session) => String(session.id) === id)?.name ?? `session ${id}`;
  return (
    <section aria-labelledby="compare-title" data-testid="compare">
      <h2 id="compare-title" class="section-title">{name(candidate)} against {name(baseline)}</h2>
      {error && <Failure error={error} retry={reload} what="The sessions could not be compared." />}
      {!data && loading && <Skeleton kind="table" what="the comparison" />}
      {data && (
        <>
          <div class={`panel big-verdict ${VERDICTS[data.verdict].tone}`} data-testid="gate-verdict" data-verdict={data.verdict}>
            <Icon name={VERDICTS[data.verdict].icon} />
            <div>
              <p class="big-label">{data.failing ? "Failing" : VERDICTS[data.verdict].label}</p>
              <p data-testid="gate-headline">{data.headline}</p>
              <p class="quiet">The probability that an unchanged candidate fails is at most {percent(data.alpha, 0)}.</p>
            </div>
          </div>
          <Warnings items={data.warnings} />
          {data.pairs.map((pair) => <Pair key={JSON.stringify([pair.group, pair.metric])} pair={pair} />)}
        </>
      )}
    </section>
  );
}

function Pair({ pair }: { pair: GatePair }) {
  const title = `${Object.values(pair.group).reverse().join(" · ")}: ${metricTitle(pair.metric)}`;
  return (
    <>
      <h3 class="pair-title">{title}</h3>
      <div class="panel scroll" tabIndex={0} role="region" aria-label={`${title}, scrollable`}>
        <table class="gate cards" data-testid="gate-table">
          <caption class="sr-only">{title}</caption>
          <thead>
            <tr><th scope="col">Figure</th><th scope="col" class="number">Baseline</th><th scope="col" class="number">Candidate</th><th scope="col" class="number">Shift</th><th scope="col">Interval</th><th scope="col" class="number">Allowed</th><th scope="col">Decision</th></tr>
          </thead>
          <tbody>{pair.comparisons.map((comparison) => <Row key={comparison.statistic} comparison={comparison} pair={pair} />)}</tbody>
        </table>
      </div>
      {pair.runs?.assumed && pair.runs.sd > 0 && <p class="quiet">One run a side: assumes that runs of one build differ by {percent(pair.runs.sd, 0)} (standard deviation).</p>}
      {pair.since_text && <p class="quiet">The candidate changed while it was measured: {pair.since_text}</p>}
      <Warnings items={pair.warnings} />
    </>
  );
}

function Row({ comparison, pair }: { comparison: Comparison; pair: GatePair }) {
  const { statistic, baseline, candidate, shift, shift_interval: shifts, difference, difference_interval: differences, allowed, decision, reason, need, need_runs: needRuns } = comparison;
  // Shares are compared by their difference, all other figures by their shift.
  const isShare = shift === undefined && difference !== undefined;
  const show = (value: number | undefined) => (value === undefined ? "–" : isShare ? percent(value, 2) : quantity(pair.unit, value));
  const interval = isShare ? differences : shifts;
  const end = (value: number | null) => (value === null ? "open" : change(value));
  const moved = isShare ? difference : shift;
  const look = DECISIONS[decision];
  return (
    <tr>
      <th scope="row">{statistic}</th>
      <td class="number" data-label="Baseline">{show(baseline)}</td>
      <td class="number" data-label="Candidate">{show(candidate)}</td>
      <td class="number" data-label="Shift">{moved === undefined ? "–" : change(moved)}</td>
      <td class="gate-interval" data-label="Interval">{interval ? `${end(interval[0])} to ${end(interval[1])}` : <span class="quiet">{reason ?? "–"}</span>}</td>
      <td class="number" data-label="Allowed">{change(allowed)}</td>
      <td class="gate-decision"><span class={`badge ${look.tone}`}><Icon name={look.icon} />{look.label}</span>{need !== undefined && <span class="quiet">about {need.toLocaleString("en-US")} requests per session are needed</span>}{needRuns !== undefined && <span class="quiet">more runs are needed, about {needRuns.toLocaleString("en-US")} a side</span>}</td>
    </tr>
  );
}
