import type { VerifiedCheckpoint } from '../formats/index.js';
import { fingerprint, refused } from '../formats/index.js';
import type { TrustedKey } from '../keys/index.js';
import { metaProblems, statementProblems } from './agree.js';
import { Completeness, type CompletenessFrame } from './completeness.js';
import { EntryPass } from './entries.js';
import { FactCheck } from './facts.js';
import { HashedFiles, nameProblems, type PackFiles, policyDigests, WITNESS_FILE } from './files.js';
import { sayLimits } from './limits.js';
import { type PackMeta, parseMeta } from './meta.js';
import { Observations } from './observations.js';
import { EvidenceFindings, type EvidenceReport } from './report.js';
import { checkpointSigner, type PackKeys, readPackKeys, verifyLogCheckpoint, verifySums } from './signatures.js';
import { type ConsistencyProof, checkSince, claimedEarlier, type Earlier } from './since.js';
import type { PackStatement } from './statement.js';
import { checkSums, parseSums, type Sum } from './sums.js';
import { PackTree } from './tree.js';
import { checkWitnesses, saysSeen, type Witnessed, witnessedBy } from './witness.js';

export interface PackTrust {
  /** Keys that somebody chose to trust; null: none were given, so that signatures show only that the parts belong together. */
  trust: readonly TrustedKey[] | null;
  /** A checkpoint of the same log that was kept elsewhere, as a signed note. */
  since?: Buffer | null;
  /** Asks a log that the verifier can reach; the answer is verified. */
  prove?: ConsistencyProof | null;
}

export interface PackReport extends EvidenceReport {
  /** Null when that could not be read. */
  log: { origin: string; size: number; root: string } | null;
  window: { from: number; to: number } | null;
  /** Entries that are in the pack, and those of which there are only hashes. */
  counts: { events: number; omitted: number; observations: number } | null;
  keys: { log: string; export: string; trusted: boolean } | null;
  /** By each trusted witness whose cosignature holds, what it has seen of this history. */
  witnesses: Witnessed[];
}

const KIB = 1024;
const SMALL = 64 * KIB;
const LARGE = 256 * KIB * KIB;
/** Each decision takes some 300 bytes of the statement: those of three million. */
const STATEMENT = 1024 * KIB * KIB;

/**
 * Checks an evidence pack (docs/evidence.md) without the code that wrote it, and without a network. What does not hold is
 * a problem in the report, not an error.
 */
export function verifyPack(files: PackFiles, trust: PackTrust): Promise<PackReport> {
  return new PackCheck(files, trust).run();
}

class PackCheck {
  readonly #files: HashedFiles;
  readonly #trust: readonly TrustedKey[] | null;
  readonly #given: PackTrust;
  readonly #found = new EvidenceFindings();
  #sums: readonly Sum[] | null = null;
  #keys: PackKeys | null = null;
  #statement: PackStatement | null = null;
  #checkpoint: VerifiedCheckpoint | null = null;
  #meta: PackMeta | null = null;
  #earlier: Earlier | null = null;
  #frame: CompletenessFrame | null = null;
  #counts: PackReport['counts'] = null;
  #witnesses: Witnessed[] = [];

  constructor(files: PackFiles, given: PackTrust) {
    this.#files = new HashedFiles(files);
    this.#given = given;
    this.#trust = given.trust;
  }

