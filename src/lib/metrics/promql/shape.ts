import { parseSelector } from './selector.js';
import { type PromqlNode, parsePromql } from './tree.js';

/**
 * An expression behind which there are raw counters that can be judged by counts.
 * Selectors are the user's own text, placeholders still in; the expression's value is `factor` times the shape's.
 */
export type PromqlShape =
  | { kind: 'quantile'; q: number; bucketSelector: string; factor: number }
  | { kind: 'ratio'; numeratorSelector: string; denominatorSelector: string; factor: number };

interface Peeled {
  node: PromqlNode;
  factor: number;
}

/**
 * Recognises `histogram_quantile(q, sum by (le) (rate(X_bucket{...}[w])))` and
 * `sum(rate(A{...}[w])) / sum(rate(B{...}[w]))`, also with `increase`, with constant factors, with `clamp_min` and
 * `clamp_max` around either side of the ratio, and with `or vector(0)`.
 * @returns null for everything else: offsets, other groupings, different windows, one-sided `increase`, ...
 */
export function promqlShape(expr: string): PromqlShape | null {
  const root = parsePromql(expr);
  if (!root) return null;
  const { node, factor } = peel(root, false);
  const shape = node.type === 'call' ? quantileShape(node, factor) : ratioShape(node, factor);
  return shape && shape.factor > 0 && Number.isFinite(shape.factor) ? shape : null;
}

/** Takes constant factors and `or vector(0)` off, and clamps where asked to. */
function peel(node: PromqlNode, clamps: boolean, factor = 1): Peeled {
  if (node.type === 'binary' && node.plain) {
    const { operator, left, right } = node;
    if (operator === '*' && right.type === 'number') return peel(left, clamps, factor * right.value);
    if (operator === '*' && left.type === 'number') return peel(right, clamps, factor * left.value);
    if (operator === '/' && right.type === 'number') return peel(left, clamps, factor / right.value);
    if (operator === 'or' && isVectorZero(right)) return peel(left, clamps, factor);
  }
  if (clamps && node.type === 'call' && /^clamp_(min|max)$/.test(node.name)) {
    const [inner, limit] = node.args;
    if (inner && limit?.type === 'number') return peel(inner, clamps, factor);
  }
  return { node, factor };
}

function isVectorZero(node: PromqlNode): boolean {
  const [zero] = node.type === 'call' && node.name === 'vector' ? node.args : [];
  return zero?.type === 'number' && zero.value === 0;
}

function quantileShape({ name, args }: Extract<PromqlNode, { type: 'call' }>, factor: number): PromqlShape | null {
  const [q, sum] = args;
  if (name !== 'histogram_quantile' || q?.type !== 'number' || sum?.type !== 'aggregate') return null;
  if (sum.grouping !== 'by' || sum.labels.join() !== 'le') return null;
  const counter = summedCounter(sum);
  if (!counter || !parseSelector(counter.selector)?.name.endsWith('_bucket')) return null;
  return { kind: 'quantile', q: q.value, bucketSelector: counter.selector, factor };
}

function ratioShape(node: PromqlNode, factor: number): PromqlShape | null {
  if (node.type !== 'binary' || node.operator !== '/' || !node.plain) return null;
  const [above, below] = [peel(node.left, true), peel(node.right, true)];
  const [bad, total] = [above, below].map((side) => {
    const isSum = side.node.type === 'aggregate' && side.node.grouping === null;
    return isSum ? summedCounter(side.node) : null;
  });
  if (!bad || !total || bad.name !== total.name || bad.window !== total.window) return null;
  if (!parseSelector(bad.selector) || !parseSelector(total.selector)) return null;
  return {
    kind: 'ratio',
    numeratorSelector: bad.selector,
    denominatorSelector: total.selector,
    factor: (factor * above.factor) / below.factor,
  };
}

/** `sum(rate(selector[window]))` or with `increase`. */
function summedCounter(node: PromqlNode): { name: string; selector: string; window: string } | null {
  if (node.type !== 'aggregate' || node.name !== 'sum') return null;
  const [call] = node.args;
  if (call?.type !== 'call' || (call.name !== 'rate' && call.name !== 'increase')) return null;
  const [range] = call.args;
  return range?.type === 'range' ? { name: call.name, selector: range.selector, window: range.window } : null;
}
