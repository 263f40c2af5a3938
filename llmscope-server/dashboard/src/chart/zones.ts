import type { Transform } from "../api/types";

/** Center line and sigma at a point. With a transformation, sigma is that of the transformed values. */
export interface Zoned {
  center: number;
  sigma: number;
  transform?: Transform | undefined;
}

/** The edge of a zone, `multiple` sigmas from the center line; with a transformation, measured on the transformed scale. */
export function zoneEdge({ center, sigma, transform }: Zoned, multiple: number): number {
  const offset = multiple * sigma;
  if (!transform) return center + offset;
  const { lambda } = transform;
  if (lambda === 0) return center * Math.exp(offset);
  return Math.max(center ** lambda + offset, 0) ** (1 / lambda);
}

/** The distance from the center line to one sigma above it, in the unit of the plotted values. */
export const plottedSigma = (zoned: Zoned): number => (zoned.transform ? zoneEdge(zoned, 1) - zoned.center : zoned.sigma);

/** The name of the transformation. */
export const transformName = ({ lambda }: Transform): string => (lambda === 0 ? "logarithm" : `Box–Cox λ ${lambda}`);
