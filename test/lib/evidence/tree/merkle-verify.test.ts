import { expect } from 'chai';
import type { ConsistencyClaim, InclusionClaim } from '../../../../src/lib/evidence/tree/merkle-verify.js';
import {
  emptyRoot,
  leafHash,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../../../src/lib/evidence/tree/node-verifier.js';
import { cases } from '../../../cases.js';
import { numbers } from '../signers.js';
import { entries, naiveConsistency, naivePath, naiveRoot } from './trees.js';

const MUTATIONS = cases(20_000);

/**
 * Probes of the Certificate Transparency implementations (certificate-transparency-go and transparency-dev/merkle,
 * proof/verify_test.go): leaves, roots of the first 1 to 8 of them, proofs, and what must not be accepted of each.
 */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (leaf) => Buffer.from(leaf, 'hex'),
);
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map((root) => Buffer.from(root, 'hex'));
const H = {
  a: '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
  b: '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
  c: '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  d: 'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  e: 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
  f: 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  g: 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  h: '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  i: '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
  j: 'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
} as const;
const path = (names: string) => [...names].map((name) => Buffer.from(H[name as keyof typeof H], 'hex'));
/** Leaves are counted from 1 here, as there. */
const INCLUSION = [
  { leaf: 1, size: 1, path: path('') },
  { leaf: 1, size: 8, path: path('abc') },
  { leaf: 6, size: 8, path: path('def') },
  { leaf: 3, size: 3, path: path('g') },
  { leaf: 2, size: 5, path: path('hbd') },
];
const CONSISTENCY = [
  { first: 1, second: 1, path: path('') },
  { first: 1, second: 8, path: path('abc') },
  { first: 6, second: 8, path: path('ief') },
  { first: 2, second: 5, path: path('bd') },
  { first: 6, second: 7, path: path('ijf') },
];

const NOTHING = Buffer.alloc(0);
const SOME = Buffer.from('abacaba000000000000000000000000000000000000000000060061e00123456', 'hex');
const EMPTY = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex');

const flipped = (hash: Uint8Array, bit: number): Buffer => {
  const changed = Buffer.from(hash);
  changed[0]! ^= bit;
  return changed;
};

function falseInclusions(claim: InclusionClaim): InclusionClaim[] {
  const { index, size, path, root } = claim;
  const changes: Partial<InclusionClaim>[] = [
    { index: index - 1 },
    { index: index + 1 },
    { index: index ^ 2 },
    { size: size * 2 },
    { size: Math.floor(size / 2) },
    { leaf: Buffer.from('WrongLeaf') },
    { root: EMPTY },
    { root: SOME },
    ...[NOTHING, root].flatMap((more) => [{ path: [...path, more] }, { path: [more, ...path] }]),
    ...path.map((_, i) => ({ path: path.with(i, flipped(path[i]!, 8)) })),
    ...(path.length > 0 ? [{ path: path.slice(0, -1) }] : []),
    ...(path.length > 1 ? [{ path: [path[0]!, SOME, ...path.slice(1)] }] : []),
  ];
  return changes.map((change) => ({ ...claim, ...change }));
}

function falseConsistencies(claim: ConsistencyClaim): ConsistencyClaim[] {
  const { first, second, firstRoot, secondRoot, path } = claim;
  const wrong = Buffer.from('WrongRoot');
  const changes: Partial<ConsistencyClaim>[] = [
    { first: first - 1 },
    { first: first + 1 },
    { first: first ^ 2 },
    { second: second * 2 },
    { second: Math.floor(second / 2) },
    { firstRoot: wrong },
    { secondRoot: wrong },
    { firstRoot: secondRoot, secondRoot: firstRoot },
    { path: [] },
    ...[NOTHING, firstRoot, secondRoot].flatMap((more) => [{ path: [...path, more] }, { path: [more, ...path] }]),
    { path: [path[0]!, ...path] },
    { path: path.slice(0, -1) },
    ...path.map((_, i) => ({ path: path.with(i, flipped(path[i]!, 16)) })),
  ];
  return changes.map((change) => ({ ...claim, ...change }));
}

