import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { cosignatureSigner } from '../../../../src/lib/evidence/formats/cosignature.js';
import { signEnvelope } from '../../../../src/lib/evidence/formats/dsse.js';
import { noteSigner, signatureLine } from '../../../../src/lib/evidence/formats/note.js';
import { signSsh } from '../../../../src/lib/evidence/formats/sshsig.js';
import type { TrustedKey } from '../../../../src/lib/evidence/keys/authority.js';
import { readSigningKey, type SigningKey } from '../../../../src/lib/evidence/keys/keys.js';
import { parseTrustedKeys } from '../../../../src/lib/evidence/keys/trust.js';
import { type PackReport, verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';
import { cases } from '../../../cases.js';
import { PackedLog } from '../pack/packed-log.js';
import { keyFrom } from '../signers.js';
import {
  approvalLog,
  canon,
  inMemory,
  KEYS,
  ORIGIN,
  type TinyPack,
  tinyLog,
  tinyPack,
  WITNESS_VKEY,
  writeSums,
} from './tiny-pack.js';

// biome-ignore lint/suspicious/noExplicitAny: any JSON
type Json = any;
type Path = readonly (string | number)[];

const STATEMENT = 'statement.dsse.json';
const UNSUMMED = ['SHA256SUMS', 'hashes.txt', 'SHA256SUMS.sshsig', 'SHA256SUMS.sig', STATEMENT];

interface Subject {
  name: string;
  pack: TinyPack;
  /** Signs sums and statement: the attacker has it, and the auditor trusts it. */
  key: SigningKey;
  trust: TrustedKey[];
  /** Entries and observations are alike in all packs: they are altered in some. */
  lines?: boolean;
}

const statementOf = (pack: TinyPack): Json =>
  JSON.parse(Buffer.from(JSON.parse(pack.get(STATEMENT)!.toString()).payload, 'base64').toString());

/** Sums, signatures and statement anew by the same key, so that only what the pack says can be wrong. */
function resealed({ key }: Subject, pack: TinyPack, statement: Json = null): TinyPack {
  const sums = writeSums(pack);
  const said = statement ?? statementOf(pack);
  if (statement === null) {
    said.subject = [...pack.keys()]
      .filter((name) => !UNSUMMED.includes(name))
      .map((name) => ({ name, digest: { sha256: createHash('sha256').update(pack.get(name)!).digest('hex') } }));
  }
  pack.set('SHA256SUMS.sshsig', Buffer.from(signSsh(sums, key)));
  pack.set('SHA256SUMS.sig', key.sign(sums));
  const envelope = signEnvelope('application/vnd.in-toto+json', Buffer.from(JSON.stringify(said)), [key]);
  return pack.set(STATEMENT, Buffer.from(envelope));
}

/** A JSON document in a pack, and the pack with another document in its place. */
interface Document {
  file: string;
  value: Json;
  write(value: Json): TinyPack;
}

function documents(subject: Subject): Document[] {
  const { pack } = subject;
  const replaced = (name: string, text: string) => resealed(subject, new Map(pack).set(name, Buffer.from(text)));
  const whole = [...pack.keys()].filter((name) => /\.json$/.test(name) && name !== STATEMENT && name !== 'audits.json');
  const found: Document[] = whole.map((file) => {
    const end = file.startsWith('policies/') ? '' : '\n';
    return {
      file,
      value: JSON.parse(pack.get(file)!.toString()),
      write: (value) => replaced(file, `${canon(value)}${end}`),
    };
  });
  for (const file of subject.lines ? ['audits.ndjson', 'audits.json', 'observations.ndjson'] : []) {
    const lines = pack.get(file)!.toString().split('\n');
    const recorded = [...lines.entries()].filter(([, line]) => line.startsWith('{'));
    for (const [at, line] of some(recorded, cases(5, 2))) {
      const end = line.endsWith(',') ? ',' : '';
      const value = JSON.parse(end === '' ? line : line.slice(0, -1));
      found.push({ file, value, write: (other) => replaced(file, lines.with(at, canon(other) + end).join('\n')) });
    }
  }
  found.push({
    file: STATEMENT,
    value: statementOf(pack),
    write: (value) => resealed(subject, new Map(pack), value),
  });
  return found;
}

function leaves(value: Json, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.length === 0 ? [at] : keys.flatMap((key) => leaves(value[key], [...at, key]));
}

function objects(value: Json, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [...(Array.isArray(value) ? [] : [at]), ...keys.flatMap((key) => objects(value[key], [...at, key]))];
}

const at = (value: Json, path: Path): Json => path.reduce((inner, key) => inner[key], value);

function altered(value: Json, path: Path, change: (leaf: Json) => Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[key] = altered(value[key], rest, change);
  return copy;
}

const OUTCOMES: Record<string, string> = { PROMOTED: 'BLOCKED', BLOCKED: 'PROMOTED', ROLLED_BACK: 'PROMOTED' };

/** Other values of the same type that a schema would let pass, and one of another type. */
function others(leaf: Json): Json[] {
  if (typeof leaf === 'number') return [leaf + 1, `${leaf}`];
  if (typeof leaf === 'boolean') return [!leaf, null];
  if (leaf === null) return ['x', 0];
  if (typeof leaf === 'object') return [Array.isArray(leaf) ? ['x'] : { x: 1 }, null];
  const text = String(leaf);
  const other = /^[0-9a-f]{64}$/.test(text)
    ? text.replace(/^./, (c) => (c === 'a' ? 'b' : 'a'))
    : /^\d{4}-\d\d-\d\dT/.test(text)
      ? text.replace(/^\d{4}/, '2031')
      : (OUTCOMES[text] ?? `${text}x`);
  return [other, null];
}

/** Whether a line names the member: its path or one above it, in this file, and the entry when it stands in a list of decisions. */
function isNamed({ notChecked }: PackReport, file: string, path: Path, document: Json): boolean {
  const names = path.map((_, i) =>
    path
      .slice(0, i + 1)
      .map((key) => (typeof key === 'number' ? '[]' : `.${key}`))
      .join('')
      .slice(1),
  );
  const seq = path[1] === 'decisions' && path.length > 3 ? at(document, path.slice(0, 3)).seq : null;
  return notChecked.some((line) => {
    if (!line.includes(file)) return false;
    const words = line.split(/[\s,:()]+/);
    const isEntry = seq === null || !line.includes('the decisions in') || words.includes(`${seq}`);
    return isEntry && names.some((name) => words.includes(name));
  });
}

const show = (file: string, path: Path, what: Json) => `${file} ${path.join('.')}: ${JSON.stringify(what)}`;

/** Of many alike, some. */
const some = <T>(all: T[], most: number): T[] => all.filter((_, i) => i % Math.ceil(all.length / most) === 0);

describe('everything that a pack says', function () {
  this.timeout(600_000);
  const trustIn = (pack: TinyPack, ...names: string[]) =>
    names.flatMap((name) => parseTrustedKeys(pack.get(name)!.toString(), name, 0));
  const tiny = (name: string, options: Parameters<typeof tinyPack>[0]): Subject => {
    const pack = tinyPack(options);
    const trust = trustIn(pack, 'keys/log.vkey', 'keys/export.pub');
    return { name, pack, key: KEYS.export, trust };
  };
  const LOG = tinyLog();
  const witness = parseTrustedKeys(WITNESS_VKEY, 'w.vkey', 0);
  const witnessed = tiny('from the middle, filtered, cosigned', {
    ...LOG,
    from: 4,
    omit: [5, 12],
    witnessed: { size: 11 },
  });
  const subjects = [
    { ...tiny('of a whole log', LOG), lines: true },
    { ...witnessed, trust: [...witnessed.trust, ...witness] },
    { ...witnessed, name: 'whose witness is not trusted', lines: true },
    tiny('with pruned observations', { ...LOG, pruned: ['c-1'] }),
    tiny('without its first and last entry', { ...LOG, from: 1, omit: [1, LOG.lines.length - 1] }),
    tiny('with approvals, from the middle', { ...approvalLog(), from: 8 }),
    tiny('of an empty window', { ...LOG, from: LOG.lines.length }),
  ];
  let log: PackedLog;
  before(async () => {
    log = await PackedLog.make();
    const zip = await ZippedPack.open(await log.exported('p.zip'));
    const pack: TinyPack = new Map();
    for (const name of zip.names) pack.set(name, await buffer(zip.read(name)));
    zip.close();
    const key = await readSigningKey(join(log.dir, 'keys/export.pem'));
    const trust = trustIn(pack, 'keys/log.vkey', 'keys/export.pub');
    subjects.push({ name: 'as lukhas writes it', pack, key, trust, lines: true });
  });
  after(() => log.remove());

  const eachSubject = async (
    run: (subject: Subject, report: (pack: TinyPack) => Promise<PackReport>) => Promise<void>,
  ) => {
    for (const subject of subjects) {
      const report = (pack: TinyPack) => verifyPack(inMemory(pack), { trust: subject.trust });
      expect((await report(resealed(subject, new Map(subject.pack)))).problems, subject.name).to.deep.equal([]);
      await run(subject, report);
    }
  };

  it('is verified or named as not checked: every value of every JSON document', async () => {
    let [found, named] = [0, 0];
    await eachSubject(async (subject, report) => {
      for (const { file, value, write } of documents(subject)) {
        for (const path of some(
          leaves(value),
          file === STATEMENT || file === 'meta.json' ? cases(120, 12) : cases(7, 2),
        )) {
          for (const other of others(at(value, path))) {
            const result = await report(write(altered(value, path, () => other)));
            if (result.problemCount > 0) found++;
            else {
              named++;
              expect(isNamed(result, file, path, value), `${subject.name}: ${show(file, path, other)}`).to.equal(true);
            }
          }
        }
      }
    });
    expect(found).to.be.above(cases(500, 100));
    expect(named).to.be.above(cases(20, 5));
  });

  it('is verified or named as not checked: a member more, and a member less, anywhere', async () => {
    await eachSubject(async (subject, report) => {
      const unchanged = await report(subject.pack);
      for (const { file, value, write } of documents(subject)) {
        for (const path of some(
          objects(value),
          file === STATEMENT || file === 'meta.json' ? cases(8, 2) : cases(2, 1),
        )) {
          const more = await report(write(altered(value, path, (object) => ({ ...object, zzNew: 'so' }))));
          const is = more.problemCount > 0 || isNamed(more, file, [...path, 'zzNew'], value);
          expect(is, `${subject.name}: ${show(file, path, 'more')}`).to.equal(true);
          for (const name of some(Object.keys(at(value, path)), cases(99, 3))) {
            const less = await report(
              write(
                altered(value, path, (object) =>
                  Object.fromEntries(Object.entries(object).filter(([n]) => n !== name)),
                ),
              ),
            );
            // What is not there says nothing; or the report says what that leaves open.
            const isTold = less.notChecked.some((line) => !unchanged.notChecked.includes(line));
            const isKnown = less.problemCount > 0 || isTold || isNamed(unchanged, file, [...path, name], value);
            expect(isKnown, `${subject.name}: ${show(file, [...path, name], 'less')}`).to.equal(true);
          }
        }
      }
    });
  });

  it('is verified or named as not checked: text files, keys and signatures', async () => {
    await eachSubject(async (subject, report) => {
      const texts = [...subject.pack.keys()].filter((name) => !/\.(nd)?json$/.test(name) && !UNSUMMED.includes(name));
      expect(texts).to.include.members([
        'narrative.txt',
        'VERIFY.md',
        'audits.csv',
        'keys/allowed_signers',
        'checkpoint',
      ]);
      for (const name of texts) {
        const whole = subject.pack.get(name)!.toString('latin1');
        const places = some(
          [...whole].map((_, i) => i),
          cases(12, 1),
        );
        const changed = [
          ...places.map((i) => whole.slice(0, i) + (whole[i] === 'B' ? 'C' : 'B') + whole.slice(i + 1)),
          `${whole}B`,
          `${whole}\n`,
          `\n${whole}`,
          whole.slice(0, -1),
        ];
        for (const text of some(changed, cases(99, 3))) {
          const result = await report(resealed(subject, new Map(subject.pack).set(name, Buffer.from(text, 'latin1'))));
          const isNot = result.notChecked.some(
            (line) => line.startsWith('what ') && line.split(/[\s:]+/).includes(name),
          );
          expect(result.problemCount > 0 || isNot, `${subject.name}: ${name}: ${text.slice(-200)}`).to.equal(true);
        }
      }
    });
  });

  it('names signatures of a checkpoint that are by other keys', async () => {
    const [subject] = subjects;
    const { pack } = subject!;
    const text = pack.get('checkpoint')!.toString();
    const stranger = keyFrom('09'.repeat(32));
    for (const signer of [
      noteSigner('other.example', stranger),
      noteSigner(ORIGIN, stranger),
      cosignatureSigner('w', stranger, 1),
    ]) {
      const line = signatureLine({ name: signer.name, keyId: signer.keyId, signature: signer.sign('whatever') });
      const changed = resealed(subject!, new Map(pack).set('checkpoint', Buffer.from(text + line)));
      const { problems, notChecked } = await verifyPack(inMemory(changed), { trust: subject!.trust });
      expect(problems).to.deep.equal([]);
      expect(notChecked).to.include(
        `checkpoint: signatures by ${signer.name}: not by an accepted key of the log, not verified`,
      );
    }
  });
});
