import * as z from 'zod';
import { LukhasError } from '../../errors.js';
import { parseInput } from '../../input/index.js';
import { decodeBase64 } from './base64.js';
import { verifyEd25519 } from './ed25519.js';
import type { Signer } from './note.js';
import { fingerprint } from './public-key.js';
import { refused } from './refused.js';

/** DSSE 1.0 (https://github.com/secure-systems-lab/dsse): an envelope of signed bytes with their type. */
export interface VerifiedEnvelope {
  /** Exactly what was signed. */
  payload: Buffer;
  /** The trusted keys that signed; at least one, each once. */
  signedBy: Buffer[];
  /**
   * Whether the envelope is exactly what `signEnvelope` writes for the keys that signed. Key IDs, order and white space are
   * not signed, so a caller that must detect any changed byte has to require this as well.
   */
  exact: boolean;
}

const envelopeSchema = z.object({
  payload: z.string(),
  payloadType: z.string().min(1),
  signatures: z.array(z.object({ keyid: z.string().optional(), sig: z.string() })).min(1),
});

/** What is signed: the bytes together with their type, so that neither can be swapped. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  return Buffer.concat([preAuthHead(payloadType, payload.length), payload]);
}

function preAuthHead(payloadType: string, payloadLength: number): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payloadLength} `)]);
}

/** The envelope as one line of JSON with a newline. @param payloadType a media type or URI */
export function signEnvelope(payloadType: string, payload: Uint8Array, signers: readonly Signer[]): string {
  const message = preAuthEncoding(payloadType, payload);
  const signatures = signers.map((signer) => ({ publicKey: signer.publicKey, sig: signer.sign(message) }));
  return formatEnvelope(payloadType, payload, signatures);
}

/**
 * Verifies an envelope with the trusted keys. Signatures by other keys are ignored; key IDs are not relied on.
 * @param bytes are overwritten: the payload of a long log is large, and is decoded in place
 * @param trusted public keys, 32 bytes each
 * @param threshold how many different keys must have signed; 1 when left out
 * @throws LukhasError VERIFICATION: form, payload type, or too few of the keys signed
 */
export function verifyEnvelope(
  bytes: Buffer,
  { payloadType, trusted, threshold = 1 }: { payloadType: string; trusted: readonly Uint8Array[]; threshold?: number },
): VerifiedEnvelope {
  const { frame, payload: base64 } = readEnvelope(bytes);
  const envelope = parseInput(envelopeSchema, parseJson(frame), 'envelope', 'VERIFICATION');
  if (envelope.payloadType !== payloadType) {
    throw refused(`envelope: payload type is ${JSON.stringify(envelope.payloadType)}, expected ${payloadType}`);
  }
  const isStandard = !base64.includes('-') && !base64.includes('_');
  const signatures = envelope.signatures.map(({ sig }) => decodeEither(sig, 'signature'));
  const { message, payload } = decodeMessage(payloadType, base64, bytes);
  const found = signatures.flatMap((sig) => {
    const publicKey = trusted.find((key) => verifyEd25519(key, message, sig));
    return publicKey === undefined ? [] : [{ publicKey: Buffer.from(publicKey), sig }];
  });
  const once = found.filter(({ publicKey }, i) => found.findIndex((other) => other.publicKey.equals(publicKey)) === i);
  if (once.length < threshold) {
    throw refused(`envelope: signed by ${once.length} of the trusted keys, needs ${threshold}`);
  }
  const exact = isStandard && frame === formatEnvelope(payloadType, new Uint8Array(), once);
  return { payload, signedBy: once.map(({ publicKey }) => publicKey), exact };
}

/** How an envelope written by `signEnvelope` begins. */
const START = Buffer.from('{"payload":"');
const QUOTE = 0x22;
const PADDING = 0x3d;
/** Characters that are decoded at a time: base64 takes four together. */
const PIECE = 4 * 64 * 1024;

/**
 * Cuts out the payload without making a string of it. An envelope in another form, where another member could be the
 * payload, is parsed as JSON first.
 * @returns the payload's text (base64, if valid), and the envelope with an empty payload
 */
function readEnvelope(bytes: Buffer): { payload: Buffer; frame: string } {
  const end = bytes.indexOf(QUOTE, START.length);
  if (bytes.subarray(0, START.length).equals(START) && end >= 0) {
    const payload = bytes.subarray(START.length, end);
    const frame = `${START}${textOf(bytes.subarray(end))}`;
    const isOnly = frame.lastIndexOf('"payload"') === 1;
    if (isOnly && !frame.includes('\\') && !payload.includes('\\')) return { payload, frame };
  }
  const envelope = parseInput(envelopeSchema, parseJson(textOf(bytes)), 'envelope', 'VERIFICATION');
  // Leading white space, so that it never equals what `signEnvelope` writes.
  return { payload: Buffer.from(envelope.payload), frame: ` ${JSON.stringify({ ...envelope, payload: '' })}` };
}

/** Longer ones cannot become one string; in what lukhas writes, only the payload is that long. */
const MAX_TEXT = 256 * 1024 * 1024;

function textOf(bytes: Buffer): string {
  if (bytes.length > MAX_TEXT) throw refused(`envelope: has more than ${MAX_TEXT} bytes outside its payload`);
  return bytes.toString();
}

/** @param space receives the message; may overlap `base64`. @throws LukhasError VERIFICATION: not base64 */
function decodeMessage(payloadType: string, base64: Buffer, space: Buffer): { message: Buffer; payload: Buffer } {
  const padding = base64.subarray(-2).filter((byte) => byte === PADDING).length;
  const length = (base64.length / 4) * 3 - padding;
  if (!Number.isInteger(length)) throw notBase64('payload');
  const head = preAuthHead(payloadType, length);
  // Each piece is decoded before its bytes are overwritten, and the head is shorter than what decoding saves.
  let at = head.length;
  for (let i = 0; i < base64.length; i += PIECE) {
    const piece = decodeEither(base64.toString('latin1', i, i + PIECE), 'payload');
    at += piece.copy(space, at);
  }
  // A padding in the middle leaves less.
  if (at !== head.length + length) throw notBase64('payload');
  head.copy(space);
  return { message: space.subarray(0, at), payload: space.subarray(head.length, at) };
}

function formatEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signatures: readonly { publicKey: Uint8Array; sig: Buffer }[],
): string {
  const envelope = {
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    signatures: signatures.map(({ publicKey, sig }) => ({
      keyid: fingerprint(publicKey),
      sig: sig.toString('base64'),
    })),
  };
  return `${JSON.stringify(envelope)}\n`;
}

/** DSSE requires both base64 alphabets to be accepted. */
function decodeEither(text: string, what: string): Buffer {
  const bytes = decodeBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
  if (bytes === null) throw notBase64(what);
  return bytes;
}

function notBase64(what: string): LukhasError {
  return refused(`envelope: ${what} is not base64`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new LukhasError('VERIFICATION', 'envelope: is not JSON', { cause });
  }
}
