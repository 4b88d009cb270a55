import * as z from 'zod';
import { LukhasError } from '../errors.js';
import { parseInput } from '../input/problems.js';
import { decodeBase64 } from './base64.js';
import { verifyEd25519 } from './ed25519.js';
import type { Signer } from './note.js';
import { fingerprint } from './public-key.js';
import { refused } from './refused.js';

/** DSSE 1.0 (https://github.com/secure-systems-lab/dsse): an envelope of signed bytes, which says what they are. */
export interface VerifiedEnvelope {
  /** Exactly what was signed. */
  payload: Buffer;
  /** The keys that signed, of those that are trusted; at least one, each once. */
  signedBy: Buffer[];
  /**
   * The envelope is written as `signEnvelope` writes it for the keys that signed. Key IDs, order and white space are not
   * signed: who wants a file without one changed byte asks for this too.
   */
  exact: boolean;
}

const envelopeSchema = z.object({
  payload: z.string(),
  payloadType: z.string().min(1),
  signatures: z.array(z.object({ keyid: z.string().optional(), sig: z.string() })).min(1),
});

/** What is signed: the bytes with their type, so that neither can be taken for another. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/** The envelope as one line of JSON with a newline. @param payloadType a media type or URI */
export function signEnvelope(payloadType: string, payload: Uint8Array, signers: readonly Signer[]): string {
  const message = preAuthEncoding(payloadType, payload);
  const signatures = signers.map((signer) => ({ publicKey: signer.publicKey, sig: signer.sign(message) }));
  return formatEnvelope(payloadType, payload, signatures);
}

/**
 * Verifies an envelope by the keys that are trusted. Signatures of others are passed over; key IDs are not relied on.
 * @param trusted public keys, 32 bytes each
 * @param threshold how many different keys must have signed; 1 when left out
 * @throws LukhasError VERIFICATION: form, payload type, or too few of the keys signed
 */
export function verifyEnvelope(
  text: string,
  { payloadType, trusted, threshold = 1 }: { payloadType: string; trusted: readonly Uint8Array[]; threshold?: number },
): VerifiedEnvelope {
  const envelope = parseInput(envelopeSchema, parseJson(text), 'envelope', 'VERIFICATION');
  const payload = decodeEither(envelope.payload, 'payload');
  const signatures = envelope.signatures.map(({ sig }) => decodeEither(sig, 'signature'));
  const message = preAuthEncoding(envelope.payloadType, payload);
  const found = signatures.flatMap((sig) => {
    const publicKey = trusted.find((key) => verifyEd25519(key, message, sig));
    return publicKey === undefined ? [] : [{ publicKey: Buffer.from(publicKey), sig }];
  });
  const once = found.filter(({ publicKey }, i) => found.findIndex((other) => other.publicKey.equals(publicKey)) === i);
  if (once.length < threshold) {
    throw refused(`envelope: is signed by ${once.length} of the keys that are trusted, not by ${threshold}`);
  }
  if (envelope.payloadType !== payloadType) {
    throw refused(`envelope: its payload is of type ${JSON.stringify(envelope.payloadType)}, not ${payloadType}`);
  }
  const exact = formatEnvelope(payloadType, payload, once) === text;
  return { payload, signedBy: once.map(({ publicKey }) => publicKey), exact };
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

/** DSSE wants both alphabets of base64 to be accepted. */
function decodeEither(text: string, what: string): Buffer {
  const bytes = decodeBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
  if (bytes === null) throw refused(`envelope: its ${what} is not base64`);
  return bytes;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new LukhasError('VERIFICATION', 'envelope: is not JSON', { cause });
  }
}
