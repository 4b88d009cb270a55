import { parseSelector } from './selector.js';
import { type PromqlNode, parsePromql } from './tree.js';

/** A counter in a sum or difference; the selector is the user's own text, placeholders still in. */
export interface ShapeTerm {
  sign: 1 | -1;
  selector: string;
}

/**
 * An expression behind which there are raw counters that can be judged by counts; its value is `factor` times the
 * shape's. The first term of a sum is never subtracted.
 */
export type PromqlShape =
  | { kind: 'quantile'; q: number; bucketSelector: string; factor: number }
  | { kind: 'ratio'; numerator: ShapeTerm[]; denominator: ShapeTerm[]; factor: number };

interface Peeled {
  node: PromqlNode;
  factor: number;
}

/** A sum and difference of `sum(FUNCTION(selector[window]))`. */
interface Counters {
  terms: ShapeTerm[];
  /** Function and window, which have to be the same throughout. */
  over: string;
  factor: number;
}

type Ratio = Extract<PromqlShape, { kind: 'ratio' }>;

/**
 * Recognises `histogram_quantile(q, sum by (le) (rate(X_bucket{...}[w])))` and ratios of sums and differences of
 * `sum(rate(A{...}[w]))`: `bad / total`, `1 - good / total`, `(total - good) / total`, `bad / (ok + bad)`; also with
 * `increase` or `irate`, with constant factors (`100 * ...`, `100 - 100 * ...`), and around the sides of a plain ratio with
 * `clamp_min`, `clamp_max` and `or vector(0)`.
 * @returns null for everything else: offsets, other groupings, different windows, one-sided `increase`, ...
 */
export function promqlShape(expr: string): PromqlShape | null {
  const root = parsePromql(expr);
  if (!root) return null;
  const { node, factor } = peel(root, false);
  const shape = node.type === 'call' ? quantileShape(node, factor) : ratioShape(root);
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

function ratioShape(root: PromqlNode): Ratio | null {
  const { node, factor } = peel(root, false);
  if (node.type !== 'binary' || !node.plain) return null;
  if (node.operator === '-') return complement(node, factor);
  if (node.operator !== '/') return null;
  const [above, below] = [counters(node.left, true), counters(node.right, true)];
  if (!above || !below || above.over !== below.over) return null;
  const all = (factor * above.factor) / below.factor;
  return { kind: 'ratio', numerator: above.terms, denominator: below.terms, factor: all };
}

/** `1 - good / total` is `(total - good) / total`. A clamp or `or vector(0)` would make something else of it. */
function complement({ left, right }: Extract<PromqlNode, { type: 'binary' }>, factor: number): Ratio | null {
  if (left.type !== 'number' || altered(right)) return null;
  const good = ratioShape(right);
  if (!good || Math.abs(good.factor - left.value) > 1e-9 * left.value) return null;
  const numerator = [...good.denominator, ...good.numerator.map(negated)];
  return { ...good, numerator, factor: factor * left.value };
}

function altered(node: PromqlNode): boolean {
  if (node.type === 'call' && /^(clamp|vector)/.test(node.name)) return true;
  const inner = node.type === 'binary' ? [node.left, node.right] : node.type === 'call' ? node.args : [];
  return inner.some(altered);
}

/** @param plain whether what a clamp or `or vector(0)` does may be taken off: not where something is subtracted from it */
function counters(node: PromqlNode, plain: boolean): Counters | null {
  const { node: inner, factor } = peel(node, plain);
  if (inner.type === 'aggregate') {
    const single = inner.grouping === null ? summedCounter(inner) : null;
    if (!single || !parseSelector(single.selector) || (!plain && altered(node))) return null;
    return { terms: [{ sign: 1, selector: single.selector }], over: `${single.name} ${single.window}`, factor };
  }
  if (inner.type !== 'binary' || !inner.plain || !['+', '-'].includes(inner.operator)) return null;
  const keeps = plain && inner.operator === '+';
  const [left, right] = [counters(inner.left, keeps), counters(inner.right, keeps)];
  if (!left || !right || left.over !== right.over || left.factor !== right.factor) return null;
  const second = inner.operator === '-' ? right.terms.map(negated) : right.terms;
  return { terms: [...left.terms, ...second], over: left.over, factor: factor * left.factor };
}

const negated = ({ sign, selector }: ShapeTerm): ShapeTerm => ({ sign: sign === 1 ? -1 : 1, selector });

/** `sum(rate(selector[window]))` or with `increase`, `irate`. */
function summedCounter(node: PromqlNode): { name: string; selector: string; window: string } | null {
  if (node.type !== 'aggregate' || node.name !== 'sum') return null;
  const [call] = node.args;
  if (call?.type !== 'call' || !['rate', 'increase', 'irate'].includes(call.name)) return null;
  const [range] = call.args;
  return range?.type === 'range' ? { name: call.name, selector: range.selector, window: range.window } : null;
}
