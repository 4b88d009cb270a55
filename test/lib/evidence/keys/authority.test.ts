import { expect } from 'chai';
import { signCheckpoint, verifyCheckpoint } from '../../../../src/lib/evidence/formats/checkpoint.js';
import { cosignatureSigner } from '../../../../src/lib/evidence/formats/cosignature.js';
import { noteSigner } from '../../../../src/lib/evidence/formats/note.js';
import { toOpenSsh, toSpkiPem } from '../../../../src/lib/evidence/formats/public-key.js';
import { formatVkey, SIGNATURE_TYPE, type SignatureType } from '../../../../src/lib/evidence/formats/vkey.js';
import {
  checkpointVerifiers,
  cosignatureVerifiers,
  KEY_KINDS,
  type KeyKind,
  logKeys,
  maySign,
  packSigners,
  SIGNING_ROLES,
  type Signed,
  type SigningRole,
  sharedKey,
  type TrustedKey,
  witnessKeys,
} from '../../../../src/lib/evidence/keys/authority.js';
import type { SigningKey } from '../../../../src/lib/evidence/keys/keys.js';
import { parseTrustedKeys } from '../../../../src/lib/evidence/keys/trust.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { verifyLogSince, verifyProofSince } from '../../../../src/lib/evidence/verify/since.js';
import { formatAddCheckpoint } from '../../../../src/lib/evidence/witness/request.js';
import { Witness } from '../../../../src/lib/evidence/witness/witness.js';
import { refusal } from '../refusal.js';
import { ALICE, BOB, keyFrom } from '../signers.js';
import { inMemory, ORIGIN, tinyLog, tinyPack, WITNESS } from '../verify/tiny-pack.js';

const vkey = (key: SigningKey, type: SignatureType, name = ORIGIN) =>
  formatVkey({ name, type, publicKey: key.publicKey });
const trusted = (...texts: string[]): TrustedKey[] =>
  texts.flatMap((text, i) => parseTrustedKeys(text, `file ${i + 1}`, 0));

/** One public key in each form that it can be given in; the compiler asks for the form of a new kind. */
const FORMS: Record<KeyKind, (key: SigningKey) => string> = {
  'log-vkey': (key) => vkey(key, SIGNATURE_TYPE.note),
  'witness-vkey': (key) => vkey(key, SIGNATURE_TYPE.cosignature),
  openssh: (key) => toOpenSsh(key.publicKey, 'lukhas-log'),
  'allowed-signer': (key) => `lukhas-export ${toOpenSsh(key.publicKey, '')}`,
  pem: (key) => toSpkiPem(key.publicKey),
};

/** Which form may do what; the compiler asks for a new kind and for a new role. */
const MAY: Record<KeyKind, Record<SigningRole, boolean>> = {
  'log-vkey': { pack: false, checkpoint: true, cosignature: false },
  'witness-vkey': { pack: false, checkpoint: false, cosignature: true },
  openssh: { pack: true, checkpoint: false, cosignature: false },
  'allowed-signer': { pack: true, checkpoint: false, cosignature: false },
  pem: { pack: true, checkpoint: false, cosignature: false },
};

const SIGNED: Record<SigningRole, Signed> = {
  pack: { role: 'pack' },
  checkpoint: { role: 'checkpoint', origin: ORIGIN },
  cosignature: { role: 'cosignature' },
};

const LOG = tinyLog();
const SIZE = LOG.lines.length;
/** A checkpoint of the log by this key, under the log's name, and cosigned by it. */
const noteBy = (key: SigningKey, cosigned = false) => {
  const { text } = verifyCheckpoint(tinyPack(LOG).get('checkpoint')!, {
    origin: ORIGIN,
    log: checkpointVerifiers(ORIGIN, [{ name: ORIGIN, type: SIGNATURE_TYPE.note, publicKey: ALICE.publicKey }]),
  });
  const [, , root = ''] = text.split('\n');
  const checkpoint = { origin: ORIGIN, size: SIZE, root: Buffer.from(root, 'base64') };
  const signers = [noteSigner(ORIGIN, key), ...(cosigned ? [cosignatureSigner(ORIGIN, key, 1_767_225_600)] : [])];
  return Buffer.from(signCheckpoint(checkpoint, signers));
};

