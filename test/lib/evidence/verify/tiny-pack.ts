import { createHash } from 'node:crypto';
import { signCheckpoint } from '../../../../src/lib/evidence/formats/checkpoint.js';
import { cosignatureSigner } from '../../../../src/lib/evidence/formats/cosignature.js';
import { signEnvelope } from '../../../../src/lib/evidence/formats/dsse.js';
import { noteSigner } from '../../../../src/lib/evidence/formats/note.js';
import { fingerprint, toOpenSsh, toSpkiPem } from '../../../../src/lib/evidence/formats/public-key.js';
import { signSsh } from '../../../../src/lib/evidence/formats/sshsig.js';
import { formatVkey, SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import type { SigningKey } from '../../../../src/lib/evidence/keys/keys.js';
import type { PackFiles } from '../../../../src/lib/evidence/verify/files.js';
import { ALICE, BOB, keyFrom } from '../signers.js';
import { naiveConsistency, naiveRoot } from '../tree/trees.js';

/**
 * A second writer of evidence packs, from the description of the format and nothing else: everything in memory, nothing
 * shared with the product's writer but the forms of signatures.
 */
export type TinyPack = Map<string, Buffer>;

export interface TinyOptions {
  /** Recorded lines of the whole log, without newlines. */
  lines: readonly string[];
  observations: ReadonlyMap<string, readonly string[]>;
  /** The window begins here and goes to the end. */
  from?: number;
  /** Entries of which there are only hashes. */
  omit?: readonly number[];
  keys?: { log: SigningKey; export: SigningKey };
  origin?: string;
  /** Canaries whose observations are gone. */
  pruned?: readonly string[];
  /** What a witness called w.example.com has seen: so many entries, at 2026-01-01, of these lines or, left out, of the log's. */
  witnessed?: { size: number; lines?: readonly string[]; witness?: SigningKey };
}

export const KEYS = { log: ALICE, export: BOB };
export const ORIGIN = 'lukhas-log/test';
export const WITNESS = keyFrom('03'.repeat(32));
const WITNESS_NAME = 'w.example.com';
/** What an auditor gets from whoever runs the witness. */
export const WITNESS_VKEY = formatVkey({
  name: WITNESS_NAME,
  type: SIGNATURE_TYPE.cosignature,
  publicKey: WITNESS.publicKey,
});

const sha = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const leaf = (line: string): Buffer => createHash('sha256').update(`\0${line}`).digest();

/** RFC 8785 for what the tests hold: names that are no numbers. */
export function canon(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canon).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canon(member)}`).join(',')}}`;
}

interface Recorded {
  seq: number;
  ts: string;
  kind: string;
  subject: string;
  // biome-ignore lint/suspicious/noExplicitAny: a document as it was recorded
  data: any;
}

