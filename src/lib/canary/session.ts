import { createHash, type Hash } from 'node:crypto';
import type { Observation } from '../judge/index.js';
import { begin, type Judgement, observe } from '../judge/index.js';
import type { Ledger } from '../ledger/index.js';
import { parsed } from '../ledger/sqlite/index.js';
import type { Canary } from '../readings/index.js';
import { loadCanary } from './load.js';

/** What a driver keeps in memory of a canary between two looks; all of it can be read again from the log. */
export interface Session {
  canary: Canary;
  judgement: Judgement | null;
  cursor: unknown;
  /** sha256 over the recorded lines so far. */
  digest: Hash;
  count: number;
  firstAt: number | null;
  /** Whether a look has counted something, or set a starting point: then a cursor is stored. */
  counted: boolean;
  /** When this process last looked, by its own clock, ms since the epoch; null: it has not. */
  lookedAt: number | null;
}

/** Reads a session from the log: events, then every recorded observation through the same judge. */
export async function loadSession(ledger: Ledger, id: string, load = loadCanary): Promise<Session> {
  const canary = await load(ledger, id);
  const session: Session = {
    canary,
    judgement: canary.startedAt === null ? null : begin(canary.policy, canary.startedAt),
    cursor: await ledger.cursor(id),
    digest: createHash('sha256'),
    count: 0,
    firstAt: null,
    counted: false,
    lookedAt: null,
  };
  for await (const line of ledger.observationLines(id)) {
    const observation = parsed<Observation>(line, `an observation of ${id}`);
    take(session, observation, line);
  }
  return session;
}

/** Adds a recorded observation to the session. */
export function take(session: Session, observation: Observation, line: string): void {
  if (session.judgement) observe(session.judgement, observation);
  session.digest.update(`${line}\n`);
  session.count++;
  session.firstAt ??= observation.t;
  session.counted ||= hasCounters(observation);
}

const COUNTED: ReadonlySet<string> = new Set(['ok', 'first', 'unchanged']);

function hasCounters({ canary: { errors, latency, score, categories, histograms = {} } }: Observation): boolean {
  return [errors, latency, score, categories, ...Object.values(histograms)].some(
    (signal) => signal !== undefined && COUNTED.has(signal.state),
  );
}