  async run(): Promise<PackReport> {
    const problems = nameProblems(this.#files.names);
    for (const problem of problems) this.#found.problem(problem);
    if (problems.length > 0) this.#found.unchecked('everything else: these are not the files of a pack');
    else await this.#all();
    const { origin, size, root } = this.#checkpoint ?? {};
    const keys = this.#keys;
    return {
      ...this.#found.report(),
      log: origin === undefined ? null : { origin, size: size as number, root: (root as Buffer).toString('hex') },
      window: this.#frame === null ? null : { from: this.#frame.from, to: this.#frame.to },
      counts: this.#counts,
      keys: keys && {
        log: fingerprint(keys.log.publicKey),
        export: fingerprint(keys.export),
        trusted: this.#trust !== null,
      },
      witnesses: this.#witnesses,
    };
  }

  async #all(): Promise<void> {
    await this.#signatures();
    this.#meta = await this.#found.section(async () => parseMeta(await this.#files.whole('meta.json', LARGE)));
    const completeness = await this.#found.section(() => Completeness.open(this.#files.read('completeness.json')));
    await this.#seenBefore(completeness);
    if (completeness === null) this.#found.unchecked('the entries: what they are compared with cannot be read');
    else await this.#contents(completeness);
    const sums = this.#sums;
    if (sums !== null) {
      await this.#found.section(
        () => checkSums(this.#files, sums, this.#found),
        () => `SHA256SUMS lists every file of the pack, and each is as listed (${sums.length} files)`,
      );
    }
    const size = this.#checkpoint?.size ?? 0;
    const earlier = (this.#given.since ?? null) !== null || this.#witnesses.some((seen) => seen.size >= size);
    sayLimits({ trusted: this.#trust !== null, earlier }, this.#found);
  }

  async #signatures(): Promise<void> {
    const whole = (name: string, limit = SMALL) => this.#files.whole(name, limit);
    const sums = await this.#found.section(() => whole('SHA256SUMS', LARGE));
    this.#keys = await this.#found.section(async () =>
      readPackKeys({
        vkey: await whole('keys/log.vkey'),
        logPem: await whole('keys/log.pem'),
        exportSsh: await whole('keys/export.pub'),
        exportPem: await whole('keys/export.pem'),
        allowedSigners: await whole('keys/allowed_signers'),
      }),
    );
    if (sums === null) return;
    this.#sums = await this.#found.section(() => parseSums(sums));
    await this.#found.section(async () => {
      if (!(await whole('hashes.txt', LARGE)).equals(sums)) throw refused('hashes.txt: is not what SHA256SUMS is');
    });
    const keys = this.#keys;
    if (keys === null) return;
    this.#statement = await this.#found.section(
      async () => {
        const [ssh, raw] = [await whole('SHA256SUMS.sshsig'), await whole('SHA256SUMS.sig')];
        const dsse = await whole('statement.dsse.json', STATEMENT);
        return verifySums({ sums, ssh, raw, dsse }, keys, this.#trust);
      },
      () => `SHA256SUMS.sshsig, SHA256SUMS.sig and statement.dsse.json are ${this.#whose(keys.export)}`,
    );
    const log = { origin: keys.log.name, key: keys.log, trust: this.#trust };
    this.#checkpoint = await this.#found.section(
      async () => {
        const checkpoint = verifyLogCheckpoint(await whole('checkpoint', KIB * KIB), log);
        // Two trusted keys: one must not do the work of both.
        if (!checkpointSigner(checkpoint, log).equals(keys.log.publicKey)) {
          throw refused('checkpoint: is not signed by the key in keys/log.vkey');
        }
        return checkpoint;
      },
      () => `the checkpoint is ${this.#whose(keys.log.publicKey)}`,
    );
  }

  /** What others have seen of the log: witnesses, and whoever kept a checkpoint. */
  async #seenBefore(completeness: Completeness | null): Promise<void> {
    if (this.#keys === null) return;
    const log = { origin: this.#keys.log.name, key: this.#keys.log, trust: this.#trust };
    await this.#cosignatures(completeness, log);
    this.#earlier = await this.#found.section(() => claimedEarlier(this.#given.since ?? null, log));
    for (const seen of this.#earlier === null ? [] : witnessedBy(this.#earlier)) {
      this.#found.holds(saysSeen(seen, 'the checkpoint given with --since'));
    }
  }

  async #cosignatures(
    completeness: Completeness | null,
    log: Parameters<typeof checkWitnesses>[1]['log'],
  ): Promise<void> {
    const checkpoint = this.#checkpoint;
    if (checkpoint === null || completeness === null) {
      const none = checkpoint === null ? 'checkpoint' : 'completeness.json';
      this.#found.unchecked(`cosignatures of witnesses: there is no ${none} that could be relied on`);
      return;
    }
    const { from } = completeness;
    const found = await this.#found.section(async () => {
      const there = this.#files.names.includes(WITNESS_FILE);
      const bytes = there ? await this.#files.whole(WITNESS_FILE, KIB * KIB) : null;
      return checkWitnesses(bytes, { checkpoint, from, log }, this.#found);
    });
    this.#witnesses = found ?? [];
  }

  async #contents(completeness: Completeness): Promise<void> {
    const policies = policyDigests(this.#files.names);
    for (const digest of policies) await this.#policy(digest);
    const observations = new Observations(this.#files.read('observations.ndjson'), this.#found);
    const claims = { observations, policies, statement: this.#statement };
    const facts = new FactCheck(claims, this.#found);
    const watched = this.#earlier?.size ?? null;
    await this.#found.section(async () => {
      const tree = new PackTree(completeness.from, completeness.before, watched);
      const pass = new EntryPass(this.#files, this.#found, tree, completeness);
      const before = this.#found.problemCount;
      await pass.run((entry) => facts.take(entry));
      this.#frame = await completeness.frame();
      await facts.finish();
      const { events, omitted } = pass;
      this.#counts = { events, omitted, observations: observations.count };
      const whole = this.#whole(tree, this.#frame);
      if (this.#found.problemCount === before) this.#sayEntries(facts, policies.size);
      this.#agree(facts, { ...this.#counts, observationsMissing: facts.missing, policies: policies.size });
      if (whole) await this.#since(tree);
      else if (this.#earlier !== null) this.#found.notShown('--since: the entries are not those of the checkpoint');
    });
  }

  /** Whether the entries, with what comes before them, are those of the checkpoint. */
  #whole(tree: PackTree, { from, to, root }: CompletenessFrame): boolean {
    const checkpoint = this.#checkpoint;
    if (tree.size !== to) {
      this.#found.problem(`completeness.json: says entries ${from} to ${to - 1}; the pack ends before ${tree.size}`);
    } else if (!tree.root().equals(root)) {
      this.#found.problem('audits.ndjson: its entries are not those of the log: they do not give the root');
    } else if (checkpoint === null) {
      this.#found.unchecked('that nothing is left out: there is no checkpoint that could be relied on');
    } else if (checkpoint.size !== to || !checkpoint.root.equals(root)) {
      this.#found.problem('completeness.json: its root is not that of the checkpoint');
    } else return true;
    return false;
  }

  #sayEntries(facts: FactCheck, policies: number): void {
    const { events, omitted } = this.#counts as NonNullable<PackReport['counts']>;
    const left = omitted === 0 ? '' : `, with the hashes of the ${omitted} that were left out,`;
    const frame = this.#frame as CompletenessFrame;
    if (this.#checkpoint !== null) {
      const whole =
        frame.from === frame.to
          ? 'there is no entry in the window'
          : `the ${events} entries${left} are all of ${frame.from} to ${frame.to - 1}, unchanged and in order`;
      this.#found.holds(`${whole}: with what comes before them they give the root of the checkpoint`);
    }
    this.#found.holds('audits.json and audits.csv say what audits.ndjson says');
    this.#found.holds(
      `each verdict was made of the observations in the pack (${facts.committed}), as far as they are in it`,
    );
    this.#found.holds(`each policy is the one that its request names, and is in the pack (${policies})`);
  }

  #agree(facts: FactCheck, counts: object): void {
    const [keys, checkpoint, frame, sums] = [this.#keys, this.#checkpoint, this.#frame, this.#sums];
    if (keys === null || checkpoint === null || frame === null || sums === null) return;
    const found = { keys, checkpoint, frame, facts };
    if (this.#meta !== null) {
      for (const problem of metaProblems(this.#meta, { ...found, counts })) this.#found.problem(problem);
      const { models, include } = this.#meta.filter;
      const filtered = models !== null || include !== null;
      const omitted = this.#counts?.omitted ?? 0;
      if (!filtered && omitted > 0) this.#found.problem('meta.json: filter is null, but entries are left out');
      if (filtered)
        this.#found.unchecked(`whether the ${omitted} entries that are left out fit the filter: there are only hashes`);
    }
    if (this.#statement !== null) {
      for (const problem of statementProblems(this.#statement, { ...found, sums })) this.#found.problem(problem);
    }
  }

  /** The policy's bytes are hashed like every other file's. */
  async #policy(digest: string): Promise<void> {
    const name = `policies/${digest}.json`;
    await this.#found.section(async () => {
      if ((await this.#files.digest(name)) !== digest) throw refused(`${name}: is not the policy with this digest`);
    });
  }

  async #since(tree: PackTree): Promise<void> {
    const [earlier, checkpoint] = [this.#earlier, this.#checkpoint];
    if (earlier !== null && checkpoint !== null)
      await checkSince(earlier, { checkpoint, tree, prove: this.#given.prove ?? null }, this.#found);
  }

  #whose(publicKey: Uint8Array): string {
    const key = fingerprint(publicKey);
    return this.#trust === null
      ? `consistent with the key inside the pack (${key})`
      : `signed by the trusted key ${key}`;
  }
}
