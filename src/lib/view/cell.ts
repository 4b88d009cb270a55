import { briefMilliseconds, briefOdds, briefPercent, briefPsi, missingText, odds, seconds } from '../explain/index.js';
import type { Glance, GlanceUnit, ObjectiveGlance } from '../judge/index.js';
import type { CanaryRow } from './row.js';
import type { Tone } from './state.js';

/** An objective as it is shown in a row: the value, its limit, and how much room is left between them. */
export interface Cell {
  name: string;
  /** `91 ms`; null: there is no number, and `missing` says why. */
  value: string | null;
  limit: string;
  missing: string | null;
  /** ✗ it counts against the canary, ✓ certified, ? neither. */
  mark: '✗' | '✓' | '?';
  tone: Tone;
  /** Share of the limit that is left, 1 (all of it) to -1 (twice the limit and more); null: no value. */
  headroom: number | null;
  n: number;
  reportOnly: boolean;
}

export function cellOf(o: ObjectiveGlance): Cell {
  const headroom = headroomOf(o);
  return {
    name: o.name,
    value: o.value === null ? null : amount(o.value, o.unit, o.limit),
    limit: `${o.op === '<=' ? '' : `${o.op} `}${amount(o.limit, o.unit)}`,
    missing: o.value === null ? missingText(o.missing) : null,
    mark: o.standing === 'against' ? '✗' : o.standing === 'met' ? '✓' : '?',
    tone: toneOf(o, headroom),
    headroom,
    n: o.n,
    reportOnly: o.reportOnly === true,
  };
}

function toneOf({ standing, value }: ObjectiveGlance, headroom: number | null): Tone {
  if (standing === 'against') return 'bad';
  if (value === null) return 'idle';
  if (headroom !== null && headroom < 0) return 'warn';
  return 'good';
}

/** How much of the limit is left. Of a limit of 0 there is nothing to be left. */
function headroomOf({ value, limit, op }: ObjectiveGlance): number | null {
  if (value === null) return null;
  const distance = op === '<=' || op === '<' ? limit - value : value - limit;
  const share = limit === 0 ? Math.sign(distance) : distance / Math.abs(limit);
  return Math.max(-1, Math.min(1, share));
}

/** A number in its unit, as rows and charts have it. @param limit keeps more digits where the two would look the same */
export function amount(value: number, unit: GlanceUnit, limit: number | null = null): string {
  switch (unit) {
    case 'share':
      return briefPercent(value, limit);
    case 'ms':
      return briefMilliseconds(value, limit);
    case 'psi':
      return briefPsi(value, limit);
    case 'ratio':
      return `${Number(value.toPrecision(3))}x`;
    case '1':
      return String(Number(value.toPrecision(4)));
  }
}

/** How near the evidence is to a rollback. */
export interface Meter {
  /** 0..1; 1 is where it is rolled back. */
  share: number;
  /** `12:1 (rolls back at 100:1)`, or that there is none. */
  text: string;
  tone: Tone;
}

export function meterOf({ logE, logThreshold }: Pick<Glance, 'logE' | 'logThreshold'>): Meter {
  const share = Math.max(0, Math.min(1, logE / logThreshold));
  const at = `rolls back at ${odds(logThreshold)}`;
  return {
    share,
    text: logE <= 0 ? `none (${at})` : `${briefOdds(logE)} (${at})`,
    tone: share >= 1 ? 'bad' : share >= 0.5 ? 'warn' : 'good',
  };
}

/** How long a canary still has, or how it stands where that says nothing. */
export function timeLeft(row: CanaryRow, now: number): string {
  const { state, endsAt, startedAt, createdAt, decidedAt, approval } = row;
  if (approval?.state === 'awaiting') return 'awaits approval';
  if (state === 'PENDING') return 'waits for its first check';
  if (uncheckedFor(row, now) !== null) return 'not being checked';
  if (state === 'RUNNING')
    return endsAt === null ? '' : endsAt > now ? `${roughly((endsAt - now) / 1000)} left` : 'deciding';
  const from = startedAt ?? createdAt;
  return from === null || decidedAt === null ? '' : `after ${roughly((decidedAt - from) / 1000)}`;
}

function roughly(s: number): string {
  return seconds(s < 10 ? Math.max(0, Math.round(s)) : s);
}

/**
 * For how long nobody has checked a running canary, where that is longer than checks take: then whoever drives it is gone or
 * stuck, and how it stands is how it stood then.
 * @returns milliseconds; null: it is checked
 */
export function uncheckedFor({ state, checkedAt, intervalSeconds }: CanaryRow, now: number): number | null {
  // Where no check is known here, its checks have not been read yet.
  if (state !== 'RUNNING' || checkedAt === null || intervalSeconds === null) return null;
  const since = now - checkedAt;
  return since > 3000 * intervalSeconds + 10_000 ? since : null;
}

/** Whether its numbers come in. */
export interface SourceHealth {
  text: string;
  tone: Tone;
}

export function sourceHealth(row: CanaryRow, now: number): SourceHealth {
  const { state, glance, silentSince } = row;
  if (state !== 'RUNNING') return { text: '', tone: 'idle' };
  const unchecked = uncheckedFor(row, now);
  if (unchecked !== null) return { text: `no check for ${roughly(unchecked / 1000)}`, tone: 'warn' };
  const since = silentSince ?? glance?.noDataSince ?? null;
  if (since !== null) return { text: `no data for ${roughly(Math.max(0, now - since) / 1000)}`, tone: 'warn' };
  if (glance === null || glance.objectives.every(({ n }) => n === 0)) return { text: 'waiting for data', tone: 'idle' };
  return { text: 'ok', tone: 'good' };
}