/** All files of a pack, in its order. */
export function tinyPack(options: TinyOptions): TinyPack {
  const { lines, from = 0, omit = [], keys = KEYS, origin = ORIGIN } = options;
  const window = lines.slice(from).filter((_, i) => !omit.includes(from + i));
  const events = window.map((line) => JSON.parse(line) as Recorded);
  const root = naiveRoot(lines.map((line) => Buffer.from(line)));
  const decided = events.filter(({ kind }) => kind === 'canary.decided');
  const kept = decided.filter(({ subject }) => !(options.pruned ?? []).includes(subject));
  const observed = kept.flatMap(({ subject }) =>
    (options.observations.get(subject) ?? []).map((line) => `{"canaryId":"${subject}","observation":${line}}\n`),
  );
  const missing = decided
    .filter((event) => !kept.includes(event))
    .map(({ subject, data }) => ({ canaryId: subject, count: data.observations.count }));
  const policies = new Map(
    events.flatMap(({ kind, data }) =>
      kind === 'canary.requested' ? [[sha(canon(data.policy)), canon(data.policy)]] : [],
    ),
  );
  const [firstTs, lastTs] = [Math.min(from, lines.length - 1), lines.length - 1].map(
    (i) => (JSON.parse(lines[i]!) as Recorded).ts,
  );
  const counts = {
    events: events.length,
    omitted: omit.length,
    observations: observed.length,
    observationsMissing: missing,
    policies: policies.size,
  };
  const vkey = formatVkey({ name: origin, type: SIGNATURE_TYPE.note, publicKey: keys.log.publicKey });
  const size = lines.length;
  const meta = {
    format: 'lukhas-evidence/1',
    product: { name: 'lukhas', version: '0' },
    log: { origin, size, root: root.toString('base64') },
    window: { from, to: size, ...(from === size ? { firstTs: null, lastTs: null } : { firstTs, lastTs }) },
    filter: { models: omit.length === 0 ? null : ['some'], include: null },
    counts,
    unreviewed: unreviewed(events),
    judges: [...new Set(decided.map(({ data }) => data.verdict.judge))].sort(),
    keys: {
      log: { fingerprint: fingerprint(keys.log.publicKey), vkey },
      export: { fingerprint: fingerprint(keys.export.publicKey) },
    },
  };
  const ssh = toOpenSsh(keys.export.publicKey, 'lukhas-export');
  const pack: TinyPack = new Map();
  const add = (name: string, text: string | Buffer) => pack.set(name, Buffer.from(text as string));
  add('meta.json', `${canon(meta)}\n`);
  add('audits.ndjson', window.map((line) => `${line}\n`).join(''));
  add('audits.json', window.length === 0 ? '[\n]\n' : `[\n${window.join(',\n')}\n]\n`);
  add('audits.csv', csv(events));
  add('observations.ndjson', observed.join(''));
  for (const [digest, text] of policies) add(`policies/${digest}.json`, text);
  add('narrative.txt', events.map(({ kind, subject }) => `${kind} ${subject}\n`).join(''));
  add('checkpoint', signCheckpoint({ origin, size, root }, [noteSigner(origin, keys.log)]));
  const omitted = omit.map((seq) => ({ seq, hash: leaf(lines[seq]!).toString('base64') }));
  const before = subtrees(lines.slice(0, from));
  add('completeness.json', `${canon({ from, to: size, before, omitted, root: root.toString('base64') })}\n`);
  if (options.witnessed !== undefined) add('witness.json', witnessFile(options, options.witnessed));
  add('keys/log.vkey', `${vkey}\n`);
  add('keys/log.pem', toSpkiPem(keys.log.publicKey));
  add('keys/export.pub', `${ssh}\n`);
  add('keys/export.pem', toSpkiPem(keys.export.publicKey));
  add('keys/allowed_signers', `lukhas-export namespaces="lukhas-evidence" ${ssh}\n`);
  add('VERIFY.md', 'See the description.\n');
  const waits = new Set(events.flatMap(({ subject, data }) => (data.policy?.approvals ? [subject] : [])));
  // Also of canaries that were requested before the window.
  const requests = new Map(
    lines
      .map((line) => JSON.parse(line) as Recorded)
      .flatMap(({ kind, subject, data }) => (kind === 'canary.requested' ? [[subject, data]] : [])),
  );
  const decisions = events.flatMap((event) => decision(event, waits.has(event.subject), requests.get(event.subject)));
  const judges = [...new Set(decided.map(({ data }) => data.verdict.judge))].sort();
  return seal(pack, keys.export, {
    generator: { name: 'lukhas', version: '0', judge: judges.join(',') || 'none' },
    window: { from: firstTs, to: lastTs, firstSeq: from, endSeq: size },
    log: { origin, size, root: root.toString('hex'), key: fingerprint(keys.log.publicKey) },
    counts: countsOf(decisions, events),
    decisions,
  });
}

/** A checkpoint with the log's signature and the witness's, and what joins it to that of the pack. */
function witnessFile(
  { lines, keys = KEYS, origin = ORIGIN }: TinyOptions,
  { size, lines: seen = lines, witness = WITNESS }: NonNullable<TinyOptions['witnessed']>,
): string {
  const root = naiveRoot(seen.slice(0, size).map((line) => Buffer.from(line)));
  const signers = [noteSigner(origin, keys.log), cosignatureSigner(WITNESS_NAME, witness, 1_767_225_600)];
  const longer = (size > lines.length ? seen.slice(0, size) : lines).map((line) => Buffer.from(line));
  const first = Math.min(size, lines.length);
  const path = first === longer.length ? [] : naiveConsistency(first, longer);
  const proof = path.map((hash) => hash.toString('base64'));
  return `${canon({ checkpoint: signCheckpoint({ origin, size, root }, signers), proof })}\n`;
}

