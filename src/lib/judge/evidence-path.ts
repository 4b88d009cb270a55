import { shownLogE } from './rounding.js';
import type { EvidencePoint } from './verdict.js';

const MOST_POINTS = 128;

/**
 * Evidence over time in bounded memory: every `stride`-th tick is kept, and the stride doubles when the path is full,
 * so that the same ticks always leave the same points.
 */
export interface EvidencePath {
  points: EvidencePoint[];
  stride: number;
  seen: number;
}

export function evidencePath(): EvidencePath {
  return { points: [], stride: 1, seen: 0 };
}

export function extendPath(path: EvidencePath, tick: number, logE: number): void {
  if (path.seen % path.stride === 0) {
    path.points.push({ tick, logE });
    if (path.points.length > MOST_POINTS) {
      path.points = path.points.filter((_, i) => i % 2 === 0);
      path.stride *= 2;
    }
  }
  path.seen++;
}

/** The path for a report; `last` is the newest point, added when the stride left it out. */
export function shownPath(path: EvidencePath, last: EvidencePoint | null): EvidencePoint[] {
  const points = path.points.map((p) => ({ tick: p.tick, logE: shownLogE(p.logE) }));
  if (last && points.at(-1)?.tick !== last.tick) points.push({ tick: last.tick, logE: shownLogE(last.logE) });
  return points;
}