describe('who may sign what', () => {
  for (const kind of KEY_KINDS) {
    for (const role of SIGNING_ROLES) {
      it(`${kind}: ${role}: ${MAY[kind][role] ? 'accepted' : 'refused'}`, async () => {
        const trust = trusted(FORMS[kind](BOB));
        expect(trust.map((key) => key.kind)).to.deep.equal([kind]);
        expect(maySign(trust[0]!, SIGNED[role])).to.equal(MAY[kind][role]);
        expect(await accepted[role](trust)).to.deep.equal(accepted[role].places(MAY[kind][role]));
      });
    }
  }

  it('a vkey counts for the log that it names and no other', () => {
    const other = trusted(vkey(ALICE, SIGNATURE_TYPE.note, 'example.com/other'));
    expect(refusal(() => logKeys(ORIGIN, other))).to.match(
      /\(the given vkeys are of "example\.com\/other"\).*--form vkey/,
    );
    const named = trusted(vkey(ALICE, SIGNATURE_TYPE.note, 'w.example.com'));
    expect(witnessKeys(named)).to.deep.equal([]);
    expect(cosignatureVerifiers([named[0]!.vkey!])).to.deep.equal([]);
    expect(checkpointVerifiers(ORIGIN, [named[0]!.vkey!])).to.deep.equal([]);
  });

  it('a nameless key for a checkpoint is refused with the command that prints the vkey', () => {
    for (const form of ['openssh', 'pem', 'allowed-signer'] as const) {
      expect(refusal(() => logKeys(ORIGIN, trusted(FORMS[form](ALICE))))).to.match(
        /count for packs only\).*lukhas keys show --role log --form vkey/,
      );
    }
    expect(refusal(() => packSigners(trusted(FORMS['log-vkey'](BOB))))).to.include('lukhas keys show --role export');
  });

  it('one key in two roles is refused, however it was given', () => {
    for (const first of KEY_KINDS) {
      for (const second of KEY_KINDS) {
        const trust = trusted(FORMS[first](BOB), FORMS[second](BOB));
        const isOneRole = SIGNING_ROLES.some((role) => MAY[first][role] && MAY[second][role]);
        expect(sharedKey(trust) === null, `${first}, ${second}`).to.equal(isOneRole);
        if (isOneRole) continue;
        expect(sharedKey(trust)).to.match(
          /^file 1, line \d and file 2, line \d: the same key SHA256:.* as .* key and as .* key; one key cannot do the work of both$/,
        );
        for (const use of [packSigners, witnessKeys, (all: TrustedKey[]) => logKeys(ORIGIN, all)])
          expect(refusal(() => use(trust))).to.equal(sharedKey(trust));
      }
    }
  });

  it('one key is not two witnesses, because a cosignature does not sign a name', () => {
    const two = trusted(vkey(BOB, SIGNATURE_TYPE.cosignature, 'w1'), vkey(BOB, SIGNATURE_TYPE.cosignature, 'w2'));
    expect(sharedKey(two)).to.match(/as two witnesses, w1 and w2; one key cannot/);
    const twice = trusted(vkey(BOB, SIGNATURE_TYPE.cosignature, 'w'), vkey(BOB, SIGNATURE_TYPE.cosignature, 'w'));
    expect(witnessKeys(twice)).to.have.length(1);
  });

  it('a witness named like the log, with an ID that was made to be that of the log key, is still a witness', () => {
    const log = noteSigner(ORIGIN, ALICE);
    // What 2^32 attempts would find.
    const forged = { ...cosignatureSigner(ORIGIN, WITNESS, 1_767_225_600), keyId: log.keyId };
    const note = signCheckpoint({ origin: ORIGIN, size: SIZE, root: Buffer.alloc(32) }, [forged]);
    const [own] = checkpointVerifiers(ORIGIN, [vkeyOf(ALICE, SIGNATURE_TYPE.note)]);
    const [witness] = cosignatureVerifiers([vkeyOf(WITNESS, SIGNATURE_TYPE.cosignature)]);
    const witnesses = [{ ...witness!, keyId: log.keyId }];
    expect(refusal(() => verifyCheckpoint(note, { origin: ORIGIN, log: [own!], witnesses }))).to.equal(
      'checkpoint: signed by witnesses only, not by a trusted key of the log',
    );
    const both = signCheckpoint({ origin: ORIGIN, size: SIZE, root: Buffer.alloc(32) }, [forged, log]);
    const read = verifyCheckpoint(both, { origin: ORIGIN, log: [own!], witnesses });
    expect([read.log.length, read.witnesses.length]).to.deep.equal([1, 1]);
  });

  it('no trusted key makes the checkpoint of another log one of this log', async () => {
    const log = { size: SIZE, rootThen: rootOf() };
    const trust = trusted(vkey(BOB, SIGNATURE_TYPE.note));
    const since = (...origins: string[]) =>
      verifyLogSince(noteBy(BOB), { log, key: null, trust, origins: new Set(origins) });
    expect((await since(ORIGIN)).ok).to.equal(true);
    const { ok, problems, holds } = await since('example.com/this');
    expect([ok, holds]).to.deep.equal([false, []]);
    expect(problems[0]).to.match(/^--since: checkpoint of log .*, expected "example.com\/this"$/);
  });
});

