/**
 * Formats that others define: signed notes, checkpoints, cosignatures (C2SP), SSH signatures, DSSE, in-toto statements.
 * Parses and writes bytes; opens no file and no connection.
 */
export { decodeBase64 } from './base64.js';
export {
  type Checkpoint,
  formatCheckpoint,
  parseCheckpoint,
  parseSize,
  signCheckpoint,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from './checkpoint.js';
export { cosignatureSigner, cosignatureVerifier, cosignedAt, looksCosigned } from './cosignature.js';
export { verifyEnvelope } from './dsse.js';
export { rawPublicKey, verifyEd25519 } from './ed25519.js';
export {
  formatNote,
  isSignedBy,
  type NoteSignature,
  type NoteVerifier,
  noteSigner,
  noteVerifier,
  parseNote,
  parseSignatureLines,
  type Signer,
  signatureLine,
} from './note.js';
export { fingerprint, parseOpenSsh, parseSpkiPem, toAllowedSigner, toOpenSsh, toSpkiPem } from './public-key.js';
export { refused } from './refused.js';
export { EVIDENCE_NAMESPACE, signSsh, verifySsh } from './sshsig.js';
export {
  type EvidencePredicate,
  type EvidenceStatement,
  parseDecision,
  parseStatement,
  type StatedDecision,
} from './statement.js';
export { STATEMENT_PAYLOAD_TYPE, statementObject } from './statement-object.js';
export { formatTlogProof, parseTlogProof } from './tlog-proof.js';
export { badName, formatVkey, isKeyName, parseVkey, SIGNATURE_TYPE, type VerifierKey } from './vkey.js';
