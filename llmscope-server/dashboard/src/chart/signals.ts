import uPlot from "uplot";
import { ruleNumber, ruleSlot } from "../rules";
import { FONT, type Colors } from "./colors";
import { clipped } from "./limits";
import { isBeyond, signalling, type ChartModel } from "./model";
import { shapeOf } from "./shapes";
import type { Viewport } from "./viewport";

/** Points per pixel of width, which determines the size of dots and markers. */
function density(u: uPlot, viewport: Viewport): number {
  const [from, to] = viewport.visible(u);
  return (to - from) / (u.bbox.width / uPlot.pxRatio);
}

/** Draws a dot at every point, unless the dots would overlap. */
export function drawDots(u: uPlot, model: ChartModel, viewport: Viewport, colors: Colors): void {
  const dense = density(u, viewport);
  if (dense > 0.9) return;
  const { ctx } = u;
  const radius = (dense > 0.3 ? 1.3 : 2) * uPlot.pxRatio;
  const [from, to] = viewport.visible(u);
  clipped(u, () => {
    for (const [values, color] of [[model.x, colors.dot], [model.lower ?? [], colors.second]] as const) {
      ctx.fillStyle = color;
      ctx.beginPath();
      for (let k = from; k <= to && values.length > 0; k++) {
        const x = u.valToPos(viewport.xs[k] as number, "x", true);
        const y = u.valToPos((values[k] as number) * model.scale.factor, "y", true);
        ctx.moveTo(x + radius, y);
        ctx.arc(x, y, radius, 0, 2 * Math.PI);
      }
      ctx.fill();
    }
  });
}

/**
 * Draws a marker and rule numbers at every point that signals. The rule selects color and shape. Markers of points beyond
 * the limits are filled.
 */
export function drawSignals(u: uPlot, model: ChartModel, viewport: Viewport, colors: Colors): void {
  const size = density(u, viewport) < 0.3 ? 5.2 : 4;
  const markers: Marker[] = [];
  clipped(u, () => {
    const [from, to] = viewport.visible(u);
    for (let k = from; k <= to; k++) {
      const codes = model.signals[k] as string[];
      const x = u.valToPos(viewport.xs[k] as number, "x", true);
      const y = u.valToPos(signalling(model, k) * model.scale.factor, "y", true);
      const outside = y < u.bbox.top ? -1 : y > u.bbox.top + u.bbox.height ? 1 : 0;
      if (outside !== 0) drawOutside(u, x, outside, codes.length > 0 ? colors.limit : colors.muted);
      if (codes.length === 0 || outside !== 0) continue;
      const marker = { k, x, y, rule: ruleSlot(codes[0] as string, model.rules), filled: isBeyond(model, k), size };
      drawMarker(u, marker, colors);
      markers.push(marker);
    }
    drawNumbers(u, model, markers, colors);
  });
}

/** The positions of the drawn points that signal. */
export function signalPositions(model: ChartModel): number[] {
  return model.i.filter((_, k) => (model.signals[k] as string[]).length > 0);
}

interface Marker {
  k: number;
  x: number;
  y: number;
  rule: number;
  filled: boolean;
  /** In CSS pixels. */
  size: number;
}

function drawMarker(u: uPlot, { x, y, rule, filled, size }: Marker, colors: Colors): void {
  const { ctx } = u;
  const radius = size * uPlot.pxRatio;
  ctx.beginPath();
  shapeOf(rule).forEach(([dx, dy], k) => (k === 0 ? ctx.moveTo(x + dx * radius, y + dy * radius) : ctx.lineTo(x + dx * radius, y + dy * radius)));
  ctx.closePath();
  const color = colors.rules[rule % 8] as string;
  ctx.fillStyle = filled ? color : colors.panel;
  ctx.fill();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.6 * uPlot.pxRatio;
  ctx.stroke();
}

/** Draws a triangle at the edge that points to a point outside the visible range. */
function drawOutside(u: uPlot, x: number, side: -1 | 1, color: string): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const edge = side < 0 ? bbox.top + ratio : bbox.top + bbox.height - ratio;
  ctx.beginPath();
  ctx.moveTo(x, edge);
  ctx.lineTo(x - 4 * ratio, edge - side * 8 * ratio);
  ctx.lineTo(x + 4 * ratio, edge - side * 8 * ratio);
  ctx.closePath();
  ctx.fillStyle = color;
  ctx.fill();
}

const sideOf = (model: ChartModel, k: number): -1 | 1 => {
  const center = model.limits ? (typeof model.limits.center === "number" ? model.limits.center : (model.limits.center[0] ?? 0)) : 0;
  return signalling(model, k) >= center ? -1 : 1;
};

/** Draws the rule numbers next to their markers. Numbers that would overlap something are only in the tooltip. */
function drawNumbers(u: uPlot, model: ChartModel, markers: Marker[], colors: Colors): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const taken: Box[] = [];
  ctx.font = `600 ${10 * ratio}px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3 * ratio;
  ctx.strokeStyle = colors.panel;
  markers.forEach(({ k, x, y, rule, size }, place) => {
    const text = (model.signals[k] as string[]).map(ruleNumber).join(",");
    const half = ctx.measureText(text).width / 2 + 2 * ratio;
    const neighbours = markers.slice(Math.max(place - 12, 0), place + 13).filter((other) => other.k !== k);
    const isFree = (middle: number): boolean => {
      const box = { left: x - half, right: x + half, top: middle - 6 * ratio, bottom: middle + 6 * ratio };
      const inside = box.top >= bbox.top && box.bottom <= bbox.top + bbox.height && box.left >= bbox.left && box.right <= bbox.left + bbox.width;
      const free = inside && !neighbours.some((other) => covers(box, around(other, ratio))) && !taken.slice(-12).some((other) => covers(box, other));
      if (free) taken.push(box);
      return free;
    };
    const distance = sideOf(model, k) * (size + 8) * ratio;
    const middle = [y + distance, y - distance].find(isFree);
    if (middle === undefined) return;
    ctx.strokeText(text, x, middle);
    ctx.fillStyle = colors.rules[rule % 8] as string;
    ctx.fillText(text, x, middle);
  });
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

function around({ x, y, size }: Marker, ratio: number): Box {
  const radius = size * ratio;
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}

const covers = (a: Box, b: Box): boolean => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