const vkeyOf = (key: SigningKey, type: SignatureType) => ({ name: ORIGIN, type, publicKey: key.publicKey });

/** Each use of a role, by BOB's key as the only one that could: which of them were accepted. */
type Use = ((trust: TrustedKey[]) => Promise<Record<string, boolean>>) & {
  places(accepted: boolean): Record<string, boolean>;
};
const use = (places: Record<string, (trust: TrustedKey[]) => Promise<boolean>>): Use =>
  Object.assign(
    async (trust: TrustedKey[]) =>
      Object.fromEntries(
        await Promise.all(Object.entries(places).map(async ([name, run]) => [name, await run(trust)] as const)),
      ),
    { places: (is: boolean) => Object.fromEntries(Object.keys(places).map((name) => [name, is])) },
  );

const MALLORY = keyFrom('07'.repeat(32));
const ofLog = trusted(vkey(ALICE, SIGNATURE_TYPE.note));
const ofPack = trusted(toOpenSsh(MALLORY.publicKey, ''));

const accepted: Record<SigningRole, Use> = {
  // The log key is ALICE's; the pack is signed by BOB.
  pack: use({
    pack: async (trust) => {
      const pack = tinyPack({ ...LOG, keys: { log: ALICE, export: BOB } });
      const { problems } = await verifyPack(inMemory(pack), { trust: [...ofLog, ...trust] });
      return !problems.some((text) => text.startsWith('SHA256SUMS') || /not trusted/.test(text));
    },
  }),
  // The log key is BOB's; the pack is signed by MALLORY, who is trusted with that.
  checkpoint: use({
    pack: async (trust) => {
      const pack = tinyPack({ ...LOG, keys: { log: BOB, export: MALLORY } });
      return (await verifyPack(inMemory(pack), { trust: [...ofPack, ...trust] })).problems.length === 0;
    },
    'pack, --since': async (trust) => {
      const keys = { log: ALICE, export: MALLORY };
      const all = [...ofLog, ...ofPack, ...trust];
      const since = noteBy(BOB);
      return (await verifyPack(inMemory(tinyPack({ ...LOG, keys })), { trust: all, since })).problems.length === 0;
    },
    'request to a witness': async (trust) => {
      const store = { last: async () => null, append: async () => true };
      const logs = trust.flatMap(({ vkey: key }) => key ?? []);
      const witness = new Witness({ name: 'w', key: WITNESS, logs, store, now: () => 0 });
      const body = formatAddCheckpoint({ oldSize: 0, proof: [], note: noteBy(BOB).toString() });
      return (await witness.add(Buffer.from(body))).status === 200;
    },
    'proof, --since': async (trust) => {
      const log = { origin: ORIGIN, size: SIZE, root: rootOf() };
      return (await verifyProofSince(noteBy(BOB), { log, trust, prove: null })).ok;
    },
    'log, --since': async (trust) =>
      (await verifyLogSince(noteBy(BOB), { log: { size: SIZE, rootThen: rootOf() }, key: null, trust })).ok,
  }),
  cosignature: use({
    'witness.json': async (trust) => {
      const pack = tinyPack({ ...LOG, keys: { log: ALICE, export: MALLORY }, witnessed: { size: SIZE, witness: BOB } });
      // By the name that the pack's cosignature has.
      const named = trust.map((key) =>
        key.kind === 'witness-vkey' ? trusted(vkey(BOB, SIGNATURE_TYPE.cosignature, 'w.example.com'))[0]! : key,
      );
      return (await verifyPack(inMemory(pack), { trust: [...ofLog, ...ofPack, ...named] })).witnesses.length === 1;
    },
    checkpoint: async (trust) => {
      const keys = trust.flatMap(({ vkey: key }) => key ?? []);
      const log = checkpointVerifiers(ORIGIN, [vkeyOf(ALICE, SIGNATURE_TYPE.note)]);
      const note = `${noteBy(ALICE)}${`${noteBy(BOB, true)}`.split('\n').at(-2)}\n`;
      const witnesses = cosignatureVerifiers(keys);
      return verifyCheckpoint(note, { origin: ORIGIN, log, witnesses }).witnesses.length === 1;
    },
  }),
};

function rootOf(): Buffer {
  return Buffer.from(`${noteBy(ALICE)}`.split('\n')[2]!, 'base64');
}