/** What is made of all other files: the sums, and the signatures over them. */
export function seal(pack: TinyPack, key: SigningKey, predicate: object): TinyPack {
  const sums = writeSums(pack);
  const subject = [...pack.keys()]
    .filter((name) => !UNSUMMED.includes(name))
    .map((name) => ({ name, digest: { sha256: sha(pack.get(name)!) } }));
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: 'lukhas:evidence-pack/v1',
    predicate,
  };
  pack.set('SHA256SUMS.sshsig', Buffer.from(signSsh(sums, key)));
  pack.set('SHA256SUMS.sig', key.sign(sums));
  const envelope = signEnvelope('application/vnd.in-toto+json', Buffer.from(JSON.stringify(statement)), [key]);
  pack.set('statement.dsse.json', Buffer.from(envelope));
  return pack;
}

const UNSUMMED = ['SHA256SUMS', 'hashes.txt', 'SHA256SUMS.sshsig', 'SHA256SUMS.sig', 'statement.dsse.json'];

/** SHA256SUMS and hashes.txt: what anybody can make. */
export function writeSums(pack: TinyPack): Buffer {
  const names = [...pack.keys()].filter((name) => !UNSUMMED.includes(name));
  const sums = Buffer.from(names.map((name) => `${sha(pack.get(name)!)}  ${name}\n`).join(''));
  pack.set('SHA256SUMS', sums);
  pack.set('hashes.txt', Buffer.from(sums));
  return sums;
}

/** For `verifyPack`, a few bytes at a time. @param names in place of the pack's own */
export function inMemory(pack: TinyPack, names: readonly string[] = [...pack.keys()], step = 8192): PackFiles {
  return {
    names,
    async *read(name) {
      const bytes = pack.get(name)!;
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    },
  };
}

function subtrees(lines: readonly string[]): { level: number; index: number; hash: string }[] {
  const found = [];
  for (let start = 0; start < lines.length; ) {
    const level = Math.floor(Math.log2(lines.length - start));
    const part = lines.slice(start, start + 2 ** level).map((line) => Buffer.from(line));
    found.push({ level, index: start / 2 ** level, hash: naiveRoot(part).toString('base64') });
    start += 2 ** level;
  }
  return found;
}

function csv(events: readonly Recorded[]): string {
  const rows = events.map(({ seq, ts, kind, subject, data }) => {
    const actor = data.by?.who ?? data.requestedBy?.who;
    const cells = [ts, kind, subject, data.modelId, data.fromGate, data.toGate ?? data.gate, actor];
    cells.push(data.verdict?.decision ?? data.action, data.verdict?.reason ?? data.reason, canon(data));
    const written = cells.map((cell: string | null | undefined) => {
      const text = (cell ?? '').replace(/^[=+\-@\t\r\n＝＋－＠]/, "'$&");
      return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
    });
    return `${[seq, ...written].join(',')}\r\n`;
  });
  return `seq,ts,kind,subject,model,from_gate,to_gate,actor,decision,reason,data\r\n${rows.join('')}`;
}

type Decision = { outcome: string; basis: string };

function decision(
  { seq, kind, subject, data }: Recorded,
  waits: boolean,
  // biome-ignore lint/suspicious/noExplicitAny: a document as it was recorded
  request: any,
): (Decision & Record<string, unknown>)[] {
  const by: Record<string, Decision> = {
    'canary.decided': {
      outcome: ({ promote: 'PROMOTED', rollback: 'ROLLED_BACK', block: 'BLOCKED' } as Record<string, string>)[
        data.verdict?.decision
      ]!,
      basis: 'evidence',
    },
    'canary.overridden': { outcome: waits ? 'BLOCKED' : 'PROMOTED', basis: 'person' },
    'canary.approved': { outcome: 'PROMOTED', basis: 'evidence' },
    'canary.rejected': { outcome: 'REJECTED', basis: 'person' },
    'canary.lapsed': { outcome: 'BLOCKED', basis: 'person' },
    'canary.forced': { outcome: 'PROMOTED', basis: 'break-glass' },
    'canary.aborted': { outcome: 'ABORTED', basis: 'person' },
    'canary.failed': { outcome: 'FAILED', basis: 'error' },
  };
  const end = by[kind];
  if (end === undefined || data.count < data.required) return [];
  if (waits && kind === 'canary.decided' && end.outcome === 'PROMOTED') end.outcome = 'BLOCKED';
  const { modelId = 'm', fromGate = 'stage', toGate = 'production', policyDigest = null } = request ?? {};
  return [{ seq, canaryId: subject, modelId, fromGate, toGate, ...end, policyDigest }];
}

