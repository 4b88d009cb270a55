import type { Observation, Policy } from '../judge/index.js';
import { policyDigest } from '../ledger/tree/index.js';
import { counterfactualPolicy, type Setting, type WrittenPolicy } from './change-policy.js';
import { flipPoints } from './flip-points.js';
import { countOutcomes } from './outcomes.js';
import type { Recording } from './recording.js';
import type { Outcome, Sweep } from './result.js';
import { type Axis, combinations, settingsAt } from './sweep-axes.js';
import type { SweepTask } from './sweep-cells.js';
import { SweepPool, threadsFor } from './sweep-pool.js';

export interface SweepRequest {
  axes: readonly Axis[];
  given: WrittenPolicy | null;
  settings: readonly Setting[];
  /** What the axes are called where they were given, for messages; by default the flag. */
  called?: string;
  /** Threads to use; by default as many as the work is worth. */
  threads?: number;
}

/** A canary that was replayed: how it ended, and how many of its observations count. */
export interface Replayed {
  recording: Recording;
  outcome: Outcome;
  count: number;
}

/** Observations judged in one batch: enough to be worth handing over, few enough to keep every thread busy. */
const BATCH = 50_000;

/**
 * Judges every canary under every combination of the axes' values.
 * @throws LukhasError POLICY for a combination that is not a valid policy, USAGE for too many
 */
export async function sweep(canaries: readonly Replayed[], request: SweepRequest): Promise<Sweep> {
  const { axes } = request;
  const combined = combinations(axes);
  const policies = new Bases(request, combined);
  const bases = canaries.map(({ recording }) => policies.indexOf(recording.own));
  const checks = canaries.reduce((sum, { count }) => sum + count, 0) * combined.length;
  const pool = new SweepPool(policies.cells, request.threads ?? threadsFor(checks));
  try {
    const outcomes = await judgeAll(pool, canaries, bases, combined.length);
    const cells = combined.map((values, cell) => {
      const here = outcomes.map((row) => row[cell] ?? 'insufficient');
      const flips = here.filter((outcome, i) => isFlip(canaries[i]?.outcome, outcome)).length;
      return { values, outcomes: countOutcomes(here), flips };
    });
    return { axes: [...axes], cells, flipPoints: await exactFlips(canaries, request, outcomes) };
  } finally {
    await pool.close();
  }
}

function isFlip(original: Outcome | undefined, outcome: Outcome): boolean {
  return original !== 'insufficient' && outcome !== 'insufficient' && original !== outcome;
}

/** Policies of all cells, made once for all canaries that had the same policy. */
class Bases {
  readonly cells: Policy[][] = [];
  readonly #known = new Map<string, number>();

  constructor(
    private readonly request: SweepRequest,
    private readonly combined: readonly number[][],
  ) {}

  indexOf(own: Policy | null): number {
    const { given } = this.request;
    const key = given !== null || own === null ? 'given' : policyDigest(own);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.cells.push(this.combined.map((values) => policyAt(this.request, own, values)));
    this.#known.set(key, this.cells.length - 1);
    return this.cells.length - 1;
  }
}

function policyAt(
  { given, settings, axes, called = '--sweep' }: SweepRequest,
  own: Policy | null,
  values: readonly number[],
): Policy {
  return counterfactualPolicy(given, own, [...settings, ...settingsAt(axes, values)], called);
}

/** The outcome of each canary in each cell, canary by canary. */
async function judgeAll(
  pool: SweepPool,
  canaries: readonly Replayed[],
  bases: readonly number[],
  cells: number,
): Promise<Outcome[][]> {
  const answers: { owners: number[]; outcomes: Promise<Outcome[][]> }[] = [];
  let batch: { owner: number; task: SweepTask }[] = [];
  let size = 0;
  const hand = async (pieces: typeof batch) => {
    if (pieces.length === 0) return;
    const { outcomes } = await pool.submit(pieces.map(({ task }) => task));
    answers.push({ owners: pieces.map(({ owner }) => owner), outcomes });
  };
  for (const [owner, { recording, count }] of canaries.entries()) {
    const { own, startedAt, askedByOwn = true } = recording;
    const lines = await firstLines(recording, count);
    const pieces = lines.length * cells > BATCH ? pool.threads : 1;
    for (const piece of shares(cells, pieces)) {
      batch.push({ owner, task: { base: bases[owner] ?? 0, own, startedAt, askedByOwn, lines, cells: piece } });
      size += lines.length * (piece[1] - piece[0]);
      if (size < BATCH) continue;
      await hand(batch);
      [batch, size] = [[], 0];
    }
  }
  await hand(batch);
  const rows: Outcome[][] = canaries.map(() => []);
  for (const { owners, outcomes } of answers) {
    for (const [i, outcome] of (await outcomes).entries()) rows[owners[i] ?? 0]?.push(...outcome);
  }
  return rows;
}

/** `count` cells in so many pieces of about the same size, in order. */
function shares(count: number, pieces: number): [number, number][] {
  const each = Math.ceil(count / Math.max(1, pieces));
  return Array.from({ length: Math.ceil(count / each) }, (_, i) => [i * each, Math.min(count, (i + 1) * each)]);
}

/** The lines that were replayed: a running canary may have more by now. */
async function firstLines(recording: Recording, count: number): Promise<string[]> {
  const lines: string[] = [];
  if (count === 0) return lines;
  for await (const line of recording.lines()) {
    lines.push(line);
    if (lines.length === count) break;
  }
  return lines;
}

/** For one canary and one axis the exact values at which the verdict changes. */
async function exactFlips(
  canaries: readonly Replayed[],
  request: SweepRequest,
  outcomes: readonly Outcome[][],
): Promise<Sweep['flipPoints']> {
  const [only, ...others] = canaries;
  const [axis, ...moreAxes] = request.axes;
  if (only === undefined || axis === undefined || others.length > 0 || moreAxes.length > 0) return [];
  const { recording, count } = only;
  const observations = (await firstLines(recording, count)).map((line) => JSON.parse(line) as Observation);
  const judged = { ...recording, observations };
  return flipPoints(axis, outcomes[0] ?? [], judged, (value) => policyAt(request, recording.own, [value]));
}
