import { clip } from '../../input/index.js';

/** `a`, `a, b`: names from outside, each clipped. */
export function list(names: readonly string[]): string {
  return names.map((name) => clip(name, 100)).join(', ');
}

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `12,340`. */
export function numbers(n: number): string {
  return WHOLE.format(n);
}

/** `1 series`, `12,340 requests`. */
export function plural(n: number, one: string, many: string): string {
  return `${numbers(n)} ${n === 1 ? one : many}`;
}
