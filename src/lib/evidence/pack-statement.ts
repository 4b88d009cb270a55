import { preAuthEncoding } from './dsse.js';
import type { Signer } from './note.js';
import type { PackedFile } from './pack-archive.js';
import type { PackDecision } from './pack-plan.js';
import { fingerprint } from './public-key.js';
import { type EvidencePredicate, formatStatement, STATEMENT_PAYLOAD_TYPE } from './statement.js';

/** Where decisions go: they come last. */
const NO_DECISIONS = '[]}}';
/** Decisions in one piece. */
const CHUNK = 512;
/** Bytes encoded at a time: base64 takes three together. */
const ENCODED = 3 * 32 * 1024;

/**
 * The statement about a pack in its envelope, the bytes that `signEnvelope` gives for `formatStatement`, made in pieces: as
 * objects and texts the decisions of a long window would take several times their size.
 */
export function* statementEnvelope(
  files: readonly PackedFile[],
  predicate: Omit<EvidencePredicate, 'decisions'>,
  decisions: readonly PackDecision[],
  signer: Signer,
): Generator<Buffer> {
  const message = preAuthEncoded(() => statementParts(files, predicate, decisions));
  const payload = message.subarray(message.indexOf('{'));
  yield Buffer.from('{"payload":"');
  for (let i = 0; i < payload.length; i += ENCODED)
    yield Buffer.from(payload.subarray(i, i + ENCODED).toString('base64'));
  const signatures = [{ keyid: fingerprint(signer.publicKey), sig: signer.sign(message).toString('base64') }];
  const rest = JSON.stringify({ payloadType: STATEMENT_PAYLOAD_TYPE, signatures });
  yield Buffer.from(`",${rest.slice(1)}\n`);
}

/** @param parts made twice, to be measured and to be copied: held all at once they would take as much as the whole */
function preAuthEncoded(parts: () => Iterable<Buffer>): Buffer {
  let length = 0;
  for (const part of parts()) length += part.length;
  // Without a payload, but with the length of this one.
  const head = preAuthEncoding(STATEMENT_PAYLOAD_TYPE, new Uint8Array()).toString().replace(/ 0 $/, ` ${length} `);
  const message = Buffer.allocUnsafe(head.length + length);
  let at = message.write(head);
  for (const part of parts()) at += part.copy(message, at);
  return message;
}

function* statementParts(
  files: readonly PackedFile[],
  predicate: Omit<EvidencePredicate, 'decisions'>,
  decisions: readonly PackDecision[],
): Generator<Buffer> {
  yield formatStatement(files, { ...predicate, decisions: [] }).subarray(0, 1 - NO_DECISIONS.length);
  for (let i = 0; i < decisions.length; i += CHUNK) {
    const texts = decisions.slice(i, i + CHUNK).map(decisionJson);
    yield Buffer.from(`${i === 0 ? '' : ','}${texts.join(',')}`);
  }
  yield Buffer.from(NO_DECISIONS.slice(1));
}

/** Members in the order of the schema. */
function decisionJson(decision: PackDecision): string {
  const { seq, canaryId, modelId, fromGate, toGate, outcome, basis, policyDigest } = decision;
  return JSON.stringify({ seq, canaryId, modelId, fromGate, toGate, outcome, basis, policyDigest });
}
