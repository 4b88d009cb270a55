import { showLabels } from '../labels.js';
import type { Sample } from '../signals/index.js';
import type { Place } from './facts.js';

/** Below, two processes may have served as many by chance. */
const LEAST = 100;
/** So many requests may come between two readings of one page, or this share of all. */
const BETWEEN = 20;
const SHARE = 0.01;

/**
 * Whether two pages of different addresses are surely one process: it began at the same split second, has the same series
 * and nearly the same counts. A start in whole seconds says too little: pods are started together.
 * @param matters which samples are counted
 */
export function areOneProcess(a: Place, b: Place, matters: (sample: Sample) => boolean): boolean {
  if (a.id === b.id) return true;
  if (a.startedAt === undefined || a.startedAt !== b.startedAt || a.startedAt % 1000 === 0) return false;
  const [one, other] = [valuesOf(a, matters), valuesOf(b, matters)];
  if (one.size !== other.size || Math.max(0, ...one.values()) < LEAST) return false;
  return [...one].every(([key, value]) => {
    const there = other.get(key);
    return there !== undefined && Math.abs(value - there) <= BETWEEN + SHARE * Math.max(value, there);
  });
}

function valuesOf({ samples }: Place, matters: (sample: Sample) => boolean): Map<string, number> {
  return new Map(samples.filter(matters).map(({ name, labels, value }) => [`${name}${showLabels(labels)}`, value]));
}
