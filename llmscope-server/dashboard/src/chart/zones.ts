import type { Transform } from "../api/types";

/** Where the limits of a point stand, and on which scale its sigma is one. */
export interface Zoned {
  center: number;
  sigma: number;
  transform?: Transform | undefined;
}

/** The edge of a zone: so many sigmas from the center line, on the scale of the transformation if there is one. */
export function zoneEdge({ center, sigma, transform }: Zoned, multiple: number): number {
  const offset = multiple * sigma;
  if (!transform) return center + offset;
  const { lambda } = transform;
  if (lambda === 0) return center * Math.exp(offset);
  return Math.max(center ** lambda + offset, 0) ** (1 / lambda);
}

/** One sigma above the center line, in the unit of what is plotted. */
export const plottedSigma = (zoned: Zoned): number => (zoned.transform ? zoneEdge(zoned, 1) - zoned.center : zoned.sigma);

/** What the transformation is called. */
export const transformName = ({ lambda }: Transform): string => (lambda === 0 ? "logarithm" : `Box–Cox λ ${lambda}`);
