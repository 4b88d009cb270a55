import type { Writable } from 'node:stream';
import { LukhasError } from '../../errors.js';
import type { Ledger } from '../../ledger/index.js';
import { canonicalJson } from '../../ledger/tree/index.js';
import type { CosignedCheckpoint } from '../checkpoints/index.js';
import { noteSigner, type Signer, signCheckpoint, signSsh } from '../formats/index.js';
import { publicForms } from '../keys/index.js';
import { CompactRange } from '../leaves/index.js';
import { PackArchive, type PackedFile } from './archive.js';
import { countDecisions } from './decisions.js';
import { type OnEntries, PackEntries } from './entries.js';
import { metaJson } from './meta.js';
import { narrativeText } from './narrative.js';
import { observationLines, policyFiles } from './parts.js';
import type { PackPlan } from './plan.js';
import { statementEnvelope } from './statement.js';
import { VERIFY_TEXT } from './verify-text.js';

export interface PackOptions {
  ledger: Ledger;
  /** From `planPack`. */
  plan: PackPlan;
  /** Name of the log, on its checkpoint. */
  origin: string;
  keys: { log: Signer; export: Signer };
  /** From `Checkpoints.cosigned` for the end of the window; null: the pack gets no cosignature. */
  witnessed?: CosignedCheckpoint | null;
  /** Of lukhas. */
  version: string;
  /** Receives the zip; destroyed on any error, so that an incomplete zip does not look complete. */
  out: Writable;
  signal?: AbortSignal | undefined;
  onEntries?: OnEntries | undefined;
}

/**
 * Writes an evidence pack (docs/evidence.md) as a stream. The same log, plan and keys give the same bytes.
 * @returns the files, in their order
 * @throws LukhasError LEDGER_CORRUPT when the entries do not match the log's root; the signal's reason; errors of `out`
 */
export async function writePack(options: PackOptions): Promise<PackedFile[]> {
  const archive = new PackArchive(options.out, options.signal);
  try {
    const writer = new PackWriter(options, archive);
    await options.ledger.pages.withSmallCache(() => writer.write());
    await archive.finish();
    return archive.files;
  } catch (error) {
    archive.destroy(error as Error);
    // An aborted stream says only that it was aborted; the signal says why.
    throw options.signal?.aborted === true ? options.signal.reason : error;
  }
}

class PackWriter {
  readonly #o: PackOptions;
  readonly #archive: PackArchive;
  readonly #entries: PackEntries;
  #omitted = 0;

  constructor(options: PackOptions, archive: PackArchive) {
    this.#o = options;
    this.#archive = archive;
    this.#entries = new PackEntries(options.ledger.pages, options.plan, options.onEntries);
  }

