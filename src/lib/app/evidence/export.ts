import { createHash, type Hash } from 'node:crypto';
import { Transform, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Clock, timestamp } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import { type CosignedCheckpoint, cosigners } from '../../evidence/checkpoints/index.js';
import { readSigningKey, type SigningKey } from '../../evidence/keys/index.js';
import type { OnEntries } from '../../evidence/pack/index.js';
import { type FillQueries, type PackPlan, planPack, writePack } from '../../evidence/pack/index.js';
import type { PublishResult } from '../../evidence/publish/index.js';
import { type Output, type Replaceable, refuseToReplace, writableOf, writeOutput } from '../../files/index.js';
import { parseInstant, parseName } from '../../input/index.js';
import type { Actor, EventDraft, Ledger } from '../../ledger/index.js';
import { FAMILIES, type Selection, type SeqRange } from '../../ledger/index.js';
import type { Config } from '../config.js';
import { initKeys, type KeyFile, logOrigin, showKeys } from '../signing-keys.js';
import { makeCosigned, openCheckpoints } from './checkpoints.js';

/** As given: by flags, or in a URL. */
export interface ExportRequest {
  from?: string | undefined;
  to?: string | undefined;
  models?: readonly string[] | undefined;
  /** Of FAMILIES. */
  include?: readonly string[] | undefined;
}

interface Place {
  ledger: Ledger;
  config: Config;
  clock: Clock;
  /** Of lukhas. */
  version: string;
}

interface PrepareOptions {
  /** Default true: makes the keys that are missing. */
  makeKeys?: boolean;
  /** Asks the witnesses of the configuration to cosign the checkpoint, too; otherwise the pack has the cosignatures that are kept. */
  tell?: boolean;
  /** Before the names in messages of what is asked for: `--` for flags. */
  prefix?: string;
  /** Ends the asking of witnesses. */
  signal?: AbortSignal;
}

export interface WriteOptions {
  signal?: AbortSignal | undefined;
  onEntries?: OnEntries | undefined;
}

export interface ExportSummary {
  /** Bytes of the zip, and their SHA-256 in hex. */
  size: number;
  sha256: string;
  window: SeqRange & { firstTs: string; lastTs: string };
  counts: { decisions: number; observations: number; policies: number };
  origin: string;
  /** Fingerprints of the keys that signed. */
  keys: { log: string; export: string };
  /** The checkpoint of so many entries that is in the pack with cosignatures, and who made them; null: no witness has seen any. */
  cosigned: { size: number; by: string[] } | null;
}

/** An export whose window is fixed: what is appended to the log from now on does not change it. */
export class EvidenceExport {
  private constructor(
    private readonly place: Place,
    private readonly plan: PackPlan,
    private readonly keys: { log: SigningKey; export: SigningKey },
    private readonly witnessed: CosignedCheckpoint | null,
    /** Keys that were made for it: their public halves are still to be given to whoever will verify. */
    readonly madeKeys: readonly KeyFile[],
    /** What came of asking the witnesses; empty when none was asked. */
    readonly told: readonly PublishResult[],
  ) {}

  /**
   * Reads what is asked for; makes the keys when there are none, unless told not to. The log as it is now is signed and kept beside it, so that
   * nothing is exported of one that does not contain what was signed before.
   * @throws LukhasError USAGE (times, an empty log), CONFIG (keys, checkpoints), VERIFICATION (entries are gone or others, also as
   *   a witness has seen them), LEDGER_*
   */
  static async prepare(
    place: Place,
    request: ExportRequest,
    { makeKeys = true, tell = false, prefix = '', signal }: PrepareOptions = {},
  ): Promise<EvidenceExport> {
    const now = place.clock.now();
    const selected = { ...timesOf(request, now, prefix), selection: selectionOf(request, prefix) };
    const plan = await planPack(place.ledger, selected, filledQueries, now);
    const files = await (makeKeys ? initKeys : showKeys)(place.config);
    const { log, export: forExport } = place.config.keys;
    const keys = { log: await readSigningKey(log), export: await readSigningKey(forExport) };
    // After the plan: what is kept is of all that the pack holds.
    const checkpoints = await openCheckpoints(place);
    const told = tell ? await makeCosigned(place, checkpoints, signal) : [];
    if (!tell) await checkpoints.make();
    const witnessed = await checkpoints.cosigned(plan.range.to);
    const made = files.filter(({ created }) => created);
    return new EvidenceExport(place, plan, keys, witnessed, made, told);
  }

  get range(): SeqRange {
    return this.plan.range;
  }

  /** How many the pack shows; of others in its window it has the hashes. */
  entries(): Promise<number> {
    return this.place.ledger.pages.count(this.plan.range, this.plan.selection);
  }

  /** The same for the same window. */
  get fileName(): string {
    return `lukhas-evidence-${this.range.from}-${this.range.to}.zip`;
  }

