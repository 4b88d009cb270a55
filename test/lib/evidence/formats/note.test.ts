import { expect } from 'chai';
import type { LukhasError } from '../../../../src/lib/errors.js';
import {
  formatNote,
  noteSigner,
  noteVerifier,
  parseNote,
  signNote,
  verifyNote,
} from '../../../../src/lib/evidence/formats/note.js';
import { formatVkey, parseVkey, SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import { cases } from '../../../cases.js';
import { refusal } from '../refusal.js';
import { ALICE, BOB, mutate, numbers } from '../signers.js';

/** The example of https://c2sp.org/signed-note#verifier-keys. */
const SPEC_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const SPEC_NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

/** The first example of https://c2sp.org/signed-note; its key is not published. */
const POEM =
  'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';

/** Go's golang.org/x/mod/sumdb/note: its keys, and a note that both have signed. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_NOTE =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const alice = noteSigner('example.com/alice', ALICE);
const bob = noteSigner('example.com/bob', BOB);
const key = (name: string, publicKey: Buffer) => noteVerifier({ name, type: SIGNATURE_TYPE.note, publicKey });
const trustsAlice = key('example.com/alice', ALICE.publicKey);
const trustsBob = key('example.com/bob', BOB.publicKey);

describe('signed notes', () => {
  it('verify the example of the specification', () => {
    const { text, verified } = verifyNote(SPEC_NOTE, [noteVerifier(parseVkey(SPEC_KEY))]);
    expect(text).to.equal('This is an example message.\n');
    expect(verified.map(({ name, keyId }) => [name, keyId])).to.deep.equal([['example.com/foo', 0x530d903a]]);
  });

  it('verify the note of the Go package, from bytes as from text', () => {
    for (const note of [PETER_NOTE, Buffer.from(PETER_NOTE)]) {
      expect(verifyNote(note, [noteVerifier(parseVkey(PETER))]).text).to.match(/^If you think .* is\.\n$/s);
    }
  });

  it('are read and written back byte for byte', () => {
    for (const note of [SPEC_NOTE, POEM, PETER_NOTE]) expect(formatNote(parseNote(note))).to.equal(note);
    expect(parseNote(POEM).text).to.match(/sole:\n\ned è subito sera\.\n$/);
  });

  it('verify when any trusted key has signed, and tell who else has', () => {
    const note = signNote('both\n', [alice, bob]);
    const { verified, unknown } = verifyNote(note, [trustsBob]);
    expect(verified.map(({ name }) => name)).to.deep.equal(['example.com/bob']);
    expect(unknown.map(({ name }) => name)).to.deep.equal(['example.com/alice']);
    expect(verifyNote(note, [trustsAlice, trustsBob]).verified).to.have.length(2);
  });

  it('are refused when only others have signed', () => {
    expect(refusal(() => verifyNote(signNote('x\n', [bob]), [trustsAlice]))).to.include(
      'no signature by a trusted key',
    );
    expect(refusal(() => verifyNote(signNote('x\n', [bob]), []))).to.include('no signature by a trusted key');
  });

  it("are refused as a whole when a trusted key's signature is false, though another is right", () => {
    const [one, two] = [parseNote(signNote('one\n', [alice])), parseNote(signNote('two\n', [bob]))];
    const mixed = formatNote({ text: 'two\n', signatures: [...one.signatures, ...two.signatures] });
    expect(refusal(() => verifyNote(mixed, [trustsAlice, trustsBob]))).to.include('by example.com/alice does not');
    expect(verifyNote(mixed, [trustsBob]).verified).to.have.length(1);
  });

  it('pass over a key that shares a name or an ID, but not both', () => {
    const note = signNote('x\n', [noteSigner('example.com/alice', BOB)]);
    expect(refusal(() => verifyNote(note, [trustsAlice]))).to.include('no signature by a trusted key');
    expect(verifyNote(note, [trustsAlice, key('example.com/alice', BOB.publicKey)]).verified).to.have.length(1);
  });

  it('count a key that signed twice once', () => {
    const { verified } = verifyNote(signNote('x\n', [alice, alice]), [trustsAlice]);
    expect(verified).to.have.length(1);
  });

  it('keep empty lines and text that looks like a signature', () => {
    const text = 'a\n\n\n— example.com/alice AAAA\n\n';
    expect(verifyNote(signNote(text, [alice]), [trustsAlice]).text).to.equal(text);
  });

  const good = signNote('text\n', [alice]);
  const line = good.slice('text\n\n'.length);
  const malformed: [string, string | Buffer][] = [
    ['nothing', ''],
    ['no empty line', 'text\n'],
    ['no signature', 'text\n\n'],
    ['no newline at the end', good.slice(0, -1)],
    ['a carriage return', good.replace('text', 'te\rxt')],
    ['a tab', good.replace('text', 'te\txt')],
    ['a byte that is no UTF-8', Buffer.concat([Buffer.from('te\xff', 'latin1'), Buffer.from(good.slice(2))])],
    ['half a surrogate pair', good.replace('text', 'te\ud800xt')],
    ['a hyphen for the em dash', good.replace('—', '-')],
    ['two spaces', good.replace('alice ', 'alice  ')],
    ['a space in front', good.replace('— ', ' — ')],
    ['a name with a plus', good.replace('alice', 'al+ice')],
    ['a name with a no-break space', good.replace('alice', 'al\u00a0ice')],
    ['no name', good.replace('example.com/alice', '')],
    ['base64 without padding', good.replace('=', '')],
    ['base64 for URLs', good.replace(/[+/]/g, '_')],
    ['only a key ID', `text\n\n— example.com/alice ${Buffer.alloc(4).toString('base64')}\n`],
    ['101 signatures', `text\n\n${line.repeat(101)}`],
    ['more than a megabyte', `${'x'.repeat(1_000_001)}\n\n${line}`],
    ['a text without a newline', 'text\n\n\ntext'],
  ];
  for (const [what, note] of malformed) {
    it(`are refused with ${what}`, () => {
      refusal(() => verifyNote(note, [trustsAlice]));
    });
  }

  it('take 16 signatures, as every verifier must, and more', () => {
    expect(verifyNote(signNote('x\n', Array(100).fill(alice)), [trustsAlice]).verified).to.have.length(1);
  });

  it('cannot be made of a text or name that would be read otherwise', () => {
    for (const text of ['no newline', '', 'a\rb\n', 'a\0b\n', '\ud800\n']) refusal(() => signNote(text, [alice]));
    for (const name of ['', 'a b', 'a+b', 'a\nb']) refusal(() => signNote('x\n', [noteSigner(name, ALICE)]));
    refusal(() => signNote('x\n', []));
  });

  it('are refused after any small change', () => {
    const random = numbers(1);
    const notes = [SPEC_NOTE, signNote('a\n\nb ü\n', [alice]), signNote(`${'long '.repeat(50)}\n`, [alice])];
    const trusted = [noteVerifier(parseVkey(SPEC_KEY)), trustsAlice];
    const accepted: string[] = [];
    for (let i = 0; i < cases(10_000); i++) {
      const note = Buffer.from(notes[i % notes.length]!);
      const changed = mutate(note, random);
      if (changed.equals(note)) continue;
      try {
        verifyNote(changed, trusted);
        accepted.push(changed.toString());
      } catch (error) {
        expect((error as LukhasError).code).to.equal('VERIFICATION');
      }
    }
    expect(accepted).to.deep.equal([]);
  });
});

describe('verifier keys', () => {
  it('are read and written back', () => {
    // Of the specification, Go's note package, and transparency-dev/formats; the last is a witness's.
    const keys = [
      SPEC_KEY,
      PETER,
      'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop',
      'TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6',
      'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2',
    ];
    for (const text of keys) expect(formatVkey(parseVkey(text))).to.equal(text);
  });

  it('are refused after any small change', () => {
    const random = numbers(2);
    const bytes = Buffer.from(PETER);
    for (let i = 0; i < cases(2000); i++) {
      const changed = mutate(bytes, random);
      if (!changed.equals(bytes)) refusal(() => parseVkey(changed.toString('latin1')));
    }
  });

  it('are refused for a type that is not of Ed25519, and for a key that anybody can sign with', () => {
    refusal(() => parseVkey('rekor.sigstore.dev+12345678+AwEB'));
    const zero = { name: 'zero', type: SIGNATURE_TYPE.note, publicKey: Buffer.alloc(32) };
    expect(refusal(() => parseVkey(formatVkey(zero)))).to.include('small-order');
    refusal(() => noteVerifier(parseVkey('remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2')));
  });
});
