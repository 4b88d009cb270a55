import { expect } from 'chai';
import { parseTrustedKeys } from '../../../../src/lib/evidence/keys/trust.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { cases } from '../../../cases.js';
import { keyFrom, mutate, numbers } from '../signers.js';
import { canon, inMemory, KEYS, seal, type TinyPack, tinyLog, tinyPack, WITNESS_VKEY, writeSums } from './tiny-pack.js';

const LOG = tinyLog();
/** Cosigned by a witness before its end. */
const PACK = tinyPack({ ...LOG, from: 3, omit: [5, 12], witnessed: { size: 11 } });
const NAMES = [...PACK.keys()];
const SUMMED = NAMES.filter((name) => !name.startsWith('SHA256SUMS') && !/^(hashes|statement)\./.test(name));
const LINED = [
  'audits.ndjson',
  'audits.json',
  'audits.csv',
  'observations.ndjson',
  'SHA256SUMS',
  'hashes.txt',
  'narrative.txt',
];
const MALLORY = { log: keyFrom('01'.repeat(32)), export: keyFrom('02'.repeat(32)) };
const TRUST = ['keys/log.vkey', 'keys/export.pub'].flatMap((name) =>
  parseTrustedKeys(PACK.get(name)!.toString(), name, 0),
);
const WITNESSED = [...TRUST, ...parseTrustedKeys(WITNESS_VKEY, 'w.vkey', 0)];
/** Statement of the pack: what an attacker with the export key signs again. */
const PREDICATE = JSON.parse(
  Buffer.from(JSON.parse(PACK.get('statement.dsse.json')!.toString()).payload, 'base64').toString(),
).predicate as object;

const MUTATIONS = cases(10_000);

type Random = (below: number) => number;
const pick = <T>(from: readonly T[], random: Random): T => from[random(from.length)]!;

/** One line omitted, swapped with another, altered or added. */
function mutateLines(lines: readonly string[], random: Random): string[] {
  const [at, other] = [random(lines.length), random(lines.length)];
  const line = lines[at]!;
  switch (random(4)) {
    case 0:
      return lines.toSpliced(at, 1);
    case 1:
      return lines.with(at, lines[other]!).with(other, line);
    case 2:
      return lines.with(at, alter(line, random));
    default:
      return lines.toSpliced(other, 0, random(2) === 0 ? line : alter(line, random));
  }
}

function alter(line: string, random: Random): string {
  const at = random(line.length);
  return line.slice(0, at) + String.fromCharCode(32 + random(95)) + line.slice(at + random(2));
}

const textMutation = (random: Random): TinyPack => {
  const name = pick(LINED, random);
  const lines = PACK.get(name)!.toString().split('\n');
  return new Map(PACK).set(name, Buffer.from(mutateLines(lines, random).join('\n')));
};

function flip(name: string, random: Random): TinyPack {
  const bytes = Buffer.from(PACK.get(name)!);
  bytes[random(bytes.length)]! ^= 1 + random(255);
  return new Map(PACK).set(name, bytes);
}

/** A file removed, added, renamed, emptied, or swapped with another. */
function fileMutation(random: Random): TinyPack {
  const [name, other] = [pick(NAMES, random), pick(NAMES, random)];
  const pack = new Map(PACK);
  const bytes = pack.get(name)!;
  switch (random(5)) {
    case 0:
      pack.delete(name);
      return pack;
    case 1:
      return pack.set(
        pick(['extra.txt', 'keys/other.pem', `policies/${'0'.repeat(64)}.json`, '../x', 'AUDITS.json'], random),
        bytes,
      );
    case 2:
      pack.delete(name);
      return pack.set(`${name}${pick(['.bak', ' ', '/', '\0'], random)}`, bytes);
    case 3:
      return pack.set(name, Buffer.alloc(0));
    default:
      return pack.set(name, pack.get(other)!).set(other, bytes);
  }
}

const isSame = (pack: TinyPack): boolean =>
  pack.size === PACK.size && NAMES.every((name) => pack.get(name)?.equals(PACK.get(name)!));

/** Verifies what is no longer the pack. @returns whether it was accepted */
async function accepted(
  pack: TinyPack,
  options: { trust?: typeof TRUST | null; names?: string[] } = {},
): Promise<boolean> {
  const report = await verifyPack(inMemory(pack, options.names), { trust: options.trust ?? null });
  expect(report.problems.length + report.notShown.length > 0).to.equal(!report.ok);
  return report.ok;
}

