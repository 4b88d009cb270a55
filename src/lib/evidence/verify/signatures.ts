import {
  cosignatureVerifier,
  keyId,
  noteVerifier,
  parseCheckpoint,
  parseNote,
  parseOpenSsh,
  parseSpkiPem,
  parseVkey,
  refused,
  SIGNATURE_TYPE,
  STATEMENT_PAYLOAD_TYPE,
  type VerifiedCheckpoint,
  type VerifierKey,
  verifyCheckpoint,
  verifyEd25519,
  verifyEnvelope,
  verifySsh,
} from '../formats/index.js';
import { type TrustedKey, witnessKeys } from '../keys/index.js';
import { PackStatement } from './statement.js';

/** The keys that lie in a pack. They say who claims to have made it, and are no reason to believe that. */
export interface PackKeys {
  log: VerifierKey;
  /** 32 bytes. */
  export: Buffer;
}

export interface KeyFiles {
  vkey: Buffer;
  logPem: Buffer;
  exportSsh: Buffer;
  exportPem: Buffer;
  allowedSigners: Buffer;
}

/** @throws LukhasError VERIFICATION: a file that cannot be read, or two that are not of the same key */
export function readPackKeys(files: KeyFiles): PackKeys {
  const log = parseVkey(oneLine(files.vkey, 'keys/log.vkey'));
  const { publicKey } = parseOpenSsh(oneLine(files.exportSsh, 'keys/export.pub'));
  const signer = oneLine(files.allowedSigners, 'keys/allowed_signers');
  const [, ssh = ''] = /^lukhas-export namespaces="lukhas-evidence" (ssh-ed25519 .+)$/.exec(signer) ?? [];
  if (log.type !== SIGNATURE_TYPE.note) throw refused('keys/log.vkey: is not a key for checkpoints');
  if (!parseSpkiPem(files.logPem.toString()).equals(log.publicKey)) throw refused('keys/log.pem: is another key');
  if (!parseSpkiPem(files.exportPem.toString()).equals(publicKey)) throw refused('keys/export.pem: is another key');
  if (!parseOpenSsh(ssh).publicKey.equals(publicKey)) throw refused('keys/allowed_signers: is another key');
  if (log.publicKey.equals(publicKey)) throw refused('keys: the log and the export must not share one key');
  return { log, export: publicKey };
}

export interface SignedSums {
  sums: Buffer;
  ssh: Buffer;
  raw: Buffer;
  /** Used up: the payload takes its place. */
  dsse: Buffer;
}

/**
 * Verifies the three signatures of a pack.
 * @param trust null: by the key in the pack, which shows that they belong together, not whose they are
 * @throws LukhasError VERIFICATION: which does not hold
 */
export function verifySums(signed: SignedSums, keys: PackKeys, trust: readonly TrustedKey[] | null): PackStatement {
  // A vkey is good for notes only.
  const trusted =
    trust === null ? [keys.export] : trust.filter(({ vkey }) => vkey === null).map(({ publicKey }) => publicKey);
  const signer = verifySsh(signed.ssh.toString('latin1'), signed.sums, { trusted });
  if (!signer.equals(keys.export)) throw refused('SHA256SUMS.sshsig: is not by the key in keys/');
  if (!verifyEd25519(signer, signed.sums, signed.raw)) throw refused('SHA256SUMS.sig: does not verify');
  const payloadType = STATEMENT_PAYLOAD_TYPE;
  const envelope = verifyEnvelope(signed.dsse, { payloadType, trusted: [signer] });
  if (!envelope.exact) throw refused('statement.dsse.json: holds more than what was signed');
  return new PackStatement(envelope.payload);
}

/**
 * Verifies a checkpoint of the log, with the cosignatures of trusted witnesses that stand on it.
 * @param key in the pack: counts only where `trust` is null
 * @throws LukhasError VERIFICATION
 */
export function verifyLogCheckpoint(
  note: Buffer | string,
  { origin, key, trust }: { origin: string; key: VerifierKey | null; trust: readonly TrustedKey[] | null },
): VerifiedCheckpoint {
  const log = logKeys(origin, key, trust).map(noteVerifier);
  if (log.length === 0) throw refused(`checkpoint: no key was given for the log ${JSON.stringify(origin)}`);
  return verifyCheckpoint(note, { origin, log, witnesses: witnessKeys(trust).map(cosignatureVerifier) });
}

/** Name of the log and state, as a note says it: nothing of it is verified. @throws LukhasError VERIFICATION: form */
export function claimedCheckpoint(note: Buffer | string): ReturnType<typeof parseCheckpoint> {
  return parseCheckpoint(parseNote(note).text);
}

/** The key, of those that count, that signed. */
export function checkpointSigner(
  { origin, log }: VerifiedCheckpoint,
  { key, trust }: { key: VerifierKey | null; trust: readonly TrustedKey[] | null },
): Buffer {
  const signed = log.map(({ keyId: id }) => id);
  const found = logKeys(origin, key, trust).find((candidate) => signed.includes(keyId(candidate)));
  if (found === undefined) throw refused('checkpoint: none of the keys that were given signed it');
  return found.publicKey;
}

/** A key without a name of its own is taken for that of the log that is looked at; one of a witness is not. */
function logKeys(origin: string, key: VerifierKey | null, trust: readonly TrustedKey[] | null): VerifierKey[] {
  const given = trust?.map(({ vkey, publicKey }) => vkey ?? noteKey(origin, publicKey)) ?? (key === null ? [] : [key]);
  return given.filter(({ name, type }) => name === origin && type === SIGNATURE_TYPE.note);
}

function noteKey(name: string, publicKey: Buffer): VerifierKey {
  return { name, type: SIGNATURE_TYPE.note, publicKey };
}

function oneLine(bytes: Buffer, name: string): string {
  const text = bytes.toString('latin1');
  if (!/^[^\n]+\n$/.test(text)) throw refused(`${name}: is not one line`);
  return text.slice(0, -1);
}
