import { useEffect, useImperativeHandle, useMemo, useRef, useState } from "preact/hooks";
import type { Ref } from "preact";
import type { Analysis } from "../api/types";
import { counted } from "../quantity";
import { useStore } from "../store";
import { theme } from "../theme";
import { Legend } from "./legend";
import { modelOf, nearest, type ChartModel } from "./model";
import { ControlPlot, type PlotSettings, type Range } from "./plot";
import { signalPositions } from "./signals";
import { Tooltip } from "./tooltip";
import { announcementOf, pointLabels, summary } from "./labels";

export interface ChartHandle {
  zoomTo: (first: number, last: number) => void;
}

interface Props {
  analysis: Analysis;
  settings: PlotSettings;
  onBrush?: (points: Range) => void;
  /** The link to the table of violations. */
  tableHref: string;
  /** The time of the point to zoom to. */
  focusAt?: string | null;
  handle?: Ref<ChartHandle>;
}

export function ControlChart({ analysis, settings, onBrush, tableHref, focusAt, handle }: Props) {
  const model = useMemo(() => modelOf(analysis), [analysis]);
  if (model === null) return <p class="chart-empty" data-testid="chart-empty">{analysis.need && analysis.n > 0 ? `The chart appears once there are ${analysis.need} points.` : "This chart has no points."}</p>;
  return <ChartFigure {...{ analysis, settings, onBrush, tableHref, focusAt, handle, model }} />;
}

function ChartFigure({ analysis, settings, onBrush, tableHref, focusAt, handle, model }: Props & { model: ChartModel }) {
  const figure = useRef<HTMLElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<ControlPlot | null>(null);
  const [pointed, setPointed] = useState<{ k: number; x: number; y: number } | null>(null);
  const [announcement, setAnnouncement] = useState("");
  const [isZoomed, setZoomed] = useState(false);
  const brush = useRef(onBrush);
  brush.current = onBrush;
  const current = useStore(theme);
  const signals = useMemo(() => signalPositions(model), [model]);
  const labels = pointed && pointed.k < model.x.length ? pointLabels(model, pointed.k) : null;

  useEffect(() => {
    if (!host.current) return;
    if (plot.current?.fits(model, settings.xAxis)) {
      plot.current.update(model, settings);
      return;
    }
    plot.current?.destroy();
    plot.current = new ControlPlot(host.current, model, settings, {
      pointed: setPointed,
      brushed: (points) => brush.current?.(points),
      zoomed: setZoomed,
    });
    setZoomed(false);
  }, [model, settings.xAxis, settings.fit, settings.brushing, settings.phaseOne?.join()]);
  useEffect(() => () => plot.current?.destroy(), []);
  useEffect(() => plot.current?.recolor(), [current]);
  useEffect(() => {
    const box = host.current as HTMLDivElement;
    const observer = new ResizeObserver(() => plot.current?.resize(box.clientWidth, box.clientHeight));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!focusAt || !model.t) return;
    const k = nearest(model.t, Date.parse(focusAt));
    plot.current?.zoomTo(model.i[k] as number, model.i[k] as number);
    plot.current?.point(k);
  }, [focusAt]);
  useImperativeHandle(handle ?? null, () => ({
    zoomTo: (first, last) => {
      plot.current?.zoomTo(first, last);
      figure.current?.scrollIntoView({ block: "nearest" });
    },
  }), []);

  const move = (event: KeyboardEvent) => {
    const next = target(event, pointed?.k ?? null, model);
    if (next === undefined) return;
    event.preventDefault();
    setAnnouncement(next === null ? "" : announcementOf(pointLabels(model, next)));
    if (next === null) plot.current?.unpoint();
    else plot.current?.point(next);
  };

  return (
    <figure class="chart" ref={figure} data-testid="chart" data-points={model.x.length} data-signals={JSON.stringify(signals)} data-changes={JSON.stringify(model.changes.map(({ since }) => since.index))} data-n={analysis.n}>
      <div
        class={settings.brushing ? "plot brushing" : "plot"}
        tabIndex={0}
        role="application"
        aria-roledescription="control chart"
        aria-label="Control chart. Arrow keys move between points, N and P jump to the next and previous signal, Escape clears the selection."
        aria-describedby="chart-summary"
        data-testid="chart-plot"
        onKeyDown={move}
        onDblClick={() => plot.current?.zoom(null)}
        onBlur={() => plot.current?.unpoint()}
      >
        <div class="canvas" ref={host} />
        {pointed && labels && <Tooltip labels={labels} x={pointed.x} y={pointed.y} />}
      </div>
      {isZoomed && (
        <button type="button" class="small zoom-out" data-testid="zoom-reset" onClick={() => plot.current?.zoom(null)}>Show all points</button>
      )}
      <p class="sr-only" aria-live="polite" data-testid="chart-announcement">{announcement}</p>
      <figcaption>
        <Legend model={model} />
        <p class="sr-only" id="chart-summary">{summary(analysis, model)}</p>
        <p class="chart-notes quiet">
          {model.x.length < model.n && <span>{counted(model.x.length, "point")} of {counted(model.n, "point")} drawn, including every point that signals.</span>}
          {model.changes.length > 0 && <span>A vertical line marks a change of the level.</span>}
          <a href={tableHref} data-testid="chart-table-link">Violations as a table</a>
        </p>
      </figcaption>
    </figure>
  );
}

/** The point to select after a key press; null clears the selection, undefined means that the chart ignores the key. */
function target(event: KeyboardEvent, from: number | null, model: ChartModel): number | null | undefined {
  const last = model.x.length - 1;
  const step = event.shiftKey ? 10 : 1;
  const clamped = (k: number) => Math.min(Math.max(k, 0), last);
  const signal = (direction: 1 | -1) => {
    for (let k = (from ?? (direction > 0 ? -1 : last + 1)) + direction; k >= 0 && k <= last; k += direction) if ((model.signals[k] as string[]).length > 0) return k;
    return from ?? undefined;
  };
  switch (event.key) {
    case "ArrowRight": return clamped(from === null ? 0 : from + step);
    case "ArrowLeft": return clamped(from === null ? last : from - step);
    case "Home": return 0;
    case "End": return last;
    case "n": return event.ctrlKey || event.metaKey ? undefined : signal(1);
    case "p": return event.ctrlKey || event.metaKey ? undefined : signal(-1);
    case "Escape": return null;
    default: return undefined;
  }
}
