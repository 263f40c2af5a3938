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
import { pointWords, spoken, summary } from "./words";

export interface ChartHandle {
  zoomTo: (first: number, last: number) => void;
}

interface Props {
  analysis: Analysis;
  settings: PlotSettings;
  onBrush?: (points: Range) => void;
  /** Where the violations stand as a table. */
  tableHref: string;
  /** The time of a point to show first. */
  focusAt?: string | null;
  handle?: Ref<ChartHandle>;
}

export function ControlChart({ analysis, settings, onBrush, tableHref, focusAt, handle }: Props) {
  const model = useMemo(() => modelOf(analysis), [analysis]);
  if (model === null) return <p class="chart-empty" data-testid="chart-empty">{analysis.need && analysis.n > 0 ? `Points are drawn once there are ${analysis.need}.` : "There are no points to draw."}</p>;
  return <Drawn {...{ analysis, settings, onBrush, tableHref, focusAt, handle, model }} />;
}

function Drawn({ analysis, settings, onBrush, tableHref, focusAt, handle, model }: Props & { model: ChartModel }) {
  const figure = useRef<HTMLElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<ControlPlot | null>(null);
  const [pointed, setPointed] = useState<{ k: number; x: number; y: number } | null>(null);
  const [said, setSaid] = useState("");
  const [isZoomed, setZoomed] = useState(false);
  const brush = useRef(onBrush);
  brush.current = onBrush;
  const current = useStore(theme);
  const signals = useMemo(() => signalPositions(model), [model]);
  const words = pointed && pointed.k < model.x.length ? pointWords(model, pointed.k) : null;

  useEffect(() => {
    if (!host.current) return;
    if (plot.current?.fits(model, settings.along)) {
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
  }, [model, settings.along, settings.fit, settings.brushing, settings.phaseOne?.join()]);
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
    setSaid(next === null ? "" : spoken(pointWords(model, next)));
    if (next === null) plot.current?.unpoint();
    else plot.current?.point(next);
  };

  return (
    <figure class="chart" ref={figure} data-testid="chart" data-points={model.x.length} data-signals={JSON.stringify(signals)} data-n={analysis.n}>
      <div
        class={settings.brushing ? "plot brushing" : "plot"}
        tabIndex={0}
        role="application"
        aria-roledescription="control chart"
        aria-label="Control chart. Arrow keys move along the points, N and P to the next and previous signal, Escape leaves."
        aria-describedby="chart-summary"
        data-testid="chart-plot"
        onKeyDown={move}
        onDblClick={() => plot.current?.zoom(null)}
        onBlur={() => plot.current?.unpoint()}
      >
        <div class="canvas" ref={host} />
        {pointed && words && <Tooltip words={words} x={pointed.x} y={pointed.y} />}
      </div>
      {isZoomed && (
        <button type="button" class="small zoom-out" data-testid="zoom-reset" onClick={() => plot.current?.zoom(null)}>Show all points</button>
      )}
      <p class="sr-only" aria-live="polite" data-testid="chart-announcement">{said}</p>
      <figcaption>
        <Legend model={model} />
        <p class="sr-only" id="chart-summary">{summary(analysis, model)}</p>
        <p class="chart-notes quiet">
          {model.x.length < model.n && <span>{counted(model.x.length, "point")} of {counted(model.n, "point")} drawn; all that signal are among them.</span>}
          <a href={tableHref} data-testid="chart-table-link">Violations as a table</a>
        </p>
      </figcaption>
    </figure>
  );
}

/** The point that a key leads to; null to leave the points, undefined if the key means nothing here. */
function target(event: KeyboardEvent, from: number | null, model: ChartModel): number | null | undefined {
  const last = model.x.length - 1;
  const step = event.shiftKey ? 10 : 1;
  const near = (k: number) => Math.min(Math.max(k, 0), last);
  const signal = (way: 1 | -1) => {
    for (let k = (from ?? (way > 0 ? -1 : last + 1)) + way; k >= 0 && k <= last; k += way) if ((model.signals[k] as string[]).length > 0) return k;
    return from ?? undefined;
  };
  switch (event.key) {
    case "ArrowRight": return near(from === null ? 0 : from + step);
    case "ArrowLeft": return near(from === null ? last : from - step);
    case "Home": return 0;
    case "End": return last;
    case "n": return event.ctrlKey || event.metaKey ? undefined : signal(1);
    case "p": return event.ctrlKey || event.metaKey ? undefined : signal(-1);
    case "Escape": return null;
    default: return undefined;
  }
}