  /**
   * Writes the zip and ends `out`; destroys it on failure.
   * @throws LukhasError LEDGER_*; the signal's reason; what `out` failed with
   */
  async write(out: Writable, { signal, onEntries }: WriteOptions = {}): Promise<ExportSummary> {
    const { ledger, config, version } = this.place;
    const origin = logOrigin(config, this.keys.log);
    const measure = new Measure();
    out.once('error', (error) => measure.destroy(error));
    measure.once('error', (error) => out.destroy(error));
    // A client that goes closes its socket without an error.
    out.once('close', () => measure.destroy(out.writableFinished ? undefined : gone()));
    measure.pipe(out);
    const ended = finished(out, { readable: false });
    // When it fails, so does what is awaited first.
    ended.catch(() => undefined);
    const { plan, keys, witnessed } = this;
    await writePack({ ledger, plan, origin, keys, witnessed, version, out: measure, signal, onEntries });
    await ended;
    const { range, firstTs, lastTs, decisions, observations, policies } = plan;
    return {
      size: measure.size,
      sha256: measure.digest(),
      window: { ...range, firstTs, lastTs },
      counts: { decisions: decisions.length, observations: observations.kept, policies: policies.size },
      origin,
      keys: { log: keys.log.fingerprint, export: keys.export.fingerprint },
      cosigned: witnessed && { size: witnessed.size, by: cosigners(witnessed.note) },
    };
  }

  /** What `writeFile` would refuse, before anything is signed for it. @throws LukhasError USAGE */
  static async refuseTarget(path: string, force = false): Promise<void> {
    await refuseToReplace(outputOf(path, force));
  }

  /**
   * Writes the zip whole or not at all, also in the place of another pack.
   * @param force also in the place of a file that is no pack
   * @throws LukhasError USAGE, EXPORT_FAILED, LEDGER_*; the signal's reason
   */
  async writeFile(path: string, options: WriteOptions & { force?: boolean } = {}): Promise<ExportSummary> {
    return writeOutput(
      outputOf(path, options.force),
      this.place.clock.now(),
      (file) => this.write(writableOf(file), options),
      notWritten,
    );
  }
}

/** The log says that a pack was asked for and not delivered. @param range null when it was not known yet */
export async function recordFailure(
  { ledger, clock }: Pick<Place, 'ledger' | 'clock'>,
  failure: { by: Actor; range: SeqRange | null; interrupted: boolean; error: unknown },
): Promise<void> {
  const { by, range, interrupted, error } = failure;
  const event: EventDraft = {
    kind: 'evidence.failed',
    subject: 'evidence',
    ts: timestamp(clock.now()),
    data: {
      by,
      from: range?.from ?? null,
      to: range?.to ?? null,
      reason: interrupted ? 'interrupted' : 'error',
      message: (error as Error).message || String(error),
    },
  };
  await ledger.commit({ events: [event] });
}

/** Passes on what it measures. */
class Measure extends Transform {
  size = 0;
  readonly #hash: Hash = createHash('sha256');

  override _transform(chunk: Buffer, _: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.size += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

function gone(): LukhasError {
  return new LukhasError('EXPORT_FAILED', 'The receiver of the pack has gone before its end.');
}

function timesOf({ from, to }: ExportRequest, now: number, prefix: string): { from: string; to: string | null } {
  if (from === undefined)
    throw new LukhasError('USAGE', 'Nothing says from when on to export.', { suggestions: ['--from 30d'] });
  const start = parseInstant(from, now, `${prefix}from`);
  const end = to === undefined ? null : parseInstant(to, now, `${prefix}to`);
  if (end !== null && start >= end) {
    throw new LukhasError('USAGE', `${prefix}from ${from} is not before ${prefix}to ${to}: the window is empty.`);
  }
  return { from: timestamp(start), to: end === null ? null : timestamp(end) };
}

/** In one order and once each, so that the same wish gives the same bytes. */
function selectionOf({ models = [], include = [] }: ExportRequest, prefix: string): Selection {
  const unknown = include.find((name) => !(FAMILIES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new LukhasError('USAGE', `${prefix}include: ${JSON.stringify(unknown)} is not one of ${FAMILIES.join(', ')}`);
  }
  for (const model of models) parseName('model', model);
  return {
    ...(models.length === 0 ? {} : { models: [...new Set(models)].sort() }),
    ...(include.length === 0 ? {} : { families: [...new Set(include)].sort() }),
  };
}

const filledQueries: FillQueries = async (source, { modelId, fromGate, windowSeconds }) => {
  if (source['kind'] !== 'prometheus') return {};
  // The parser is loaded where there is something to parse.
  const { substitute } = await import('../../metrics/promql/promql.js');
  const values = { gate: fromGate, model: modelId, window: windowSeconds };
  const queries = Object.entries((source['queries'] ?? {}) as Record<string, string>);
  return Object.fromEntries(queries.map(([name, query]) => [name, substitute(query, values)]));
};

/** Signature of a zip's first entry, and where its name stands (APPNOTE 4.3.7). */
const ENTRY = Buffer.from('PK\x03\x04', 'latin1');
const FIRST = { name: Buffer.from('meta.json'), at: 30 };
const PACK: Replaceable = {
  what: 'evidence pack',
  isOne: (head) =>
    head.subarray(0, ENTRY.length).equals(ENTRY) &&
    head.subarray(FIRST.at, FIRST.at + FIRST.name.length).equals(FIRST.name),
  force: '--force',
};

function outputOf(path: string, forced = false): Output {
  return { path, flag: '--out', kind: PACK, forced };
}

function notWritten(name: string, why: string, cause: unknown): LukhasError {
  return new LukhasError('EXPORT_FAILED', `${name}: the pack could not be written (${why})`, {
    suggestions: ['Nothing was left there. Make room or choose another place, then export again.'],
    cause,
  });
}
