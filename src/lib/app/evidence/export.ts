import { createHash, type Hash } from 'node:crypto';
import { Transform, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Clock, timestamp } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import { type CosignedCheckpoint, cosigners } from '../../evidence/checkpoints/index.js';
import type { SigningKey } from '../../evidence/keys/index.js';
import type { OnEntries } from '../../evidence/pack/index.js';
import { type FillQueries, type PackPlan, planPack, writePack } from '../../evidence/pack/index.js';
import type { PublishResult } from '../../evidence/publish/index.js';
import { type Output, type Replaceable, refuseToReplace, writableOf, writeOutput } from '../../files/index.js';
import { maskedJson, parseInstant, parseName } from '../../input/index.js';
import type { Actor, EventDraft, Ledger } from '../../ledger/index.js';
import { FAMILIES, type Selection, type SeqRange } from '../../ledger/index.js';
import { ownerFor } from '../../process/index.js';
import type { Config } from '../config.js';
import { initKeys, type KeyFile, logOrigin, readKey, showKeys } from '../signing-keys.js';
import { makeCosigned, openCheckpoints } from './checkpoints.js';

/** As given by flags, or in a URL. */
export interface ExportRequest {
  from?: string | undefined;
  to?: string | undefined;
  models?: readonly string[] | undefined;
  /** Of FAMILIES. */
  include?: readonly string[] | undefined;
  /** audits.csv begins with a byte order mark, for Excel. */
  csvBom?: boolean | undefined;
}

interface Place {
  ledger: Ledger;
  config: Config;
  clock: Clock;
  /** Of lukhas. */
  version: string;
}

interface PrepareOptions {
  /** Default true: creates missing keys. */
  makeKeys?: boolean;
  /** Asks the configured witnesses to cosign the checkpoint; otherwise the pack gets the cosignatures that are kept. */
  askWitnesses?: boolean;
  /** Put before parameter names in errors: `--` for flags. */
  prefix?: string;
  /** Stops asking witnesses. */
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
  /** Size of the cosigned checkpoint in the pack, and its witnesses; null: there is none. */
  cosigned: { size: number; by: string[] } | null;
}

/** An export with a fixed window: what is appended to the log later does not change it. */
export class EvidenceExport {
  private constructor(
    private readonly place: Place,
    private readonly plan: PackPlan,
    private readonly keys: { log: SigningKey; export: SigningKey },
    private readonly witnessed: CosignedCheckpoint | null,
    /** Keys that were created for it: whoever verifies still needs their public halves. */
    readonly createdKeys: readonly KeyFile[],
    /** Results of asking the witnesses; empty when none was asked. */
    readonly witnessResults: readonly PublishResult[],
  ) {}

  /**
   * Reads the request and fixes the window; creates missing keys, unless `makeKeys` is false. Signs the log as it is now first, so
   * that a log that does not contain what was signed before is not exported.
   * @throws LukhasError USAGE (times, an empty log), CONFIG (keys, checkpoints), VERIFICATION (entries are missing or different,
   *   also according to a witness), LEDGER_*
   */
  static async prepare(
    place: Place,
    request: ExportRequest,
    { makeKeys = true, askWitnesses = false, prefix = '', signal }: PrepareOptions = {},
  ): Promise<EvidenceExport> {
    const now = place.clock.now();
    const { csvBom = false } = request;
    const selected = { ...timesOf(request, now, prefix), selection: selectionOf(request, prefix), csvBom };
    const plan = await planPack(place.ledger, selected, filledQueries);
    const files = await (makeKeys ? initKeys : showKeys)(place.config);
    const keys = { log: await readKey(place.config, 'log'), export: await readKey(place.config, 'export') };
    // After the plan, so that the checkpoint covers the whole window.
    const checkpoints = await openCheckpoints(place);
    const results = askWitnesses ? await makeCosigned(place, checkpoints, signal) : [];
    if (!askWitnesses) await checkpoints.make();
    const witnessed = await checkpoints.cosigned(plan.range.to);
    const created = files.filter((file) => file.created);
    return new EvidenceExport(place, plan, keys, witnessed, created, results);
  }

  get range(): SeqRange {
    return this.plan.range;
  }

  /** Number of entries in the pack; the window's other entries are in it as hashes. */
  entries(): Promise<number> {
    return this.place.ledger.pages.count(this.plan.range, this.plan.selection);
  }

