import {
  fingerprint,
  isSignedBy,
  parseCheckpoint,
  parseNote,
  parseOpenSsh,
  parseVkey,
  refused,
  SIGNATURE_TYPE,
  STATEMENT_PAYLOAD_TYPE,
  toOpenSsh,
  toSpkiPem,
  type VerifiedCheckpoint,
  type VerifierKey,
  verifyCheckpoint,
  verifyEd25519,
  verifyEnvelope,
  verifySsh,
} from '../formats/index.js';
import {
  checkpointVerifiers,
  cosignatureVerifiers,
  logKeys,
  packSigners,
  type TrustedKey,
  whyNotForPacks,
  witnessKeys,
} from '../keys/index.js';
import { PackStatement } from './statement.js';

/** The keys inside a pack. They name who claims to have made it, and prove nothing. */
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

/** @throws LukhasError VERIFICATION: a file that cannot be read, or two that hold different keys */
export function readPackKeys(files: KeyFiles): PackKeys {
  const log = parseVkey(oneLine(files.vkey, 'keys/log.vkey'));
  if (log.type !== SIGNATURE_TYPE.note) throw refused('keys/log.vkey: is not a log key (type 0x01)');
  const { publicKey } = parseOpenSsh(oneLine(files.exportSsh, 'keys/export.pub'));
  const ssh = toOpenSsh(publicKey, 'lukhas-export');
  // Whole files, so that none says anything but its key.
  const forms = [
    ['keys/log.pem', files.logPem, toSpkiPem(log.publicKey), 'keys/log.vkey'],
    ['keys/export.pem', files.exportPem, toSpkiPem(publicKey), 'keys/export.pub'],
    ['keys/export.pub', files.exportSsh, `${ssh}\n`, 'the form that lukhas writes'],
    [
      'keys/allowed_signers',
      files.allowedSigners,
      `lukhas-export namespaces="lukhas-evidence" ${ssh}\n`,
      'keys/export.pub',
    ],
  ] as const;
  for (const [name, bytes, expected, what] of forms)
    if (bytes.toString('latin1') !== expected) throw refused(`${name}: does not match ${what}`);
  if (log.publicKey.equals(publicKey)) throw refused('keys: the log key and the export key must be different');
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
 * @param trust null: checks with the key inside the pack, which shows consistency, not who signed
 * @throws LukhasError VERIFICATION: which signature is wrong
 */
export function verifySums(signed: SignedSums, keys: PackKeys, trust: readonly TrustedKey[] | null): PackStatement {
  const trusted = trust === null ? [keys.export] : packSigners(trust);
  const refusal = whyNotForPacks(keys.export, trust ?? []);
  if (refusal !== null) throw refused(`SHA256SUMS.sshsig: by key ${fingerprint(keys.export)}: ${refusal}`);
  const signer = verifySsh(signed.ssh.toString('latin1'), signed.sums, { trusted });
  if (!signer.equals(keys.export)) throw refused('SHA256SUMS.sshsig: not signed by the key in keys/export.pub');
  if (!verifyEd25519(signer, signed.sums, signed.raw)) throw refused('SHA256SUMS.sig: signature does not verify');
  const payloadType = STATEMENT_PAYLOAD_TYPE;
  const envelope = verifyEnvelope(signed.dsse, { payloadType, trusted: [signer] });
  if (!envelope.exact) throw refused('statement.dsse.json: contains more than what was signed');
  return new PackStatement(envelope.payload);
}

/**
 * Verifies a checkpoint of the log, with the cosignatures of trusted witnesses on it.
 * @param key of the pack; used only when `trust` is null
 * @throws LukhasError VERIFICATION
 */
export function verifyLogCheckpoint(
  note: Buffer | string,
  { origin, key, trust }: { origin: string; key: VerifierKey | null; trust: readonly TrustedKey[] | null },
): VerifiedCheckpoint {
  const log = checkpointVerifiers(origin, acceptedKeys(origin, key, trust));
  return verifyCheckpoint(note, { origin, log, witnesses: cosignatureVerifiers(witnessKeys(trust)) });
}

/** The checkpoint in a note, without verifying any signature. @throws LukhasError VERIFICATION: form */
export function claimedCheckpoint(note: Buffer | string): ReturnType<typeof parseCheckpoint> {
  return parseCheckpoint(parseNote(note).text);
}

/** The accepted log keys that signed the checkpoint; at least one. */
export function checkpointSigners(
  { origin, text, log }: VerifiedCheckpoint,
  { key, trust }: { key: VerifierKey | null; trust: readonly TrustedKey[] | null },
): Buffer[] {
  return acceptedKeys(origin, key, trust)
    .filter((each) =>
      checkpointVerifiers(origin, [each]).some((own) => log.some((signature) => isSignedBy(text, signature, own))),
    )
    .map(({ publicKey }) => publicKey);
}

/** @param key accepted when no keys are trusted */
function acceptedKeys(
  origin: string,
  key: VerifierKey | null,
  trust: readonly TrustedKey[] | null,
): readonly VerifierKey[] {
  return trust === null && key !== null ? [key] : logKeys(origin, trust ?? []);
}

function oneLine(bytes: Buffer, name: string): string {
  const text = bytes.toString('latin1');
  if (!/^[^\n]+\n$/.test(text)) throw refused(`${name}: is not one line`);
  return text.slice(0, -1);
}