describe('verification of inclusion', () => {
  it('hashes leaves, nodes and the empty tree as RFC 6962 says', () => {
    expect(leafHash(LEAVES[0]!)).to.deep.equal(ROOTS[0]);
    expect(leafHash('ü')).to.deep.equal(leafHash(Buffer.from('ü')));
    expect(nodeHash(leafHash(LEAVES[0]!), leafHash(LEAVES[1]!))).to.deep.equal(ROOTS[1]);
    expect(emptyRoot()).to.deep.equal(EMPTY);
  });

  for (const { leaf, size, path } of INCLUSION) {
    const claim = { index: leaf - 1, size, leaf: leafHash(LEAVES[leaf - 1]!), path, root: ROOTS[size - 1]! };

    it(`accepts the published proof of leaf ${leaf} of ${size}`, () => {
      expect(verifyInclusion(claim)).to.equal(true);
    });

    it(`refuses what is published as false for leaf ${leaf} of ${size}`, () => {
      const probes = falseInclusions(claim);
      expect(probes.filter(verifyInclusion)).to.deep.equal([]);
      expect(probes).to.have.length.above(11);
    });
  }

  it('refuses what is no claim at all', () => {
    for (const [index, size] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [2, 1],
    ] as const) {
      for (const [leaf, root] of [
        [SOME, NOTHING],
        [NOTHING, EMPTY],
        [SOME, EMPTY],
        [NOTHING, NOTHING],
      ] as const) {
        expect(verifyInclusion({ index, size, leaf, path: [], root })).to.equal(false);
      }
    }
    const claim = { index: 0, size: 1, leaf: SOME, path: [], root: SOME };
    expect(verifyInclusion(claim)).to.equal(true);
    for (const index of [-0.5, 0.5, Number.NaN, -1]) expect(verifyInclusion({ ...claim, index })).to.equal(false);
    for (const size of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(verifyInclusion({ ...claim, size })).to.equal(false);
    }
  });

  it('agrees with the definition for every leaf of every tree up to 70', () => {
    for (let size = 1; size <= 70; size++) {
      const all = entries(size);
      const root = naiveRoot(all);
      for (let index = 0; index < size; index++) {
        const claim = { index, size, leaf: leafHash(all[index]!), path: naivePath(index, all), root };
        expect(verifyInclusion(claim), `${index} of ${size}`).to.equal(true);
      }
    }
  });

  it('holds beyond 32 bits', () => {
    // The last leaf of a tree of 2^40 + 1: its only neighbour is the perfect tree on its left.
    const [left, leaf] = [SOME, leafHash('last')];
    const claim = { index: 2 ** 40, size: 2 ** 40 + 1, leaf, path: [left], root: nodeHash(left, leaf) };
    expect(verifyInclusion(claim)).to.equal(true);
    expect(verifyInclusion({ ...claim, index: 2 ** 40 - 1 })).to.equal(false);
    expect(verifyInclusion({ ...claim, index: 2 ** 8 })).to.equal(false);
  });

  it(`accepts none of ${MUTATIONS.toLocaleString('en')} random mutations`, () => {
    const random = numbers(4);
    let tried = 0;
    while (tried < MUTATIONS) {
      const size = 1 + random(60);
      const all = entries(size);
      const root = naiveRoot(all);
      const index = random(size);
      const claim = { index, size, leaf: leafHash(all[index]!), path: naivePath(index, all), root };
      expect(verifyInclusion(claim)).to.equal(true);
      for (let i = 0; i < 100; i++) {
        const changed = mutatedInclusion(claim, random, all);
        if (changed === null) continue;
        if (verifyInclusion(changed)) expect.fail(JSON.stringify(changed));
        tried++;
      }
    }
  });
});

