import * as z from 'zod';
import { parseInput } from '../../input/index.js';
import { EVIDENCE_PREDICATE_TYPE, STATEMENT_TYPE, type StatementSubject, statementObject } from './statement-object.js';

const count = z.int().min(0);
const instant = z.iso.datetime().describe('RFC 3339, UTC');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is 64 hexadecimal digits in lower case');
const name = z.string().min(1);

const decisionSchema = z
  .object({
    seq: count.describe('entry of the log that says so'),
    canaryId: name,
    modelId: name,
    fromGate: name,
    toGate: name,
    outcome: z.enum(['PROMOTED', 'ROLLED_BACK', 'BLOCKED', 'ABORTED', 'FAILED', 'REJECTED']),
    basis: z
      .enum(['evidence', 'person', 'break-glass', 'error'])
      .describe(
        'who or what decided: the judge, a person (override, abort, rejection), a person without approval, a fault',
      ),
    policyDigest: sha256.nullable().describe('SHA-256 of the canonical policy that it was judged by'),
  })
  .describe('how one canary ended, or what a person made of it');

const predicateSchema = z
  .object({
    generator: z.object({ name: z.literal('lukhas'), version: name, judge: name.describe('version of the judge') }),
    window: z
      .object({ from: instant, to: instant, firstSeq: count, endSeq: count })
      .describe('the entries [firstSeq, endSeq) of the log; completeness is by these numbers, not by the times'),
    log: z
      .object({ origin: name, size: count, root: sha256, key: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/) })
      .describe('the checkpoint that the pack is proved against, and the fingerprint of the key that signed it'),
    counts: z
      .object({
        promoted: count,
        rolledBack: count,
        blocked: count,
        aborted: count,
        failed: count,
        rejected: count.describe('refused by an approver'),
        overridden: count.describe('promoted by a person although the evidence did not suffice'),
        breakGlass: count.describe('promoted without the approval that the policy asks for'),
        breakGlassUnreviewed: count.describe('of these, not reviewed since'),
      })
      .describe('decisions of the window'),
    decisions: z.array(decisionSchema).describe('in the order of the log; every outcome, not only promotions'),
  })
  .describe('What a lukhas evidence pack holds. Ignore unknown fields.');

const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.object({ name, digest: z.object({ sha256 }) })).min(1),
  predicateType: z.literal(EVIDENCE_PREDICATE_TYPE),
  predicate: predicateSchema,
});

export type EvidencePredicate = z.output<typeof predicateSchema>;
export type EvidenceStatement = z.output<typeof statementSchema>;
export type StatedDecision = z.output<typeof decisionSchema>;

/**
 * The bytes of an in-toto Statement v1 (https://github.com/in-toto/attestation): the payload of an envelope. The same
 * subjects and predicate give the same bytes.
 * @throws LukhasError VERIFICATION when they do not make a statement
 */
export function formatStatement(subjects: readonly StatementSubject[], predicate: EvidencePredicate): Buffer {
  const statement = statementObject(subjects, predicate);
  // As it is read: in the order of the schema, whatever the order of the object that was given.
  return Buffer.from(JSON.stringify(parseInput(statementSchema, statement, 'statement', 'VERIFICATION')));
}

/**
 * Checks a payload that was parsed; fields that are not known are dropped.
 * @throws LukhasError VERIFICATION: which field, and why
 */
export function parseStatement(statement: unknown): EvidenceStatement {
  return parseInput(statementSchema, statement, 'statement', 'VERIFICATION');
}

/** The same for one of its decisions, the one with the number `index`. @throws LukhasError VERIFICATION */
export function parseDecision(decision: unknown, index: number): StatedDecision {
  return parseInput(decisionSchema, decision, `statement: predicate.decisions[${index}]`, 'VERIFICATION');
}

/** JSON Schema 2020-12 of the predicate; stands in docs/schemas/evidence-pack-v1.schema.json. */
export function predicateJsonSchema(): object {
  return { $id: EVIDENCE_PREDICATE_TYPE, ...z.toJSONSchema(predicateSchema, { io: 'input', target: 'draft-2020-12' }) };
}
