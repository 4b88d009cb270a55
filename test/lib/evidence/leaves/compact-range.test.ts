import { expect } from 'chai';
import type { LukhasError } from '../../../../src/lib/errors.js';
import { CompactRange } from '../../../../src/lib/evidence/leaves/compact-range.js';
import { leafHash, verifyConsistency, verifyInclusion } from '../../../../src/lib/evidence/tree/node-verifier.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { canonicalJson } from '../../../../src/lib/ledger/tree/canonical.js';
import { cases } from '../../../cases.js';
import { finished, withFolder } from '../../ledger/examples.js';
import { mutate, numbers } from '../signers.js';
import { entries, naiveRoot } from '../tree/trees.js';

const MUTATIONS = cases(20_000);

/** The compact range of entries, by the definition: perfect subtrees from the left, each as large as fits. */
function naiveRange(all: readonly Buffer[]): Buffer[] {
  if (all.length === 0) return [];
  const size = 2 ** Math.floor(Math.log2(all.length));
  return [naiveRoot(all.slice(0, size)), ...naiveRange(all.slice(size))];
}

/** What a verifier does: the range of what is before, and the lines of the window. */
function rootOf(from: number, hashes: readonly Buffer[], lines: readonly Buffer[]): { size: number; root: Buffer } {
  const range = new CompactRange(from, hashes);
  for (const line of lines) range.append(leafHash(line));
  return { size: range.size, root: range.root() };
}

describe('a compact range', () => {
  it('has the root of the tree at every size', () => {
    const range = new CompactRange();
    const all = entries(130);
    expect(range.root()).to.deep.equal(naiveRoot([]));
    for (const [i, entry] of all.entries()) {
      range.append(leafHash(entry));
      expect(range.size).to.equal(i + 1);
      expect(range.root(), String(i + 1)).to.deep.equal(naiveRoot(all.slice(0, i + 1)));
    }
    expect(range.hashes).to.deep.equal(naiveRange(all));
  });

  it('goes on from any size', () => {
    const all = entries(40);
    for (let from = 0; from <= all.length; from++) {
      const { size, root } = rootOf(from, naiveRange(all.slice(0, from)), all.slice(from));
      expect(size).to.equal(40);
      expect(root, String(from)).to.deep.equal(naiveRoot(all));
    }
  });

  it('does not change what it was made of', () => {
    const hashes = naiveRange(entries(7));
    const before = hashes.map((hash) => hash.toString('hex'));
    rootOf(7, hashes, entries(3));
    expect(hashes.map((hash) => hash.toString('hex'))).to.deep.equal(before);
  });

  it('is refused when hashes and size do not belong together', () => {
    const hash = Buffer.alloc(32);
    const refused: [number, Buffer[]][] = [
      [0, [hash]],
      [1, []],
      [3, [hash]],
      [4, [hash, hash]],
      [1, [Buffer.alloc(31)]],
      [-1, []],
      [0.5, [hash]],
      [2 ** 53, [hash]],
    ];
    for (const [size, hashes] of refused) {
      expect(() => new CompactRange(size, hashes), String(size))
        .to.throw('compact range')
        .that.satisfies((error: LukhasError) => error.code === 'VERIFICATION');
    }
    expect(new CompactRange(2 ** 40, [hash]).root()).to.deep.equal(hash);
  });

  it(`proves a window whole: none of ${MUTATIONS.toLocaleString('en')} random mutations has size and root of the log`, () => {
    const random = numbers(6);
    let tried = 0;
    while (tried < MUTATIONS) {
      const total = 1 + random(90);
      const all = entries(total);
      const from = random(total);
      const truth = { size: total, root: naiveRoot(all) };
      const before = naiveRange(all.slice(0, from));
      const lines = all.slice(from);
      expect(rootOf(from, before, lines)).to.deep.equal(truth);
      for (let i = 0; i < 100; i++) {
        const [changedBefore, changedLines] = mutated(before, lines, random);
        if (same(changedBefore, before) && same(changedLines, lines)) continue;
        expect(rootOf(from, changedBefore, changedLines)).to.not.deep.equal(truth);
        tried++;
      }
    }
  });
});

describe('what the ledger gives', () => {
  it('fits what verifies it, at every size', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      try {
        const size = 37;
        await ledger.commit({ events: Array.from({ length: size }, (_, i) => finished(`c${i}`, i)) });
        const leaves = (await ledger.events()).map((event) => leafHash(canonicalJson(event)));
        const { root } = await ledger.root();
        for (let from = 0; from <= size; from++) {
          const before = await ledger.compactRange(from);
          expect(before.size).to.equal(from);
          const range = new CompactRange(from, before.hashes);
          const firstRoot = (await ledger.root(from)).root;
          expect(range.root()).to.deep.equal(firstRoot);
          for (const leaf of leaves.slice(from)) range.append(leaf);
          expect(range.root(), String(from)).to.deep.equal(root);
          const path = await ledger.consistencyProof(from);
          expect(verifyConsistency({ first: from, second: size, firstRoot, secondRoot: root, path })).to.equal(true);
          if (from === size) continue;
          const claim = { index: from, size, leaf: leaves[from]!, path: await ledger.inclusionProof(from), root };
          expect(verifyInclusion(claim)).to.equal(true);
        }
        expect(await ledger.compactRange()).to.deep.equal(await ledger.compactRange(size));
        const beyond = await ledger.compactRange(size + 1).catch((error: LukhasError) => error.code);
        expect(beyond).to.equal('USAGE');
      } finally {
        await ledger.close();
      }
    });
  });
});

const same = (a: readonly Buffer[], b: readonly Buffer[]) =>
  a.length === b.length && a.every((x, i) => x.equals(b[i]!));

/** A line left out, twice, elsewhere, altered, or added; or another beginning of the log. */
function mutated(
  before: readonly Buffer[],
  lines: readonly Buffer[],
  random: (below: number) => number,
): [Buffer[], Buffer[]] {
  const at = random(lines.length);
  const other = random(lines.length);
  const changed = [...lines];
  switch (random(6)) {
    case 0:
      return [[...before], lines.toSpliced(at, 1)];
    case 1:
      return [[...before], lines.toSpliced(at, 0, lines[other]!)];
    case 2:
      [changed[at], changed[other]] = [lines[other]!, lines[at]!];
      return [[...before], changed];
    case 3:
      return [[...before], lines.with(at, mutate(lines[at]!, random))];
    case 4:
      return [[...before], lines.toSpliced(at, 0, Buffer.from('added'))];
    default: {
      if (before.length === 0) return [[], [...lines]];
      const which = random(before.length);
      const hash = Buffer.from(before[which]!);
      hash[random(32)]! ^= 1 << random(8);
      return [before.with(which, hash), [...lines]];
    }
  }
}
