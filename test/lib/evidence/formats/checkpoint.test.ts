import { expect } from 'chai';
import {
  type Checkpoint,
  formatCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  verifyCheckpoint,
} from '../../../../src/lib/evidence/formats/checkpoint.js';
import {
  cosignatureSigner,
  cosignatureTime,
  cosignatureVerifier,
  verifierOf,
} from '../../../../src/lib/evidence/formats/cosignature.js';
import { formatNote, noteSigner, noteVerifier, parseNote } from '../../../../src/lib/evidence/formats/note.js';
import { parseVkey, SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import { refusal } from '../refusal.js';
import { ALICE, BOB, keyFrom, mutate, numbers } from '../signers.js';

/**
 * The example of https://c2sp.org/tlog-checkpoint, with the cosignature of https://c2sp.org/tlog-cosignature. The
 * specification has renamed a checkpoint of the Go checksum database: under its own names it verifies.
 */
const EXAMPLE =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
  '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
  '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n';
const GO_SUM_DATABASE = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';

/** A checkpoint of a public log, with its key and that of one of its witnesses. */
const PUBLIC_LOG = `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
`;
const PUBLIC_KEY = 'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f';
const WITNESS_KEY = 'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2';

const ORIGIN = 'example.com/log';
const MALLORY = keyFrom('11'.repeat(32));
const checkpoint: Checkpoint = { origin: ORIGIN, size: 7, root: Buffer.alloc(32, 9) };
const logSigner = noteSigner(ORIGIN, ALICE);
const log = [noteVerifier({ name: ORIGIN, type: SIGNATURE_TYPE.note, publicKey: ALICE.publicKey })];
const WITNESS = 'witness.example.com/w';
const witness = cosignatureVerifier({ name: WITNESS, type: SIGNATURE_TYPE.cosignature, publicKey: BOB.publicKey });

describe('checkpoints', () => {
  it('of the specification are read and written back byte for byte', () => {
    const note = parseNote(EXAMPLE);
    const read = parseCheckpoint(note.text);
    expect(read.origin).to.equal('example.com/behind-the-sofa');
    expect(read.size).to.equal(20852163);
    expect(formatNote({ ...note, text: formatCheckpoint(read) })).to.equal(EXAMPLE);
    expect(cosignatureTime(note.signatures[1]!)).to.equal(1679315147);
  });

  it('of the specification verify with the key that made them', () => {
    const renamed = EXAMPLE.replace('example.com/behind-the-sofa\n', 'go.sum database tree\n').replace(
      '— example.com/behind-the-sofa',
      '— sum.golang.org',
    );
    const trust = { origin: 'go.sum database tree', log: [noteVerifier(parseVkey(GO_SUM_DATABASE))] };
    expect(verifyCheckpoint(renamed, trust)).to.include({ size: 20852163, origin: 'go.sum database tree' });
    refusal(() => verifyCheckpoint(renamed.replace('20852163', '20852164'), trust));
  });

  it('of a public log verify, with the cosignature of its witness', () => {
    const read = verifyCheckpoint(PUBLIC_LOG, {
      origin: 'arche2025h1.staging.ct.transparency.dev',
      log: [noteVerifier(parseVkey(PUBLIC_KEY))],
      witnesses: [cosignatureVerifier(parseVkey(WITNESS_KEY))],
    });
    expect(read.size).to.equal(1432088532);
    expect(read.witnesses.map(({ name }) => name)).to.deep.equal(['remora.n621.de']);
    expect(new Date(cosignatureTime(read.witnesses[0]!) * 1000).toISOString()).to.equal('2026-05-23T21:50:24.000Z');
    expect(read.unknown).to.have.length(4);
  });

  it('are signed and verified, extension lines included', () => {
    const note = signCheckpoint({ ...checkpoint, extensions: ['one', 'two words'] }, [logSigner]);
    const read = verifyCheckpoint(note, { origin: ORIGIN, log });
    expect(read).to.include({ origin: ORIGIN, size: 7 });
    expect(read.root).to.deep.equal(checkpoint.root);
    expect(read.extensions).to.deep.equal(['one', 'two words']);
    expect(note.startsWith(`${ORIGIN}\n7\n${checkpoint.root.toString('base64')}\none\ntwo words\n\n`)).to.equal(true);
  });

  it('of the log without entries and of a very large one', () => {
    for (const size of [0, Number.MAX_SAFE_INTEGER]) {
      expect(
        verifyCheckpoint(signCheckpoint({ ...checkpoint, size }, [logSigner]), { origin: ORIGIN, log }).size,
      ).to.equal(size);
    }
  });

  it('are refused when another log or another key made them', () => {
    const other = signCheckpoint({ ...checkpoint, origin: 'example.com/other' }, [logSigner]);
    expect(refusal(() => verifyCheckpoint(other, { origin: ORIGIN, log }))).to.include('expected "example.com/log"');
    const forged = signCheckpoint(checkpoint, [noteSigner(ORIGIN, MALLORY)]);
    refusal(() => verifyCheckpoint(forged, { origin: ORIGIN, log }));
  });

  it('are refused when only a witness has signed', () => {
    const note = signCheckpoint(checkpoint, [cosignatureSigner(WITNESS, BOB, 1_700_000_000)]);
    expect(refusal(() => verifyCheckpoint(note, { origin: ORIGIN, log, witnesses: [witness] }))).to.include(
      'signed by witnesses',
    );
  });

  const root = checkpoint.root.toString('base64');
  const malformed: [string, string][] = [
    ['two lines', `${ORIGIN}\n7\n`],
    ['an empty origin', `\n7\n${root}\n`],
    ['no size', `${ORIGIN}\n\n${root}\n`],
    ['a size with a leading zero', `${ORIGIN}\n07\n${root}\n`],
    ['a negative size', `${ORIGIN}\n-7\n${root}\n`],
    ['a size in another notation', `${ORIGIN}\n7e2\n${root}\n`],
    ['a size with a space', `${ORIGIN}\n7 \n${root}\n`],
    ['a size beyond what can be counted', `${ORIGIN}\n9007199254740992\n${root}\n`],
    ['a root of 31 bytes', `${ORIGIN}\n7\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root in hex', `${ORIGIN}\n7\n${'00'.repeat(32)}\n`],
    ['bits that do not count', `${ORIGIN}\n7\n${root.slice(0, -2)}l=\n`],
    ['an empty extension line', `${ORIGIN}\n7\n${root}\n\n`],
    ['no newline at the end', `${ORIGIN}\n7\n${root}`],
  ];
  for (const [what, text] of malformed) it(`are refused with ${what}`, () => void refusal(() => parseCheckpoint(text)));

  it('cannot be made of parts that would be read otherwise', () => {
    for (const origin of ['', 'a\nb']) refusal(() => formatCheckpoint({ ...checkpoint, origin }));
    for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) refusal(() => formatCheckpoint({ ...checkpoint, size }));
    refusal(() => formatCheckpoint({ ...checkpoint, root: Buffer.alloc(20) }));
    for (const extension of ['', 'a\nb']) refusal(() => formatCheckpoint({ ...checkpoint, extensions: [extension] }));
  });
});

describe('cosignatures', () => {
  const cosigned = (seconds: number) =>
    signCheckpoint(checkpoint, [logSigner, cosignatureSigner(WITNESS, BOB, seconds)]);
  const trust = { origin: ORIGIN, log, witnesses: [witness] };

  it('are made and verified with their time', () => {
    for (const seconds of [0, 1_700_000_000, 253_402_300_799]) {
      const [found] = verifyCheckpoint(cosigned(seconds), trust).witnesses;
      expect(cosignatureTime(found!)).to.equal(seconds);
    }
  });

  it('bind the time', () => {
    const note = parseNote(cosigned(1_700_000_000));
    const later = note.signatures[1]!;
    later.signature.writeBigUInt64BE(1_700_000_001n);
    expect(refusal(() => verifyCheckpoint(formatNote(note), trust))).to.include(`by ${WITNESS} does not verify`);
  });

  it('of the same key are neither those of a log nor the other way round', () => {
    const asLog = { name: WITNESS, type: SIGNATURE_TYPE.note, publicKey: BOB.publicKey };
    const { witnesses, unknown } = verifyCheckpoint(cosigned(1), { ...trust, witnesses: [noteVerifier(asLog)] });
    expect(witnesses).to.deep.equal([]);
    expect(unknown.map(({ name }) => name)).to.deep.equal([WITNESS]);
    expect(refusal(() => cosignatureVerifier(asLog))).to.include('0x04');
    expect(verifierOf(asLog).keyId).to.not.equal(witness.keyId);
    expect(verifierOf({ ...asLog, type: SIGNATURE_TYPE.cosignature }).keyId).to.equal(witness.keyId);
  });

  it('are refused with a time that is none', () => {
    for (const seconds of [-1, 0.5, Number.NaN, 253_402_300_800])
      refusal(() => cosignatureSigner(WITNESS, BOB, seconds));
    const note = parseNote(cosigned(5));
    note.signatures[1]!.signature.writeBigUInt64BE(2n ** 63n);
    refusal(() => verifyCheckpoint(formatNote(note), trust));
    // After the last year that can be written: signed by whoever has the key, and none the less no time.
    const text = Buffer.from(`cosignature/v1\ntime 253402300800\n${note.text}`);
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(253_402_300_800n);
    expect(witness.verify(note.text, Buffer.concat([time, BOB.sign(text)]))).to.equal(false);
  });

  it('do not verify after any small change', () => {
    const random = numbers(3);
    const note = parseNote(cosigned(1_700_000_000));
    const { signature } = note.signatures[1]!;
    for (let i = 0; i < 1000; i++) {
      const changed = mutate(signature, random);
      if (!changed.equals(signature)) expect(witness.verify(note.text, changed)).to.equal(false);
    }
  });
});