  /** Whether a source of the window was recorded with a credential in its address: a pack holds entries as they were recorded. */
  get tellsCredentials(): boolean {
    return maskedJson(this.plan.sources) !== JSON.stringify(this.plan.sources);
  }

  /** Depends on the window only. */
  get fileName(): string {
    return `lukhas-evidence-${this.range.from}-${this.range.to}.zip`;
  }

  /**
   * Writes the zip and ends `out`; destroys it on failure.
   * @throws LukhasError LEDGER_*; the signal's reason; errors of `out`
   */
  async write(out: Writable, { signal, onEntries }: WriteOptions = {}): Promise<ExportSummary> {
    const { ledger, config, version } = this.place;
    const origin = logOrigin(config, this.keys.log);
    const measure = new Measure();
    out.once('error', (error) => measure.destroy(error));
    measure.once('error', (error) => out.destroy(error));
    // A client that disconnects closes its socket without an error.
    out.once('close', () => measure.destroy(out.writableFinished ? undefined : disconnected()));
    measure.pipe(out);
    const ended = finished(out, { readable: false });
    // Awaited below; when it fails earlier, so does writePack.
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

  /** Refuses a path that `writeFile` would refuse, before anything is signed. @throws LukhasError USAGE */
  static async refuseTarget(path: string, force = false): Promise<void> {
    await refuseToReplace(packOutput(path, { force }));
  }

  /**
   * Writes the whole zip or nothing. Replaces an older pack.
   * @param options.force also replaces a file that is not a pack
   * @param options.flag what named the path, for messages; `--out`
   * @throws LukhasError USAGE, EXPORT_FAILED, LEDGER_*; the signal's reason
   */
  async writeFile(
    path: string,
    options: WriteOptions & { force?: boolean; flag?: string } = {},
  ): Promise<ExportSummary> {
    return writeOutput(
      { ...packOutput(path, options), owner: ownerFor(this.place.config.dbPath) },
      this.place.clock.now(),
      (file) => this.write(writableOf(file), options),
      notWritten,
    );
  }
}

/** Records in the log that an export failed. @param range null when the window was not known yet */
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

/** Counts and hashes the bytes that pass through. */
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

function disconnected(): LukhasError {
  return new LukhasError('EXPORT_FAILED', 'The client disconnected before the pack was complete.');
}

function timesOf({ from, to }: ExportRequest, now: number, prefix: string): { from: string; to: string | null } {
  if (from === undefined)
    throw new LukhasError('USAGE', `No ${prefix}from given.`, { suggestions: ['The last 30 days: --from 30d'] });
  const start = parseInstant(from, now, `${prefix}from`);
  const end = to === undefined ? null : parseInstant(to, now, `${prefix}to`);
  if (end !== null && start >= end) {
    throw new LukhasError('USAGE', `${prefix}from ${from}: must be before ${prefix}to ${to}.`);
  }
  return { from: timestamp(start), to: end === null ? null : timestamp(end) };
}

/** Sorted and without duplicates, so that the same selection gives the same bytes. */
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
  // Loads the parser only when there is something to parse.
  const { substitute } = await import('../../metrics/promql/promql.js');
  const values = { gate: fromGate, model: modelId, window: windowSeconds };
  const queries = Object.entries((source['queries'] ?? {}) as Record<string, string>);
  return Object.fromEntries(queries.map(([name, query]) => [name, substitute(query, values)]));
};

/** Signature of a zip's first entry, and the offset of its name (APPNOTE 4.3.7). */
const ENTRY = Buffer.from('PK\x03\x04', 'latin1');
const FIRST = { name: Buffer.from('meta.json'), at: 30 };
const PACK: Replaceable = {
  what: 'evidence pack',
  isOne: (head) =>
    head.subarray(0, ENTRY.length).equals(ENTRY) &&
    head.subarray(FIRST.at, FIRST.at + FIRST.name.length).equals(FIRST.name),
  force: '--force',
};

/** A file that becomes a pack, and replaces an older one. */
export function packOutput(path: string, { flag = '--out', force = false } = {}): Output {
  return { path, flag, kind: PACK, forced: force };
}

export function notWritten(name: string, why: string, cause: unknown): LukhasError {
  return new LukhasError('EXPORT_FAILED', `${name}: the pack could not be written (${why})`, {
    suggestions: ['No partial file was left. Free some space or choose another folder, then export again.'],
    cause,
  });
}
