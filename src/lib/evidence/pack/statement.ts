import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { EvidencePredicate, Signer } from '../formats/index.js';
import { fingerprint, STATEMENT_PAYLOAD_TYPE, statementObject } from '../formats/index.js';
import type { PackedFile } from './archive.js';
import type { PackDecision } from './decisions.js';

/** The end of a statement without decisions, which are its last member. */
const NO_DECISIONS = '[]}}';
/** Bytes encoded at a time: base64 takes three together. */
const PIECE = 3 * 16 * 1024;

/**
 * The statement about a pack in its envelope: the same bytes as `signEnvelope(formatStatement(...))`, made in pieces, because
 * as objects and strings the decisions of a long window would take several times their size.
 */
export async function* statementEnvelope(
  files: readonly PackedFile[],
  predicate: Omit<EvidencePredicate, 'decisions'>,
  decisions: readonly PackDecision[],
  signer: Signer,
): AsyncGenerator<Buffer> {
  const { space, message, payload } = await preAuthEncoded(() => statementParts(files, predicate, decisions));
  const signatures = [{ keyid: fingerprint(signer.publicKey), sig: signer.sign(message).toString('base64') }];
  yield Buffer.from('{"payload":"');
  yield* encodedInPlace(space, payload);
  const rest = JSON.stringify({ payloadType: STATEMENT_PAYLOAD_TYPE, signatures });
  yield Buffer.from(`",${rest.slice(1)}\n`);
}

interface Message {
  /** What is signed: at the end of `space`, which has room for the payload in base64 once the message is signed. */
  message: Buffer;
  payload: Buffer;
  space: Buffer;
}

/** @param parts called twice, to measure and to write: collected, they would take as much memory as the whole */
async function preAuthEncoded(parts: () => Iterable<string>): Promise<Message> {
  let length = 0;
  for await (const part of inPieces(parts())) length += Buffer.byteLength(part);
  // DSSE 1.0, PAE; the type is ASCII.
  const head = `DSSEv1 ${STATEMENT_PAYLOAD_TYPE.length} ${STATEMENT_PAYLOAD_TYPE} ${length} `;
  const space = Buffer.allocUnsafe(head.length + Math.ceil(length / 3) * 4);
  const message = space.subarray(space.length - head.length - length);
  let at = message.write(head);
  for await (const part of inPieces(parts())) at += message.write(part, at);
  return { space, message, payload: message.subarray(head.length) };
}

/** Joins small parts, and yields to the event loop in between. */
async function* inPieces(parts: Iterable<string>): AsyncGenerator<string> {
  let text = '';
  for (const part of parts) {
    text += part;
    if (text.length < PIECE) continue;
    yield text;
    text = '';
    await yieldToOthers();
  }
  yield text;
}

/**
 * Base64 of the payload at the end of `space`, written from the beginning of `space`. Writing never overtakes reading: n bytes
 * become 4n/3, and the payload begins at least a third of its length after the beginning.
 */
function* encodedInPlace(space: Buffer, payload: Buffer): Generator<Buffer> {
  let at = 0;
  for (let i = 0; i < payload.length; i += PIECE) {
    const start = at;
    at += space.write(payload.toString('base64', i, i + PIECE), at, 'latin1');
    yield space.subarray(start, at);
  }
}

function* statementParts(
  files: readonly PackedFile[],
  predicate: Omit<EvidencePredicate, 'decisions'>,
  decisions: readonly PackDecision[],
): Generator<string> {
  yield JSON.stringify(statementObject(files, { ...predicate, decisions: [] })).slice(0, 1 - NO_DECISIONS.length);
  let between = '';
  for (const decision of decisions) {
    yield between;
    yield decisionJson(decision);
    between = ',';
  }
  yield NO_DECISIONS.slice(1);
}

/** Members in the order of the schema. */
function decisionJson(decision: PackDecision): string {
  const { seq, canaryId, modelId, fromGate, toGate, outcome, basis, policyDigest } = decision;
  return JSON.stringify({ seq, canaryId, modelId, fromGate, toGate, outcome, basis, policyDigest });
}
