import { createHash } from 'node:crypto';
import { canonicalPart, parseCanonical } from './canonical.js';
import { lineBatches } from './lines.js';
import type { EvidenceFindings } from './report.js';

/** Summary of one canary's observations in the pack. */
export interface Observed {
  count: number;
  firstAt: number;
  lastAt: number;
  lastTick: number;
  /** SHA-256 over their lines, hex: what a verdict commits to. */
  digest: string;
}

interface Line {
  canaryId: string;
  observation: { tick: number; t: number };
  /** Canonical text of the observation. */
  text: string;
}

/**
 * Reads observations.ndjson alongside the entries: the lines of a canary are adjacent, and canaries come in the order of
 * their verdicts. Keeps no observation in memory.
 */
export class Observations {
  /** Lines that were read. */
  count = 0;
  readonly #batches: AsyncIterator<Buffer[]>;
  #lines: readonly Buffer[] = [];
  #at = 0;
  /** The first line of the next canary; null after the last, undefined before the first. */
  #next: Line | null | undefined = undefined;

  constructor(
    chunks: AsyncIterable<Buffer>,
    private readonly findings: EvidenceFindings,
  ) {
    this.#batches = lineBatches('observations.ndjson', chunks);
  }

  /** The observations of the canary that was just decided; null when others, or none, come next. @throws LukhasError VERIFICATION: no lines */
  async take(canaryId: string): Promise<Observed | null> {
    const first = await this.#first();
    return first?.canaryId === canaryId ? this.#run(first) : null;
  }

  /** After the last verdict. @throws LukhasError VERIFICATION: no lines */
  async finish(): Promise<void> {
    for (let first = await this.#first(); first !== null; first = await this.#first()) {
      const { canaryId } = first;
      this.findings.problem(
        `observations.ndjson: observations of ${canaryId} belong to no verdict in the pack, or are out of order`,
      );
      await this.#run(first);
    }
  }

  async #first(): Promise<Line | null> {
    if (this.#next === undefined) this.#next = await this.#more();
    return this.#next;
  }

  async #run(first: Line): Promise<Observed> {
    const { t: firstAt, tick } = first.observation;
    const run = { count: 0, firstAt, lastAt: firstAt, lastTick: tick };
    const hash = createHash('sha256');
    let line: Line | null = first;
    while (line?.canaryId === first.canaryId) {
      const { observation, text } = line;
      if (run.count > 0 && observation.tick <= run.lastTick) {
        this.findings.problem(`observations.ndjson: line ${this.count} is out of order`);
      }
      hash.update(`${text}\n`);
      run.count++;
      run.lastAt = observation.t;
      run.lastTick = observation.tick;
      // Awaiting an empty promise for every line is slow.
      line = this.#held() ?? (await this.#more());
    }
    this.#next = line;
    return { ...run, digest: hash.digest('hex') };
  }

  /** The next line of the current batch; null after its last. */
  #held(): Line | null {
    for (let bytes = this.#lines[this.#at]; bytes !== undefined; bytes = this.#lines[this.#at]) {
      this.#at++;
      this.count++;
      const line = readLine(bytes);
      if (line !== null) return line;
      this.findings.problem(`observations.ndjson: line ${this.count} is not an observation in canonical JSON`);
    }
    return null;
  }

  /** The next line, from the next batch; null at the end of the file. */
  async #more(): Promise<Line | null> {
    for (let batch = await this.#batches.next(); batch.done !== true; batch = await this.#batches.next()) {
      this.#lines = batch.value;
      this.#at = 0;
      const line = this.#held();
      if (line !== null) return line;
    }
    return null;
  }
}

function readLine(bytes: Buffer): Line | null {
  const line = parseCanonical(bytes) as Partial<Omit<Line, 'text'>> | undefined;
  if (typeof line !== 'object' || line === null || Object.keys(line).join() !== 'canaryId,observation') return null;
  const { canaryId, observation } = line as Omit<Line, 'text'>;
  if (typeof canaryId !== 'string' || typeof observation !== 'object' || observation === null) return null;
  if (typeof observation.tick !== 'number' || typeof observation.t !== 'number') return null;
  const text = canonicalPart(observation);
  return text === undefined ? null : { canaryId, observation, text };
}
