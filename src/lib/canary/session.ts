import { createHash, type Hash } from 'node:crypto';
import { LukhasError } from '../errors.js';
import { begin, type Judgement, observe } from '../judge/judge.js';
import type { Observation } from '../judge/observation.js';
import type { Ledger } from '../ledger/ledger.js';
import { type Canary, foldCanary } from './state.js';

/** What a driver keeps in memory of a canary between two looks; all of it can be read again from the log. */
export interface Session {
  canary: Canary;
  judgement: Judgement | null;
  cursor: unknown;
  /** sha256 over the recorded lines so far. */
  digest: Hash;
  count: number;
  firstAt: number | null;
}

/** @throws LukhasError NOT_FOUND */
export async function loadCanary(ledger: Ledger, id: string): Promise<Canary> {
  const canary = foldCanary(await ledger.events({ subject: id }));
  if (canary) return canary;
  throw new LukhasError('NOT_FOUND', `No canary ${id} in this log.`, {
    suggestions: ['List them: lukhas canary list', 'Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
  });
}

/** Reads a session from the log: events, then every recorded observation through the same judge. */
export async function loadSession(ledger: Ledger, id: string): Promise<Session> {
  const canary = await loadCanary(ledger, id);
  const session: Session = {
    canary,
    judgement: canary.startedAt === null ? null : begin(canary.policy, canary.startedAt),
    cursor: await ledger.cursor(id),
    digest: createHash('sha256'),
    count: 0,
    firstAt: null,
  };
  for await (const line of ledger.observationLines(id)) {
    const observation = JSON.parse(line) as Observation;
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
}
