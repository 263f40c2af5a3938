import uPlot from "uplot";
import { FONT, type Colors } from "./colors";
import { sizeLabel } from "./labels";
import { clipped } from "./limits";
import type { ChartModel } from "./model";
import type { Viewport } from "./viewport";

/** In pixels. */
const BETWEEN_LABELS = 6;

/** A vertical line before the first point of each new level, with the size of the change above the plot. */
export function drawChanges(u: uPlot, model: ChartModel, viewport: Viewport, colors: Colors): void {
  const { ctx, bbox } = u;
  const ratio = uPlot.pxRatio;
  const right = bbox.left + bbox.width;
  const marks = model.changes
    .map((change) => ({ x: viewport.edge(u, change.since.index), color: change.direction === "better" ? colors.better : colors.worse, text: sizeLabel(model, change) }))
    .filter(({ x }) => x >= bbox.left && x <= right);
  clipped(u, () => {
    ctx.lineWidth = 1.6 * ratio;
    ctx.setLineDash([]);
    for (const { x, color } of marks) {
      ctx.strokeStyle = color;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
  });
  ctx.save();
  ctx.font = `600 ${11 * ratio}px ${FONT}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  let end = -Infinity;
  for (const { x, color, text } of marks) {
    const half = ctx.measureText(text).width / 2;
    // A label that would cover the previous one is left out; its line stays.
    if (x - half < end + BETWEEN_LABELS * ratio) continue;
    ctx.fillStyle = color;
    ctx.fillText(text, x, bbox.top - 4 * ratio);
    end = x + half;
  }
  ctx.restore();
}