function countsOf(decisions: readonly Decision[], events: readonly Recorded[]) {
  const of = (outcome: string) => decisions.filter((d) => d.outcome === outcome).length;
  return {
    promoted: of('PROMOTED'),
    rolledBack: of('ROLLED_BACK'),
    blocked: of('BLOCKED'),
    aborted: of('ABORTED'),
    failed: of('FAILED'),
    rejected: of('REJECTED'),
    overridden: events.filter(({ kind }) => kind === 'canary.overridden').length,
    breakGlass: decisions.filter(({ basis }) => basis === 'break-glass').length,
    breakGlassUnreviewed: unreviewed(events).length,
  };
}

function unreviewed(events: readonly Recorded[]): { seq: number; canaryId: string }[] {
  const isReviewed = (id: string) => events.some(({ kind, subject }) => kind === 'canary.reviewed' && subject === id);
  return events
    .filter(({ kind, subject }) => kind === 'canary.forced' && !isReviewed(subject))
    .map(({ seq, subject }) => ({ seq, canaryId: subject }));
}

/** A log of canaries whose promotion waits for approval: approved, rejected, lapsed, forced and reviewed, forced. */
export function approvalLog(): Pick<TinyOptions, 'lines' | 'observations'> {
  const { lines, observations, append } = emptyLog();
  const by = { who: 'ana', how: 'os-user' };
  const policy = { version: 1, approvals: { required: 2 } };
  const asked = { modelId: 'm', fromGate: 'a', toGate: 'b', policy, policyDigest: sha(canon(policy)), dryRun: false };
  const ends: [string, object][][] = [
    [
      ['approved', { by, count: 1, required: 2 }],
      ['approved', { by, count: 2, required: 2 }],
    ],
    [['rejected', { by, reason: 'no' }]],
    [
      ['approved', { by, count: 2, required: 2 }],
      ['lapsed', { cause: 'gate', holder: null, begun: false }],
    ],
    [
      ['overridden', { by, reason: 'yes' }],
      ['forced', { by, reason: 'fire' }],
      ['reviewed', { by, reason: 'fine' }],
    ],
    [['forced', { by, reason: 'fire' }]],
  ];
  for (const [n, end] of ends.entries()) {
    append('canary.requested', `c-${n}`, { ...asked, requestedBy: by });
    const none = { count: 0, firstAt: null, lastAt: null, digest: sha('') };
    append('canary.decided', `c-${n}`, { verdict: { judge: 1, decision: 'promote', tick: 0 }, observations: none });
    for (const [kind, data] of end) append(`canary.${kind}`, `c-${n}`, data);
  }
  return { lines, observations };
}

function emptyLog() {
  const lines: string[] = [];
  const observations = new Map<string, string[]>();
  const append = (kind: string, subject: string, data: object) => {
    const seq = lines.length;
    const ts = new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString();
    lines.push(canon({ seq, ts, kind, subject, v: 1, data }));
  };
  return { lines, observations, append };
}

/** A log of a few canaries, with all that makes an export hard: formulas, quotes, line breaks, other scripts. */
export function tinyLog(canaries = 3): Pick<TinyOptions, 'lines' | 'observations'> {
  const { lines, observations, append } = emptyLog();
  const actor = { who: 'ana "a", b', how: 'os-user' };
  for (let n = 0; n < canaries; n++) {
    const id = `c-${n}`;
    const policy = { version: 1, name: `p${n % 2}`, windowSeconds: 60 };
    const policyDigest = sha(canon(policy));
    const model = n === 1 ? '=cmd|calc' : 'fraud-v2';
    const request = { modelId: model, fromGate: 'stage', toGate: 'production', policy, policyDigest, dryRun: false };
    append('canary.requested', id, { ...request, source: { kind: 'none' }, requestedBy: actor });
    append('canary.started', id, { startedAt: 1 });
    const seen = [0, 1, 2].map((tick) => canon({ tick, t: 1000 * tick, from: 0, value: n + tick / 3 }));
    observations.set(id, seen);
    const verdict = {
      judge: 1,
      decision: ['block', 'promote', 'rollback'][n % 3],
      reason: `-1, "näher" ✓\nline ${n}`,
      tick: 2,
    };
    const digest = sha(seen.map((line) => `${line}\n`).join(''));
    append('canary.decided', id, { verdict, observations: { count: 3, firstAt: 0, lastAt: 2000, digest } });
    if (n % 3 === 0) append('canary.overridden', id, { by: actor, reason: '@risk taken' });
    append('gate.changed', 'gate:production', {
      gate: 'production',
      modelId: model,
      previous: null,
      canaryId: id,
      by: actor,
    });
  }
  append('canary.aborted', 'c-x', { by: actor, reason: 'enough' });
  return { lines, observations };
}
