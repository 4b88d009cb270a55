import type { Observation, ReadingReport } from '../judge/index.js';
import { clip, plural } from './words.js';

const MOST = 5;

/** Which checks lack a reading, and why; empty where none does. The verdict has their number alone. Pure. */
export function missingReadings(o: ReadingReport, observations: readonly Observation[], untilTick: number): string {
  if (o.missed === 0) return '';
  const missing = observations.flatMap(({ tick, scalars }) => {
    if (tick === 0 || tick > untilTick) return [];
    const signal = scalars !== undefined && Object.hasOwn(scalars, o.name) ? scalars[o.name] : undefined;
    if (signal?.state === 'ok') return [];
    const why = signal === undefined ? 'absent' : `${signal.state}${signal.detail ? `: ${signal.detail}` : ''}`;
    return [`check ${tick} (${clip(why, 80)})`];
  });
  if (missing.length === 0) return '';
  const more = missing.length > MOST ? ` and ${plural(missing.length - MOST, 'more check')}` : '';
  return ` No reading at ${missing.slice(0, MOST).join(', ')}${more}.`;
}
