// The marker shape of each rule, so that rules are distinguishable without colors. The corners are in the unit circle.

export type Corner = readonly [x: number, y: number];

const regular = (corners: number, turn = 0): Corner[] =>
  Array.from({ length: corners }, (_, k) => {
    const angle = ((k / corners) * 2 - 0.5) * Math.PI + turn;
    return [Math.cos(angle), Math.sin(angle)] as const;
  });

const star = (points: number, inner: number): Corner[] =>
  regular(points * 2).map(([x, y], k) => (k % 2 === 0 ? [x, y] : [x * inner, y * inner]));

const SHAPES: readonly Corner[][] = [
  regular(4),
  regular(4, Math.PI / 4),
  regular(3),
  regular(3, Math.PI),
  regular(6),
  star(4, 0.45),
  regular(16),
  star(5, 0.5),
];

export const shapeOf = (rule: number): readonly Corner[] => SHAPES[rule % SHAPES.length] as Corner[];

/** The corners as an SVG's `points`. */
export const cornersAt = (rule: number, center: number, radius: number): string =>
  shapeOf(rule).map(([x, y]) => `${(center + x * radius).toFixed(2)},${(center + y * radius).toFixed(2)}`).join(" ");
