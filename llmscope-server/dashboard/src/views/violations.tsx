import { useEffect, useState } from "preact/hooks";
import { violations } from "../api/calls";
import { onLive } from "../api/stream";
import type { Violation } from "../api/types";
import { Select } from "../parts/fields";
import { Failure, Empty, Skeleton } from "../parts/feedback";
import { groupTitle, metricTitle, type Option } from "../metrics";
import { type Patch, urlOf, useQuery } from "../router";
import { NELSON } from "../rules";
import { useWriteBarrier } from "../state/access";
import { useLoaded } from "../state/loaded";
import { useSeries } from "../state/series";
import { NoteDialog, type Action } from "./note-dialog";
import { filterOf, refreshed, STATUSES, withChanged, withOlder, type ViolationList } from "./violation-filter";
import { ViolationRow } from "./violation-row";

const PAGE = 50;
/** The largest page that the service returns. */
const MAX_PAGE = 1000;

export function Violations() {
  const [query, change] = useQuery();
  const list = useViolations(query);
  const barrier = useWriteBarrier();
  const [action, setAction] = useState<Action | null>(null);
  return (
    <main id="main">
      <h1>Violations</h1>
      <Filters query={query} change={change} seen={list.items ?? []} />
      {barrier && <p class="quiet barrier" data-testid="write-barrier">{barrier}</p>}
      {list.error && <Failure error={list.error} retry={list.reload} what="The violations could not be loaded." />}
      {list.items === null && !list.error && <Skeleton kind="table" what="violations" />}
      {list.items?.length === 0 && <Empty title="No violation matches."><p>{query.toString() === "" ? "Every series is in control, or its limits are not learned yet." : <a href="/violations">Show all violations</a>}</p></Empty>}
      {list.items && list.items.length > 0 && (
        <div class="panel scroll" tabIndex={0} role="region" aria-label="Violations, scrollable">
          <table class="violations cards" data-testid="violations-table">
            <caption class="sr-only">Violations, newest first</caption>
            <thead>
              <tr><th scope="col">Status</th><th scope="col">Series</th><th scope="col">Rule</th><th scope="col" class="number">Value</th><th scope="col">Signalled</th><th scope="col">Notes</th><th scope="col" class="actions">Actions</th></tr>
            </thead>
            <tbody>
              {list.items.map((violation) => <ViolationRow key={violation.id} violation={violation} barrier={barrier} act={(kind) => setAction({ kind, violation })} />)}
            </tbody>
          </table>
        </div>
      )}
      {list.more && <button type="button" data-testid="load-more" disabled={list.busy} onClick={list.more}>Load older violations</button>}
      {action && <NoteDialog action={action} done={(changed) => list.put(changed)} onClose={() => setAction(null)} />}
    </main>
  );
}

/**
 * The violations that match the filter, kept up to date by the events of the service. A reload requests as many violations
 * as are shown, so that older violations stay loaded after a reconnect.
 */
function useViolations(query: URLSearchParams) {
  const filter = filterOf(query);
  const name = urlOf("violations", filter);
  const [listed, setViolationList] = useState<(ViolationList & { of: string }) | null>(null);
  const list = listed?.of === name ? listed : null;
  const limit = Math.min(Math.max(list?.items.length ?? 0, PAGE), MAX_PAGE);
  const { data, error, reload } = useLoaded(name, (signal) => violations({ ...filter, limit }, signal));
  const [busy, setBusy] = useState(false);
  const change = (to: (before: ViolationList) => ViolationList) => setViolationList((before) => (before?.of === name ? { ...to(before), of: name } : before));
  const put = (changed: Violation) => change((before) => withChanged(before, changed, query));
  useEffect(() => {
    setViolationList((before) => data && { ...refreshed(before?.of === name ? before : null, data), of: name });
  }, [data]);
  useEffect(() => {
    const ends = [onLive("violation", put), onLive("hello", reload), onLive("lagged", reload)];
    return () => ends.forEach((end) => end());
  }, [name]);
  const older = async () => {
    setBusy(true);
    try {
      const page = await violations({ ...filter, limit: PAGE, before: list?.next });
      change((before) => withOlder(before, page));
    } catch {
      reload();
    }
    setBusy(false);
  };
  return { items: list?.items ?? null, error, reload, put, busy, more: list?.next === undefined ? null : () => void older() };
}

function Filters({ query, change, seen }: { query: URLSearchParams; change: (patch: Patch) => void; seen: Violation[] }) {
  const { list } = useSeries();
  const statuses: Option[] = [["", "any"], ["new,acknowledged", "not resolved"], ...STATUSES.map((status) => [status, status] as const)];
  const rules = [...new Set([...NELSON.map((_, k) => `nelson-${k + 1}`), ...seen.map(({ rule }) => rule)])];
  const series: Option[] = [["", "all"], ...(list ?? []).map((one) => [String(one.id), `${groupTitle(one)}: ${metricTitle(one.metric)}`] as const)];
  return (
    <form class="panel form" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
      <div class="form-row">
        <Select label="Status" value={query.get("status") ?? ""} options={statuses} onPick={(status) => change({ status })} testId="filter-status" />
        <Select label="State" value={query.get("open") ?? ""} options={[["", "any"], ["true", "open: still signalling"], ["false", "ended"]]} onPick={(open) => change({ open })} testId="filter-open" />
        <Select label="Rule" value={query.get("rule") ?? ""} options={[["", "any"], ...rules.map((rule) => [rule, rule] as const)]} onPick={(rule) => change({ rule })} testId="filter-rule" />
        <Select label="Series" value={query.get("series") ?? ""} options={series} onPick={(id) => change({ series: id })} testId="filter-series" />
      </div>
    </form>
  );
}
