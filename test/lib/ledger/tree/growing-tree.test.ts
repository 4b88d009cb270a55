import { expect } from 'chai';
import { GrowingTree } from '../../../../src/lib/ledger/tree/growing-tree.js';
import {
  compactRange,
  completedNodes,
  EMPTY_ROOT,
  leafHash,
  type NodeReader,
  rootHash,
} from '../../../../src/lib/ledger/tree/merkle.js';

const SIZES = 70;

describe('a growing tree', () => {
  const levels: Buffer[][] = [];
  const stored: NodeReader = (level, index) => levels[level]?.[index] as Buffer;
  before(() => {
    for (let n = 0; n < SIZES; n++) {
      const leaf = leafHash(String(n));
      [leaf, ...completedNodes(n, leaf, stored)].forEach((node, level) => {
        levels[level] ??= [];
        levels[level].push(node);
      });
    }
  });

  it('has the root, and is made of the subtrees, that a stored tree of its size has', () => {
    const tree = new GrowingTree();
    expect(tree.root()).to.deep.equal(EMPTY_ROOT);
    for (let size = 1; size <= SIZES; size++) {
      tree.append(leafHash(String(size - 1)));
      expect(tree.size).to.equal(size);
      expect(tree.root(), `${size} leaves`).to.deep.equal(rootHash(size, stored));
      expect(tree.isMadeOf(compactRange(size, stored)), `${size} leaves`).to.equal(true);
    }
  });

  it('is not made of the subtrees of another size, or of other leaves', () => {
    const tree = new GrowingTree(6, compactRange(6, stored));
    expect(tree.isMadeOf(compactRange(7, stored))).to.equal(false);
    expect(tree.isMadeOf(compactRange(4, stored))).to.equal(false);
    const other = new GrowingTree(5, compactRange(5, stored));
    other.append(leafHash('another'));
    expect(other.isMadeOf(compactRange(6, stored))).to.equal(false);
  });

  it('goes on by itself from where it was copied', () => {
    const tree = new GrowingTree(5, compactRange(5, stored));
    const copy = tree.copy();
    tree.append(leafHash('another'));
    for (let n = 5; n < SIZES; n++) copy.append(leafHash(String(n)));
    expect(copy.root()).to.deep.equal(rootHash(SIZES, stored));
    expect(tree.size).to.equal(6);
  });
});
