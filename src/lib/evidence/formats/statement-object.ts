/** `payloadType` of a DSSE envelope around a Statement. */
export const STATEMENT_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** A URI, as in-toto requires, with our own scheme: it names the format and cannot be opened. */
export const EVIDENCE_PREDICATE_TYPE = 'lukhas:evidence-pack/v1';

/** A file that the statement is about. */
export interface StatementSubject {
  name: string;
  /** Hex, lower case. */
  sha256: string;
}

/**
 * An in-toto Statement v1 (https://github.com/in-toto/attestation), its own members in the order of the schema. In a file of
 * its own, so that writing a statement does not load the schema.
 * @param predicate an EvidencePredicate
 */
export function statementObject(subjects: readonly StatementSubject[], predicate: object): object {
  return {
    _type: STATEMENT_TYPE,
    subject: subjects.map((subject) => ({ name: subject.name, digest: { sha256: subject.sha256 } })),
    predicateType: EVIDENCE_PREDICATE_TYPE,
    predicate,
  };
}
