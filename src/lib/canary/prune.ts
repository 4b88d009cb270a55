import { createHash } from 'node:crypto';
import { type Clock, timestamp } from '../clock.js';
import { LukhasError } from '../errors.js';
import type { Actor, Ledger } from '../ledger/index.js';
import { type Canary, foldCanary, isOpen, isTerminal } from '../readings/index.js';
import { Turns } from '../turns.js';
import { appendEvent } from './append.js';

export interface PruneRequest {
  ledger: Ledger;
  clock: Clock;
  by: Actor;
  /** Nothing may have been recorded of the canary since then, ms since the epoch. */
  before: number;
  /** The rule by which it is pruned, for the record. */
  olderThanDays: number;
  /** Only say what would be done. */
  dryRun: boolean;
}

/**
 * `kept`: it goes on, people may still be asked about it, or something was recorded of it since. `refused`: its observations
 * are not those that its verdict commits to, or its entries are damaged: they are evidence of that, and stay.
 */
export type Pruning = { kind: 'pruned'; observations: number } | { kind: 'kept' } | { kind: 'refused'; why: string };

/**
 * Deletes the observations of a canary that ended long ago, all of them, in one transaction with the entry that says so:
 * how many they were, and their digest. Nobody sees some of them, and none is gone without the entry.
 * @throws LukhasError LEDGER_BUSY, LEDGER_FULL, LEDGER_READ_ONLY; LEDGER_CONFLICT when something was recorded of it meanwhile
 */
export async function pruneCanary(id: string, request: PruneRequest): Promise<Pruning> {
  const { ledger, clock, by, before, olderThanDays, dryRun } = request;
  let canary: Canary | null;
  try {
    canary = foldCanary(await ledger.intactEvents(id));
  } catch (error) {
    if (error instanceof LukhasError && error.code === 'LEDGER_CORRUPT') return { kind: 'refused', why: error.message };
    throw error;
  }
  if (canary === null) return { kind: 'refused', why: `the log has no canary ${id}` };
  if (!isOver(canary) || Date.parse(canary.updatedAt) >= before) return { kind: 'kept' };
  const found = await recorded(ledger, id);
  const judged = canary.observations;
  if (judged !== null && (judged.count !== found.count || judged.digest !== found.digest))
    return { kind: 'refused', why: 'its observations are not those that its verdict is based on' };
  if (!dryRun) {
    const data = { by, olderThanDays, observations: found };
    const event = { kind: 'canary.pruned', subject: id, ts: timestamp(clock.now()), data } as const;
    await appendEvent(ledger, canary, event, [], { prune: { canaryId: id, count: found.count } });
  }
  return { kind: 'pruned', observations: found.count };
}

/** A promotion that people are asked about is decided on what was observed. */
function isOver(canary: Canary): boolean {
  return isTerminal(canary.state) && !isOpen(canary) && canary.action.state !== 'awaiting approval';
}

async function recorded(ledger: Ledger, id: string): Promise<{ count: number; digest: string }> {
  const turns = new Turns();
  const digest = createHash('sha256');
  let count = 0;
  for await (const line of ledger.observationLines(id)) {
    digest.update(`${line}\n`);
    count++;
    await turns.next();
  }
  return { count, digest: digest.digest('hex') };
}
