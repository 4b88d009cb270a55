import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  completedNodes,
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  type NodeReader,
  rootHash,
  verifyConsistency,
  verifyInclusion,
} from '../../../../src/lib/ledger/tree/merkle.js';

/** Test vectors of the Certificate Transparency reference implementation (merkletree tests). */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const PATHS = [
  { leaf: 1, size: 1, path: [] },
  {
    leaf: 1,
    size: 8,
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    leaf: 6,
    size: 8,
    path: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  { leaf: 3, size: 3, path: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'] },
];
const CONSISTENCY = [
  { first: 1, second: 1, path: [] },
  {
    first: 1,
    second: 8,
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    first: 6,
    second: 8,
    path: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  {
    first: 2,
    second: 5,
    path: [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
];

const hex = (hashes: readonly Buffer[]) => hashes.map((h) => h.toString('hex'));

/** Stores what appends complete, as the log does, and counts how often it is read. */
function grow(leaves: readonly Uint8Array[]) {
  const nodes = new Map<string, Buffer>();
  const read: NodeReader = (level, index) => {
    const node = nodes.get(`${level}/${index}`);
    if (node === undefined) throw new Error(`node ${level}/${index} was never stored`);
    return node;
  };
  leaves.forEach((bytes, n) => {
    const leaf = leafHash(bytes);
    const completed = completedNodes(n, leaf, read);
    nodes.set(`0/${n}`, leaf);
    completed.forEach((node, i) => {
      nodes.set(`${i + 1}/${(n + 1) / 2 ** (i + 1) - 1}`, node);
    });
  });
  return { nodes, read };
}

/** RFC 6962, 2.1, word for word. */
function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return sha(Buffer.from([0]), leaves[0] as Uint8Array);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha(Buffer.from([1]), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

const numbered = (size: number) => Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i}`));

describe('Merkle tree', () => {
  const published = LEAVES.map((leaf) => Buffer.from(leaf, 'hex'));

  it('has the published roots', () => {
    const { read } = grow(published);
    expect(hex(ROOTS.map((_, i) => rootHash(i + 1, read)))).to.deep.equal(ROOTS);
    expect(rootHash(0, read).toString('hex')).to.equal(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('gives the published inclusion paths', () => {
    const { read } = grow(published);
    for (const { leaf, size, path } of PATHS) {
      expect(hex(inclusionProof(leaf - 1, size, read)), `leaf ${leaf} of ${size}`).to.deep.equal(path);
    }
  });

  it('gives the published consistency proofs', () => {
    const { read } = grow(published);
    for (const { first, second, path } of CONSISTENCY) {
      expect(hex(consistencyProof(first, second, read)), `${first} in ${second}`).to.deep.equal(path);
    }
  });

  it('hashes a string as its UTF-8 bytes', () => {
    expect(leafHash('größer 🚀')).to.deep.equal(leafHash(Buffer.from('größer 🚀', 'utf8')));
  });

  it('equals the recursive definition at every size, and stores one node an append on average', () => {
    const leaves = numbered(130);
    const { nodes, read } = grow(leaves);
    for (let size = 0; size <= leaves.length; size++) {
      expect(rootHash(size, read).equals(naiveRoot(leaves.slice(0, size))), `size ${size}`).to.equal(true);
    }
    expect(nodes.size).to.be.below(2 * leaves.length);
  });

  it('proves inclusion of every entry in every size up to 40', () => {
    const leaves = numbered(40);
    const { read } = grow(leaves);
    for (let size = 1; size <= 40; size++) {
      const root = naiveRoot(leaves.slice(0, size));
      for (let i = 0; i < size; i++) {
        const proof = inclusionProof(i, size, read);
        expect(verifyInclusion(i, size, leafHash(leaves[i] as Buffer), proof, root), `${i} in ${size}`).to.equal(true);
      }
    }
  });

  it('proves consistency of every pair of sizes up to 40', () => {
    const leaves = numbered(40);
    const { read } = grow(leaves);
    const roots = Array.from({ length: 41 }, (_, size) => naiveRoot(leaves.slice(0, size)));
    for (let second = 0; second <= 40; second++) {
      for (let first = 0; first <= second; first++) {
        const proof = consistencyProof(first, second, read);
        const holds = verifyConsistency(first, second, roots[first] as Buffer, roots[second] as Buffer, proof);
        expect(holds, `${first} in ${second}`).to.equal(true);
      }
    }
  });

  it('refuses an inclusion proof that was changed anywhere', () => {
    const leaves = numbered(64);
    const { read } = grow(leaves);
    fc.assert(
      fc.property(fc.nat(63), fc.nat(63), fc.nat(), fc.nat(255), (a, b, where, bit) => {
        const [index, size] = [Math.min(a, b), Math.max(a, b) + 1];
        const root = rootHash(size, read);
        const leaf = leafHash(leaves[index] as Buffer);
        const proof = inclusionProof(index, size, read);
        const parts = [Buffer.from(leaf), Buffer.from(root), ...proof.map((p) => Buffer.from(p))];
        const target = parts[where % parts.length] as Buffer;
        target[bit % 32] = (target[bit % 32] as number) ^ (1 << (bit % 8));
        const [l, r, ...rest] = parts as [Buffer, Buffer, ...Buffer[]];
        expect(verifyInclusion(index, size, l, rest, r)).to.equal(false);
        expect(verifyInclusion(index, size, leaf, [...proof, root], root)).to.equal(false);
        if (proof.length > 0) expect(verifyInclusion(index, size, leaf, proof.slice(1), root)).to.equal(false);
        const other = (index + 1) % size;
        if (other !== index) expect(verifyInclusion(other, size, leaf, proof, root)).to.equal(false);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a consistency proof for a history that was rewritten', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 63 }), fc.integer({ min: 1, max: 63 }), fc.nat(), (a, b, where) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b) + 1];
        const leaves = numbered(second);
        const rewritten = [...leaves];
        rewritten[where % first] = Buffer.from('something else');
        const [honest, forged] = [grow(leaves).read, grow(rewritten).read];
        const old = rootHash(first, honest);
        for (const proof of [consistencyProof(first, second, forged), consistencyProof(first, second, honest)]) {
          expect(verifyConsistency(first, second, old, rootHash(second, forged), proof)).to.equal(false);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('refuses proofs of impossible sizes and of wrong length', () => {
    expect(verifyInclusion(0, 0, EMPTY_ROOT, [], EMPTY_ROOT)).to.equal(false);
    expect(verifyInclusion(1, 1, EMPTY_ROOT, [], EMPTY_ROOT)).to.equal(false);
    expect(verifyInclusion(0, 1, Buffer.alloc(31), [], Buffer.alloc(31))).to.equal(false);
    expect(verifyConsistency(2, 1, EMPTY_ROOT, EMPTY_ROOT, [])).to.equal(false);
    expect(verifyConsistency(1, 1, EMPTY_ROOT, EMPTY_ROOT, [EMPTY_ROOT])).to.equal(false);
    expect(verifyConsistency(0, 1, Buffer.alloc(32), EMPTY_ROOT, [])).to.equal(false);
    expect(verifyConsistency(3, 5, EMPTY_ROOT, EMPTY_ROOT, [])).to.equal(false);
  });

  it('works with sizes beyond 32 bits', () => {
    const size = 2 ** 40 + 3;
    const read: NodeReader = (level, index) => leafHash(`${level}/${index}`);
    const root = rootHash(size, read);
    const proof = inclusionProof(size - 1, size, read);
    expect(verifyInclusion(size - 1, size, read(0, size - 1), proof, root)).to.equal(true);
    const older = 2 ** 40;
    expect(verifyConsistency(older, size, rootHash(older, read), root, consistencyProof(older, size, read))).to.equal(
      true,
    );
  });
});
