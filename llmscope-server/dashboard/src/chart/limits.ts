import uPlot from "uplot";
import type { ControlLimits } from "../api/types";
import { number } from "../quantity";
import { FONT, type Colors } from "./colors";
import { at, zonedAt, type ChartModel } from "./model";
import type { Viewport } from "./viewport";
import { zoneEdge, type Zoned } from "./zones";

const LETTER_COLUMN = 16;

/** Zones C, B and A around the center line. A CUSUM chart only has a decision interval. */
export function drawZones(u: uPlot, model: ChartModel, viewport: Viewport, colors: Colors): void {
  const { limits } = model;
  if (!limits) return;
  const y = (value: number) => u.valToPos(value * model.scale.factor, "y", true);
  const bands: [number, string][] = model.lower ? [[3, colors.zoneC]] : [[3, colors.zoneA], [2, colors.zoneB], [1, colors.zoneC]];
  clipped(u, () => {
    viewport.spans(u, [limits.lower, limits.center, limits.upper], (left, right, k, i) => {
      const { low, high, zoned } = zonesAt(limits, k, i);
      for (const [multiple, color] of bands) {
        // Zone A ends at the drawn limits, which are clamped to possible values.
        const top = y(model.lower ? high : Math.min(zoneEdge(zoned, multiple), high));
        const bottom = y(model.lower ? low : Math.max(zoneEdge(zoned, -multiple), low));
        u.ctx.fillStyle = color;
        u.ctx.fillRect(left, top, right - left, bottom - top);
      }
    });
  });
}

function zonesAt(limits: ControlLimits, k: number, i: number): { low: number; high: number; zoned: Zoned } {
  return { low: at(limits.lower, k, i), high: at(limits.upper, k, i), zoned: zonedAt(limits, k, i) };
}

/** Marks the points of phase I, from which the limits are computed. */
export function drawPhaseOne(u: uPlot, [from, to]: [number, number], viewport: Viewport, colors: Colors): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  clipped(u, () => {
    const [left, right] = [viewport.edge(u, from), viewport.edge(u, to + 1)];
    ctx.fillStyle = colors.phase;
    ctx.fillRect(left, bbox.top, right - left, 3 * ratio);
    ctx.strokeStyle = colors.focus;
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    for (const x of [left, right]) {
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
    }
    ctx.stroke();
    ctx.font = `600 ${10 * ratio}px ${FONT}`;
    ctx.fillStyle = colors.focus;
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    ctx.fillText("PHASE I", Math.max(left, bbox.left) + 5 * ratio, bbox.top + 6 * ratio);
  });
}

/** Center line, control limits and specification limits, with their values at the right margin. */
export function drawLines(u: uPlot, model: ChartModel, viewport: Viewport, colors: Colors): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const { limits, specification } = model;
  const { factor } = model.scale;
  const labels: { y: number; text: string; color: string }[] = [];
  const last = viewport.last(u);
  const rule = (name: string, line: number | number[] | undefined, color: string, dash: number[], width = 1.3) => {
    if (line === undefined) return;
    ctx.strokeStyle = color;
    ctx.lineWidth = width * ratio;
    ctx.setLineDash(dash.map((length) => length * ratio));
    ctx.beginPath();
    // One path with steps, so that the dashes continue where the line changes.
    viewport.spans(u, [line], (left, right, k, i) => {
      const y = u.valToPos(at(line, k, i) * factor, "y", true);
      ctx.lineTo(left, y);
      ctx.lineTo(right, y);
    });
    ctx.stroke();
    const value = at(line, last, model.i[last] as number);
    const y = u.valToPos(value * factor, "y", true);
    const isVisible = y >= bbox.top - ratio && y <= bbox.top + bbox.height + ratio;
    if (isVisible) labels.push({ y, text: `${name} ${number(value * factor, model.resolution * factor)}`, color });
  };
  clipped(u, () => {
    rule("UCL", limits?.upper, colors.limit, [6, 4]);
    rule("LCL", limits?.lower, colors.limit, [6, 4]);
    rule("CL", limits?.center, colors.center, [], 1.5);
    rule("USL", specification.upper, colors.spec, [2, 3], 1.6);
    rule("LSL", specification.lower, colors.spec, [2, 3], 1.6);
    rule("T", specification.target, colors.spec, [1, 4]);
  });
  ctx.save();
  ctx.font = `${11 * ratio}px ${FONT}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { y, text, color } of withoutOverlap(labels, 13 * ratio, bbox.top + bbox.height)) {
    ctx.fillStyle = color;
    ctx.fillText(text, bbox.left + bbox.width + (LETTER_COLUMN + 4) * ratio, y);
  }
  zoneLetters(u, model, last, colors);
  ctx.font = `${11 * ratio}px ${FONT}`;
  ctx.fillStyle = colors.muted;
  ctx.textAlign = "left";
  ctx.fillText(model.scale.symbol, 2 * ratio, 8 * ratio);
  ctx.restore();
}

/** The letters A, B and C next to their zones, if the zone is tall enough. */
function zoneLetters(u: uPlot, model: ChartModel, k: number, colors: Colors): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  if (!model.limits || model.lower) return;
  const i = model.i[k] as number;
  const { low, high, zoned } = zonesAt(model.limits, k, i);
  const y = (value: number) => u.valToPos(value * model.scale.factor, "y", true);
  ctx.fillStyle = colors.muted;
  ctx.textAlign = "center";
  ctx.font = `600 ${10 * ratio}px ${FONT}`;
  ["C", "B", "A"].forEach((letter, zone) => {
    for (const side of [1, -1]) {
      const inner = zoneEdge(zoned, side * zone);
      const outer = Math.min(Math.max(zoneEdge(zoned, side * (zone + 1)), low), high);
      const [a, b] = [y(inner), y(outer)];
      const middle = (a + b) / 2;
      const room = Math.abs(a - b) >= 11 * ratio && middle > bbox.top && middle < bbox.top + bbox.height;
      if (room && (outer - inner) * side > 0) ctx.fillText(letter, bbox.left + bbox.width + (LETTER_COLUMN / 2) * ratio, middle);
    }
  });
}

/** Labels moved until they are at least `room` apart, and none is below `bottom`. */
export function withoutOverlap<T extends { y: number }>(labels: T[], room: number, bottom: number): T[] {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  sorted.forEach((label, k) => {
    const above = sorted[k - 1];
    if (above) label.y = Math.max(label.y, above.y + room);
  });
  let limit = bottom;
  for (const label of [...sorted].reverse()) {
    label.y = Math.min(label.y, limit);
    limit = label.y - room;
  }
  return sorted;
}

export function clipped(u: uPlot, draw: () => void): void {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  draw();
  u.ctx.restore();
}