describe('verification of consistency', () => {
  for (const { first, second, path } of CONSISTENCY) {
    const claim = { first, second, firstRoot: ROOTS[first - 1]!, secondRoot: ROOTS[second - 1]!, path };

    it(`accepts the published proof from ${first} to ${second}`, () => {
      expect(verifyConsistency(claim)).to.equal(true);
    });

    // As published: for the trivial proof there are none.
    if (path.length > 0) {
      it(`refuses what is published as false from ${first} to ${second}`, () => {
        const probes = falseConsistencies(claim);
        expect(probes.filter(verifyConsistency)).to.deep.equal([]);
        expect(probes).to.have.length.above(16);
      });
    }
  }

  it('refuses what contradicts itself', () => {
    const [one, two] = [ROOTS[0]!, ROOTS[1]!];
    const refused: [number, number, Buffer, Buffer, Buffer[]][] = [
      [0, 0, one, two, []],
      [1, 1, one, two, []],
      [1, 0, one, two, []],
      [2, 1, one, two, []],
      [1, 2, one, two, []],
      [0, 0, EMPTY, two, []],
      [1, 1, EMPTY, two, []],
      [0, 0, EMPTY, EMPTY, [EMPTY]],
      [0, 1, EMPTY, EMPTY, [EMPTY]],
      [1, 1, EMPTY, EMPTY, [EMPTY]],
      // The root of nothing is known: another one is a lie, though nothing follows from it.
      [0, 0, one, one, []],
      [0, 1, one, two, []],
      [0, 0, NOTHING, NOTHING, []],
    ];
    for (const [first, second, firstRoot, secondRoot, path] of refused) {
      expect(verifyConsistency({ first, second, firstRoot, secondRoot, path }), `${first} ${second}`).to.equal(false);
    }
  });

  it('accepts a log as the beginning of itself, and the empty log as that of any', () => {
    expect(verifyConsistency({ first: 2, second: 2, firstRoot: ROOTS[1]!, secondRoot: ROOTS[1]!, path: [] })).to.equal(
      true,
    );
    expect(verifyConsistency({ first: 0, second: 0, firstRoot: EMPTY, secondRoot: EMPTY, path: [] })).to.equal(true);
    expect(verifyConsistency({ first: 0, second: 8, firstRoot: EMPTY, secondRoot: ROOTS[7]!, path: [] })).to.equal(
      true,
    );
  });

  it('agrees with the definition for every beginning of every tree up to 40', () => {
    for (let second = 0; second <= 40; second++) {
      const all = entries(second);
      const secondRoot = naiveRoot(all);
      for (let first = 0; first <= second; first++) {
        const firstRoot = naiveRoot(all.slice(0, first));
        const claim = { first, second, firstRoot, secondRoot, path: naiveConsistency(first, all) };
        expect(verifyConsistency(claim), `${first} to ${second}`).to.equal(true);
      }
    }
  });

  it(`accepts none of ${MUTATIONS.toLocaleString('en')} random mutations`, () => {
    const random = numbers(5);
    let tried = 0;
    while (tried < MUTATIONS) {
      const second = 2 + random(50);
      const first = 1 + random(second - 1);
      const all = entries(second);
      const [firstRoot, secondRoot] = [naiveRoot(all.slice(0, first)), naiveRoot(all)];
      const claim = { first, second, firstRoot, secondRoot, path: naiveConsistency(first, all) };
      expect(verifyConsistency(claim)).to.equal(true);
      for (let i = 0; i < 100; i++) {
        const changed = mutatedConsistency(claim, random, all);
        if (verifyConsistency(changed)) expect.fail(JSON.stringify(changed));
        tried++;
      }
    }
  });
});

type Random = (below: number) => number;

const anyBit = (hash: Uint8Array, random: Random): Buffer => {
  const changed = Buffer.from(hash);
  changed[random(32)]! ^= 1 << random(8);
  return changed;
};

/** Another entry, another place, another root, or another path; sizes and roots come signed, so the size stays. */
function mutatedInclusion(claim: InclusionClaim, random: Random, all: readonly Buffer[]): InclusionClaim | null {
  const { index, size, path, leaf, root } = claim;
  switch (random(5)) {
    case 0: {
      const other = random(size);
      return other === index ? null : { ...claim, index: other };
    }
    case 1: {
      const other = random(size);
      return other === index ? null : { ...claim, leaf: leafHash(all[other]!) };
    }
    case 2:
      return random(2) === 0 ? { ...claim, leaf: anyBit(leaf, random) } : { ...claim, root: anyBit(root, random) };
    case 3:
      return path.length === 0 ? null : { ...claim, path: mutatedPath(path, random) };
    default:
      return { ...claim, path: [...path, random(2) === 0 ? root : SOME] };
  }
}

/** The same for two sizes: here one log is given out as the beginning of another, which it is not. */
function mutatedConsistency(claim: ConsistencyClaim, random: Random, all: readonly Buffer[]): ConsistencyClaim {
  const { first, firstRoot, secondRoot, path } = claim;
  switch (random(5)) {
    case 0:
      return { ...claim, firstRoot: anyBit(firstRoot, random) };
    case 1:
      return { ...claim, secondRoot: anyBit(secondRoot, random) };
    case 2: {
      // History rewritten: one entry of the first log is another one now.
      const at = random(first);
      const changed = all.map((entry, i) => (i === at ? Buffer.from('forged') : entry));
      return { ...claim, secondRoot: naiveRoot(changed), path: naiveConsistency(first, changed) };
    }
    case 3:
      return { ...claim, path: mutatedPath(path, random) };
    default:
      return { ...claim, path: [...path, random(2) === 0 ? firstRoot : SOME] };
  }
}

function mutatedPath(path: readonly Uint8Array[], random: Random): Uint8Array[] {
  const at = random(path.length);
  switch (random(4)) {
    case 0:
      return path.filter((_, i) => i !== at);
    case 1:
      return [...path.slice(0, at), path[at]!, ...path.slice(at)];
    case 2:
      return path.length === 1 ? [] : [...path.slice(1), path[0]!];
    default:
      return path.with(at, anyBit(path[at]!, random));
  }
}
