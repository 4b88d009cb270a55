import { createHash } from 'node:crypto';
import type { Observation } from '../../judge/index.js';
import type { Ledger } from '../../ledger/index.js';
import { parsed } from '../../ledger/sqlite/index.js';
import { eventId, parseEventId, Teller } from '../../stream/index.js';
import type { CanaryEntries, CanaryRecord } from '../../view/index.js';
import type { App } from '../app.js';
import { canaryEntries } from '../explanations.js';

/** Recorded lines of a canary after a check, in order of check, without their line breaks; none: there are no more. */
export type ReadLines = (id: string, afterTick: number) => Promise<readonly string[]>;

interface Known {
  log: string | null;
  observations: Observation[];
  digest: ReturnType<typeof createHash>;
}

/** Canaries whose observations are kept; the one that was asked for least recently is read again. */
const MOST = 8;

/**
 * All that is recorded of canaries, for somebody who asks again and again: lines that were read are not read again, and their
 * digest goes on from where it was.
 */
export class Records {
  readonly #lines: ReadLines;
  readonly #known = new Map<string, Known>();
  /** One is read at a time: two would add the same lines twice. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(lines: ReadLines) {
    this.#lines = lines;
  }

  /** @param entries what the log holds of the canary as of now */
  read(entries: CanaryEntries): Promise<CanaryRecord> {
    const next = this.#last.then(() => this.#read(entries));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #read(entries: CanaryEntries): Promise<CanaryRecord> {
    const { id, events } = entries;
    const known = this.#of(entries);
    const decided = events.find((event) => event.kind === 'canary.decided');
    const last = decided?.data.verdict.tick ?? Number.POSITIVE_INFINITY;
    for (;;) {
      const newest = known.observations.at(-1)?.tick ?? -1;
      const lines = newest < last ? await this.#lines(id, newest) : [];
      if (lines.length === 0) break;
      for (const line of lines) {
        const observation = parsed<Observation>(line, `an observation of ${id}`);
        if (observation.tick > last) return made(entries, known, true);
        known.observations.push(observation);
        known.digest.update(`${line}\n`);
      }
    }
    return made(entries, known, decided !== undefined);
  }

  #of({ id, position }: CanaryEntries): Known {
    const log = parseEventId(position)?.log ?? null;
    const before = this.#known.get(id);
    // The same id in another log is another canary.
    const known = before?.log === log ? before : { log, observations: [], digest: createHash('sha256') };
    this.#known.delete(id);
    this.#known.set(id, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}

/** All that is recorded of a canary in this log, read once. @throws LukhasError NOT_FOUND, AMBIGUOUS_ID, LEDGER_CORRUPT */
export async function readRecord(app: Pick<App, 'ledger' | 'canaries'>, given: string): Promise<CanaryRecord> {
  const { ledger } = app;
  const position = eventId(await ledger.feedEnd(), await new Teller(ledger).log());
  return recordsOf(() => ledger).read(await canaryEntries(app, given, position));
}

/** @param ledger asked each time: it may be another one */
export function recordsOf(ledger: () => Pick<Ledger, 'observationPage'>): Records {
  return new Records(async (id, after) => (await ledger().observationPage(id, after)).map(({ body }) => body));
}

/** Only what was decided commits to its observations. */
function made(entries: CanaryEntries, { observations, digest }: Known, isDecided: boolean): CanaryRecord {
  return { ...entries, observations: [...observations], digest: isDecided ? digest.copy().digest('hex') : null };
}
