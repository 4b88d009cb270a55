import { createHash, type Hash } from 'node:crypto';
import { canonicalPart, parseCanonical } from './verify-pack-canonical.js';
import { lineBatches } from './verify-pack-lines.js';
import type { EvidenceFindings } from './verify-pack-report.js';

/** Observations of one canary, as they stand in the pack. */
export interface Observed {
  /** Place among the canaries of the file, from 0. */
  order: number;
  count: number;
  firstAt: number;
  lastAt: number;
  lastTick: number;
  /** SHA-256 over their lines, hex: what a verdict commits to. */
  digest: string;
}

interface Run extends Omit<Observed, 'digest'> {
  canaryId: string;
  hash: Hash;
}

interface Line {
  canaryId: string;
  observation: { tick: number; t: number };
}

/** Reads observations.ndjson once. @throws LukhasError VERIFICATION when it cannot be read as lines */
export async function readObservations(
  chunks: AsyncIterable<Buffer>,
  findings: EvidenceFindings,
): Promise<{ byCanary: Map<string, Observed>; count: number }> {
  const reader = new ObservationReader(findings);
  for await (const lines of lineBatches('observations.ndjson', chunks)) for (const line of lines) reader.take(line);
  return { byCanary: reader.end(), count: reader.count };
}

class ObservationReader {
  count = 0;
  readonly #byCanary = new Map<string, Observed>();
  #run: Run | null = null;

  constructor(private readonly findings: EvidenceFindings) {}

  take(bytes: Buffer): void {
    this.count++;
    const line = readLine(bytes);
    if (line === null) {
      this.findings.problem(`observations.ndjson: line ${this.count} is not an observation in canonical JSON`);
      return;
    }
    const { canaryId, observation, text } = line;
    if (this.#run?.canaryId !== canaryId) this.#begin(canaryId, observation);
    const run = this.#run as Run;
    if (run.count > 0 && observation.tick <= run.lastTick) {
      this.findings.problem(`observations.ndjson: line ${this.count} is out of order`);
    }
    run.hash.update(`${text}\n`);
    run.count++;
    run.lastAt = observation.t;
    run.lastTick = observation.tick;
  }

  end(): Map<string, Observed> {
    const run = this.#run;
    if (run !== null) {
      const { canaryId, hash, ...rest } = run;
      this.#byCanary.set(canaryId, { ...rest, digest: hash.digest('hex') });
      this.#run = null;
    }
    return this.#byCanary;
  }

  #begin(canaryId: string, { t, tick }: Line['observation']): void {
    this.end();
    if (this.#byCanary.has(canaryId)) {
      this.findings.problem(`observations.ndjson: those of ${canaryId} are in two places`);
    }
    const order = this.#byCanary.size;
    this.#run = { canaryId, order, count: 0, firstAt: t, lastAt: t, lastTick: tick, hash: createHash('sha256') };
  }
}

function readLine(bytes: Buffer): (Line & { text: string }) | null {
  const line = parseCanonical(bytes) as Partial<Line> | undefined;
  if (typeof line !== 'object' || line === null || Object.keys(line).join() !== 'canaryId,observation') return null;
  const { canaryId, observation } = line as Line;
  if (typeof canaryId !== 'string' || typeof observation !== 'object' || observation === null) return null;
  if (typeof observation.tick !== 'number' || typeof observation.t !== 'number') return null;
  const text = canonicalPart(observation);
  return text === undefined ? null : { canaryId, observation, text };
}