  async write(): Promise<void> {
    const { ledger, plan, origin } = this.#o;
    const { root } = await ledger.root(plan.range.to);
    const forms = {
      log: publicForms('log', this.#o.keys.log.publicKey, origin),
      export: publicForms('export', this.#o.keys.export.publicKey, origin),
    };
    await this.#records(root, forms);
    const checkpoint = { origin, size: plan.range.to, root };
    await this.#add('checkpoint', signCheckpoint(checkpoint, [noteSigner(origin, this.#o.keys.log)]));
    await this.#add('completeness.json', this.#completeness(root));
    const { witnessed = null } = this.#o;
    if (witnessed !== null) await this.#add('witness.json', witnessJson(witnessed));
    await this.#add('keys/log.vkey', `${forms.log.vkey}\n`);
    await this.#add('keys/log.pem', forms.log.pem);
    await this.#add('keys/export.pub', `${forms.export.ssh}\n`);
    await this.#add('keys/export.pem', forms.export.pem);
    await this.#add('keys/allowed_signers', `${forms.export.allowedSigner}\n`);
    await this.#add('VERIFY.md', VERIFY_TEXT);
    await this.#sign(root, forms.log.fingerprint);
  }

  /** The records of the window, and what describes them. */
  async #records(root: Buffer, forms: Parameters<typeof metaJson>[0]['keys']): Promise<void> {
    const { ledger, plan, origin, version } = this.#o;
    const { range, selection } = plan;
    const events = await ledger.pages.count(range, selection);
    this.#omitted = range.to - range.from - events;
    const counts = { events, omitted: this.#omitted };
    await this.#add('meta.json', metaJson({ plan, version, log: { origin, root }, keys: forms, ...counts }));
    await this.#add('audits.ndjson', this.#entries.ndjson());
    const tree = new CompactRange(range.from, (await ledger.compactRange(range.from)).hashes);
    await this.#add('audits.json', this.#entries.json(tree));
    if (!tree.root().equals(root)) throw notItsRoot(plan);
    await this.#add('audits.csv', this.#entries.csv());
    await this.#add('observations.ndjson', observationLines(ledger, plan));
    for await (const { name, text } of policyFiles(ledger, plan)) await this.#add(name, text);
    await this.#add('narrative.txt', narrativeText(ledger, plan, origin));
  }

  /** Canonical JSON, written in pieces: most of a long log may be omitted. */
  async *#completeness(root: Buffer): AsyncGenerator<Buffer> {
    const { from, to } = this.#o.plan.range;
    const { hashes } = await this.#o.ledger.compactRange(from);
    yield Buffer.from(`{"before":${canonicalJson(places(from, hashes))},"from":${from},"omitted":[`);
    if (this.#omitted > 0) yield* this.#entries.omittedJson();
    yield Buffer.from(`],"root":"${root.toString('base64')}","to":${to}}\n`);
  }

  async #sign(root: Buffer, logKey: string): Promise<void> {
    const { keys } = this.#o;
    const files = [...this.#archive.files];
    const sums = Buffer.from(files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''));
    await this.#add('SHA256SUMS', sums);
    await this.#add('hashes.txt', sums);
    await this.#add('SHA256SUMS.sshsig', signSsh(sums, keys.export));
    await this.#add('SHA256SUMS.sig', keys.export.sign(sums));
    await this.#add('statement.dsse.json', this.#statement(files, root, logKey));
  }

  async *#statement(files: readonly PackedFile[], root: Buffer, logKey: string): AsyncGenerator<Buffer> {
    const { plan, origin, version, keys } = this.#o;
    const { range, decisions } = plan;
    const predicate = {
      generator: {
        name: 'lukhas' as const,
        version,
        judge: [...plan.judges].sort((x, y) => x - y).join(',') || 'none',
      },
      window: { from: plan.firstTs, to: plan.lastTs, firstSeq: range.from, endSeq: range.to },
      log: { origin, size: range.to, root: root.toString('hex'), key: logKey },
      counts: countDecisions(decisions),
    };
    yield* statementEnvelope(files, predicate, decisions, keys.export);
  }

  #add(name: string, content: Parameters<PackArchive['add']>[1]): Promise<void> {
    this.#o.signal?.throwIfAborted();
    return this.#archive.add(name, content);
  }
}

function witnessJson({ note, proof }: CosignedCheckpoint): string {
  return `${canonicalJson({ checkpoint: note, proof: proof.map((hash) => hash.toString('base64')) })}\n`;
}

/** Level and index of each perfect subtree that makes up the first `size` leaves, largest first. */
function places(size: number, hashes: readonly Buffer[]): { level: number; index: number; hash: string }[] {
  let start = 0;
  return hashes.map((hash) => {
    let level = 0;
    while (2 ** (level + 1) <= size - start) level++;
    const place = { level, index: start / 2 ** level, hash: hash.toString('base64') };
    start += 2 ** level;
    return place;
  });
}

function notItsRoot({ range }: PackPlan): LukhasError {
  return new LukhasError(
    'LEDGER_CORRUPT',
    `Entries ${range.from} to ${range.to - 1} of the log were changed after they were recorded: they do not give its root`,
    { suggestions: ['Run `lukhas verify --db PATH` to see what is damaged.'] },
  );
}
