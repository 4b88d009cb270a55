import { expect } from 'chai';
import { signCheckpoint } from '../../../../src/lib/evidence/formats/checkpoint.js';
import { noteSigner, noteVerifier } from '../../../../src/lib/evidence/formats/note.js';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from '../../../../src/lib/evidence/formats/tlog-proof.js';
import { SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import { leafHash } from '../../../../src/lib/evidence/tree/node-verifier.js';
import { cases } from '../../../cases.js';
import { refusal } from '../refusal.js';
import { ALICE, BOB, mutate, numbers } from '../signers.js';
import { entries, naivePath, naiveRoot } from '../tree/trees.js';

const ORIGIN = 'example.com/log';
const trust = {
  origin: ORIGIN,
  log: [noteVerifier({ name: ORIGIN, type: SIGNATURE_TYPE.note, publicKey: ALICE.publicKey })],
};

function proofOf(
  index: number,
  size: number,
  { signer = ALICE, extra }: { signer?: typeof ALICE; extra?: Buffer } = {},
) {
  const all = entries(size);
  const checkpoint = signCheckpoint({ origin: ORIGIN, size, root: naiveRoot(all) }, [noteSigner(ORIGIN, signer)]);
  return formatTlogProof({ index, path: naivePath(index, all), checkpoint, ...(extra ? { extra } : {}) });
}

const leaf = (index: number) => leafHash(entries(index + 1)[index]!);

describe('proofs of one entry', () => {
  it('have the form of the specification', () => {
    const lines = proofOf(2, 3, { extra: Buffer.from('more') }).split('\n');
    expect(lines.slice(0, 3)).to.deep.equal(['c2sp.org/tlog-proof@v1', 'extra bW9yZQ==', 'index 2']);
    expect(lines[3]).to.equal(naiveRoot(entries(2)).toString('base64'));
    expect(lines.slice(4, 7)).to.deep.equal(['', ORIGIN, '3']);
    expect(proofOf(0, 1)).to.match(/^c2sp\.org\/tlog-proof@v1\nindex 0\n\nexample\.com\/log\n1\n/);
  });

  it('are read as the specification shows them', () => {
    // The example of https://c2sp.org/tlog-proof, up to the signatures and the extra data, which it abridges.
    const { index, path, checkpoint } = parseTlogProof(`c2sp.org/tlog-proof@v1
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=
`);
    expect(index).to.equal(73894);
    expect(path).to.have.length(5);
    expect(checkpoint).to.match(/^example\.com\/fancylog\n109482\n/);
  });

  it('verify for every entry of logs of every size', () => {
    for (let size = 1; size <= 17; size++) {
      for (let index = 0; index < size; index++) {
        const found = verifyTlogProof(proofOf(index, size), leaf(index), trust);
        expect(found.index).to.equal(index);
        expect(found.checkpoint.size).to.equal(size);
      }
    }
  });

  it('do not verify for another entry, another log or another key', () => {
    expect(refusal(() => verifyTlogProof(proofOf(3, 9), leaf(4), trust))).to.include(
      'the entry is not number 3 of the 9',
    );
    refusal(() => verifyTlogProof(proofOf(3, 9), leaf(3), { ...trust, origin: 'example.com/other' }));
    refusal(() => verifyTlogProof(proofOf(3, 9, { signer: BOB }), leaf(3), trust));
  });

  it('are refused in another form', () => {
    const proof = proofOf(1, 4);
    const forms = [
      '',
      proof.replace('@v1', '@v2'),
      proof.replace('index 1\n', ''),
      proof.replace('index 1', 'index 01'),
      proof.replace('index 1', 'index -1'),
      proof.replace('index 1', 'index one'),
      proof.replace('index 1', 'extra !!!\nindex 1'),
      proof.replace('index 1', 'index 1\nextra bW9yZQ=='),
      proof.replace('index 1', `index 1\n${Buffer.alloc(64).toString('base64')}`),
      proof.replace('index 1', `index 1\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(63)}`.trimEnd()),
      proof.replace('\n\n', '\n'),
      proof.replaceAll('\n', '\r\n'),
    ];
    for (const form of forms) refusal(() => verifyTlogProof(form, leaf(1), trust));
  });

  it('are refused after any small change', () => {
    const random = numbers(7);
    const proofs = Array.from({ length: 11 }, (_, index) => Buffer.from(proofOf(index, 11)));
    for (let i = 0; i < cases(5000); i++) {
      const index = i % proofs.length;
      const proof = proofs[index]!;
      const changed = mutate(proof, random);
      if (!changed.equals(proof)) refusal(() => verifyTlogProof(changed.toString(), leaf(index), trust));
    }
  });
});
