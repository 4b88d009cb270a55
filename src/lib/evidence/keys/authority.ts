import {
  cosignatureVerifier,
  fingerprint,
  type NoteVerifier,
  noteVerifier,
  refused,
  SIGNATURE_TYPE,
  type VerifierKey,
} from '../formats/index.js';

/** How a public key was given: only a vkey names what it is for. */
export const KEY_KINDS = ['log-vkey', 'witness-vkey', 'openssh', 'allowed-signer', 'pem'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** What a signature vouches for: a pack (its digests and statement), a checkpoint of a log, what a witness has seen. */
export const SIGNING_ROLES = ['pack', 'checkpoint', 'cosignature'] as const;
export type SigningRole = (typeof SIGNING_ROLES)[number];

/** Something that is signed. */
export type Signed = { role: 'pack' } | { role: 'checkpoint'; origin: string } | { role: 'cosignature' };

/** A public key, and the use that the way it was given restricts it to. */
export interface TrustedKey {
  /** 32 bytes. */
  publicKey: Buffer;
  fingerprint: string;
  kind: KeyKind;
  /** Set for a vkey, which is accepted for signatures of this name and type only. */
  vkey: VerifierKey | null;
  /** Where it was given, for messages. */
  where: string;
  /** Why it may sign nothing, in words, e.g. because it has expired; null: it may. */
  unusable: string | null;
}

/**
 * A key has one role. A key without a name says nothing of a log: if it counted for checkpoints, whoever signs packs could sign
 * another history of the log.
 */
const ROLE_OF: Readonly<Record<KeyKind, SigningRole>> = {
  'log-vkey': 'checkpoint',
  'witness-vkey': 'cosignature',
  openssh: 'pack',
  'allowed-signer': 'pack',
  pem: 'pack',
};

/** Decides who may sign what; everything that verifies a signature of evidence asks here. */
export function maySign({ kind, vkey, unusable }: TrustedKey, signed: Signed): boolean {
  if (unusable !== null || ROLE_OF[kind] !== signed.role) return false;
  return signed.role !== 'checkpoint' || vkey?.name === signed.origin;
}

/**
 * The keys that may sign this.
 * @throws LukhasError VERIFICATION when one key is trusted for two roles
 */
function signersOf(signed: Signed, trust: readonly TrustedKey[]): TrustedKey[] {
  const shared = sharedKey(trust);
  if (shared !== null) throw refused(shared);
  return trust.filter((key) => maySign(key, signed));
}

/** So many unusable keys are named, of a file that may hold many. */
const TOLD = 3;

/** Public keys, 32 bytes each, that may sign packs. @throws LukhasError VERIFICATION: there is none, and why given ones do not count; or one has two roles */
export function packSigners(trust: readonly TrustedKey[]): Buffer[] {
  const keys = signersOf({ role: 'pack' }, trust).map(({ publicKey }) => publicKey);
  if (keys.length > 0) return keys;
  const given = trust.flatMap(({ where, unusable }) => (unusable === null ? [] : `${where}: ${unusable}`));
  const why = given.length === 0 ? '' : ` (${given.slice(0, TOLD).join('; ')}${given.length > TOLD ? '; ...' : ''})`;
  throw refused(
    `SHA256SUMS.sshsig: no trusted key for packs${why}; pass the export key with --trust FILE (lukhas keys show --role export --form ssh prints it)`,
  );
}

/** Why this key may not sign packs although it was given; null: it was not given. */
export function whyNotForPacks(publicKey: Uint8Array, trust: readonly TrustedKey[]): string | null {
  const given = trust.filter((key) => key.publicKey.equals(publicKey));
  const [key] = given;
  if (key === undefined || given.some((each) => maySign(each, { role: 'pack' }))) return null;
  return `${key.where}: ${key.unusable ?? 'a vkey does not count for packs'}`;
}

/** The keys that may sign checkpoints of this log. @throws LukhasError VERIFICATION: there is none, or one has two roles */
export function logKeys(origin: string, trust: readonly TrustedKey[]): VerifierKey[] {
  const keys = signersOf({ role: 'checkpoint', origin }, trust).flatMap(({ vkey }) => vkey ?? []);
  if (keys.length > 0) return keys;
  const log = JSON.stringify(origin);
  const names = trust.flatMap(({ kind, vkey }) => (kind === 'log-vkey' && vkey ? [JSON.stringify(vkey.name)] : []));
  const nameless = trust.some(({ vkey }) => vkey === null);
  const why =
    names.length > 0
      ? ` (the given vkeys are of ${names.join(', ')})`
      : nameless
        ? ' (keys in OpenSSH or PEM form have no name, and count for packs only)'
        : '';
  throw refused(
    `checkpoint: no trusted key for the log ${log}${why}; pass its vkey with --trust FILE (lukhas keys show --role log --form vkey prints it)`,
  );
}

/** Verifiers of checkpoints of this log: of the vkeys that are of it. */
export function checkpointVerifiers(origin: string, keys: readonly VerifierKey[]): NoteVerifier[] {
  const signed = { role: 'checkpoint', origin } as const;
  return keys.filter((key) => maySign(ofVkey(key), signed)).map(noteVerifier);
}

/** Verifiers of cosignatures: of the vkeys that are of witnesses. */
export function cosignatureVerifiers(keys: readonly VerifierKey[]): NoteVerifier[] {
  return keys.filter((key) => maySign(ofVkey(key), { role: 'cosignature' })).map(cosignatureVerifier);
}

/** The witness keys among the trusted keys, each once; none when `trust` is null. @throws LukhasError VERIFICATION: a key has two roles */
export function witnessKeys(trust: readonly TrustedKey[] | null): VerifierKey[] {
  const keys = signersOf({ role: 'cosignature' }, trust ?? []).flatMap(({ vkey }) => vkey ?? []);
  return keys.filter((key, index) => keys.findIndex((other) => other.publicKey.equals(key.publicKey)) === index);
}

/** A vkey as a trusted key. @param where it was given, for messages */
export function ofVkey(vkey: VerifierKey, where = 'vkey'): TrustedKey {
  const kind = vkey.type === SIGNATURE_TYPE.cosignature ? 'witness-vkey' : 'log-vkey';
  return { publicKey: vkey.publicKey, fingerprint: fingerprint(vkey.publicKey), kind, vkey, where, unusable: null };
}

/**
 * That one public key is trusted for two roles, or as two witnesses, in words; null: each has one. Whoever holds such a key could
 * do alone what needs two. A cosignature does not sign the name of its witness, so it would also count twice.
 */
export function sharedKey(trust: readonly TrustedKey[]): string | null {
  const first = new Map<string, TrustedKey>();
  for (const key of trust) {
    const before = first.get(key.fingerprint) ?? key;
    first.set(key.fingerprint, before);
    const both = `${before.where} and ${key.where}: the same key ${key.fingerprint}`;
    const [one, other] = [ROLE_OF[before.kind], ROLE_OF[key.kind]];
    if (one !== other) {
      return `${both} as ${ROLE_NAMES[one]} and as ${ROLE_NAMES[other]}; one key cannot do the work of both`;
    }
    if (one === 'cosignature' && before.vkey?.name !== key.vkey?.name) {
      return `${both} as two witnesses, ${before.vkey?.name} and ${key.vkey?.name}; one key cannot do the work of both`;
    }
  }
  return null;
}

const ROLE_NAMES: Readonly<Record<SigningRole, string>> = {
  pack: 'export key',
  checkpoint: 'log key',
  cosignature: 'witness key',
};