describe('a pack that was changed', function () {
  // Each test is thousands of packs.
  this.timeout(240_000);
  let tried = 0;

  const none = async (
    count: number,
    make: (random: Random, n: number) => TinyPack | null,
    seed: number,
    trust: typeof TRUST | null = null,
  ) => {
    const random = numbers(seed);
    for (let n = 0; n < count; ) {
      const pack = make(random, n);
      if (pack === null || isSame(pack)) continue;
      expect(await accepted(pack, { trust }), `${n} of seed ${seed}`).to.equal(false);
      n++;
      tried++;
    }
  };

  it('is not what the tests begin with', async () => {
    expect(await accepted(PACK)).to.equal(true);
    expect(await accepted(PACK, { trust: TRUST })).to.equal(true);
    expect(await accepted(PACK, { trust: WITNESSED })).to.equal(true);
  });

  it(`is refused with one byte changed, in each file at ${cases(100)} places`, async () => {
    for (const [i, name] of NAMES.entries()) await none(cases(100), (random) => flip(name, random), i);
  });

  it('is refused with a byte changed by one who makes the sums anew', async () => {
    const resummed = (name: string, random: Random) => {
      const pack = flip(name, random);
      writeSums(pack);
      return pack;
    };
    for (const [i, name] of SUMMED.entries()) await none(cases(100), (random) => resummed(name, random), 100 + i);
  });

  it('is refused with lines omitted, swapped, altered or added, with old sums and new ones', async () => {
    await none(cases(2500), (random) => textMutation(random), 7);
    await none(
      cases(1500),
      (random) => {
        const pack = textMutation(random);
        writeSums(pack);
        return pack;
      },
      8,
    );
  });

  it('is refused with files removed, added, renamed, emptied or swapped, with old sums and new ones', async () => {
    await none(cases(1200), (random) => fileMutation(random), 9);
    await none(
      cases(600),
      (random) => {
        const pack = fileMutation(random);
        writeSums(pack);
        return pack;
      },
      10,
    );
    for (const name of NAMES) expect(await accepted(PACK, { names: [...NAMES, name] }), name).to.equal(false);
  });

  it('is refused when it was signed again by the export key: by the checkpoint, which the log key signed', async () => {
    const again = (lines: readonly string[]) => {
      const forged = rebuilt(lines);
      if (forged === null) return null;
      for (const name of ['checkpoint', 'witness.json']) forged.set(name, PACK.get(name)!);
      const completeness = JSON.parse(forged.get('completeness.json')!.toString());
      // The root of the true log, or that of the forged one: neither is both.
      if (lines.length % 2 === 0) completeness.root = JSON.parse(PACK.get('completeness.json')!.toString()).root;
      forged.set('completeness.json', Buffer.from(`${canon(completeness)}\n`));
      return seal(forged, KEYS.export, { ...PREDICATE, ...statedBy(forged) });
    };
    await none(cases(1500), (random) => again(mutateLines(LOG.lines, random)), 11);
  });

  it('and each other file, signed again by the export key, by what the files say of each other', async () => {
    const bound = SUMMED.filter((name) => !/^(narrative.txt|VERIFY.md|keys\/|meta.json|witness.json)/.test(name));
    for (const [i, name] of bound.entries())
      await none(cases(60), (random) => seal(flip(name, random), KEYS.export, PREDICATE), 200 + i);
  });

  it('and one observation left out, whatever is made of the others and of what meta.json says', async () => {
    const lines = PACK.get('observations.ndjson')!.toString().trimEnd().split('\n');
    const meta = JSON.parse(PACK.get('meta.json')!.toString());
    await none(
      cases(600),
      (random) => {
        const at = random(lines.length);
        const { canaryId } = JSON.parse(lines[at]!);
        const kept = lines.toSpliced(at, 1);
        const others = random(2) === 0 ? kept : kept.map((line) => line.replace(/"value":[0-9.]+/, '"value":7'));
        const observationsMissing = [[], [{ canaryId, count: 1 }], [{ canaryId, count: 3 }]][random(3)];
        const counts = { ...meta.counts, observations: kept.length, observationsMissing };
        const forged = new Map(PACK).set(
          'observations.ndjson',
          Buffer.from(others.map((line) => `${line}\n`).join('')),
        );
        forged.set('meta.json', Buffer.from(`${canon({ ...meta, counts })}\n`));
        return seal(forged, KEYS.export, PREDICATE);
      },
      400,
    );
  });

  it('and its cosignatures, signed again by the export key, by the key of the witness', async () => {
    const cosigned = PACK.get('witness.json')!;
    const again = (bytes: Buffer) => seal(new Map(PACK).set('witness.json', bytes), KEYS.export, PREDICATE);
    await none(cases(1000), (random) => again(mutate(cosigned, random)), 300, WITNESSED);
    // Of another log, of another witness, or of another moment of a history that was written anew.
    const forged = LOG.lines.with(2, LOG.lines[2]!.replace('"block"', '"rollb"'));
    for (const other of [
      { ...LOG, origin: 'lukhas-log/other', witnessed: { size: 11 } },
      { ...LOG, witnessed: { size: 11, witness: MALLORY.log } },
      ...[3, 8, 11, 14].map((size) => ({ ...LOG, witnessed: { size, lines: forged } })),
    ])
      await none(1, () => again(tinyPack(other).get('witness.json')!), 301, WITNESSED);
    await none(1, () => seal(withoutWitness(), KEYS.export, PREDICATE), 302, WITNESSED);
  });

  it(`were ${MUTATIONS.toLocaleString('en')} or more, none of which was accepted`, () => {
    expect(tried).to.be.at.least(MUTATIONS);
  });

  it('made anew with keys of their own, looks right: only --trust tells, and always does', async () => {
    const random = numbers(12);
    let whole = 0;
    const trials = cases(200);
    for (let n = 0; n < trials; n++) {
      const forged = rebuilt(mutateLines(LOG.lines, random), MALLORY);
      if (forged === null) continue;
      // Without a key to trust it is as good as any: the report says so.
      if (await accepted(forged)) whole++;
      expect(await accepted(forged, { trust: TRUST })).to.equal(false);
    }
    expect(whole).to.be.above(trials / 4);
  });
});

function withoutWitness(): TinyPack {
  const pack = new Map(PACK);
  pack.delete('witness.json');
  return pack;
}

/** The pack of another log; null where its lines cannot make one. */
function rebuilt(lines: readonly string[], keys = KEYS): TinyPack | null {
  try {
    // A careful forger numbers the entries anew.
    const numbered = lines.map((line, seq) => canon({ ...JSON.parse(line), seq }));
    return tinyPack({ ...LOG, lines: numbered, from: 3, omit: [5, 12], keys, witnessed: { size: 11 } });
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return null;
    throw error;
  }
}

function statedBy(pack: TinyPack): object {
  const envelope = JSON.parse(pack.get('statement.dsse.json')!.toString());
  return JSON.parse(Buffer.from(envelope.payload, 'base64').toString()).predicate;
}
