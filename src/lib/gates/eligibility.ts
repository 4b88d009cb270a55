import { LukhasError } from '../errors.js';
import type { CanaryOutcome } from '../readings/index.js';
import { foldPromotion } from '../readings/index.js';
import { evidenceOf, provenOutcome } from './evidence.js';
import type { ProvenIndex } from './proven-index.js';
import { gateHistory } from './registry.js';

/** What a request for a promotion meets. */
export type Eligibility =
  /** A promotion of this model into this gate is under way. */
  | { kind: 'open'; id: string }
  /** The model holds the gate. */
  | { kind: 'held' }
  /** Nothing proves it, and nothing may go without. */
  | { kind: 'refused'; error: LukhasError }
  /** `evidence` null: the configuration asks for none. */
  | { kind: 'allowed'; evidence: CanaryOutcome | null; previous: string | null; gateSeq: number };

/**
 * Reads what a request to promote this model into this gate meets now; writes nothing. Everything that it depends on is
 * taken from proved entries: rows of listings are not asked.
 * @throws LukhasError LEDGER_CORRUPT
 */
export async function eligibilityOf(
  index: ProvenIndex,
  modelId: string,
  gate: string,
  requireCanary: boolean,
): Promise<Eligibility> {
  const open = await openPromotion(index, modelId, gate);
  if (open !== null) return { kind: 'open', id: open };
  await index.proveGate(gate);
  const [holding] = await gateHistory(index.ledger, gate, { limit: 1, newest: true });
  if (holding?.modelId === modelId) return { kind: 'held' };
  const { open: running, last } = await evidenceOf(index, modelId, gate);
  const allowed = { kind: 'allowed', previous: holding?.modelId ?? null, gateSeq: holding?.seq ?? -1 } as const;
  if (running !== null) {
    const { canaryId, state } = running;
    return refused(modelId, gate, `its canary ${canaryId} is ${state} and not finished`, [
      `Check its state: lukhas canary status ${canaryId}`,
      `If no process drives it, resume it: lukhas canary resume ${canaryId}`,
    ]);
  }
  // That nobody has looked may be permitted; that somebody has looked and found it bad is no lack of evidence, and
  // neither is one that people have to approve a way around them.
  const barred = last !== null && (last.state === 'ROLLED_BACK' || last.approvals);
  if (last?.proves || !(requireCanary || barred)) {
    if (last !== null) await provenOutcome(index, last.canaryId);
    return { ...allowed, evidence: last?.proves ? last : null };
  }
  return refused(modelId, gate, last === null ? 'no canary has proved it' : against(last), [
    ...(last === null ? [] : [`Why: lukhas why ${last.canaryId}`]),
    `Start a canary: lukhas canary start --model ${modelId} --from GATE --to ${gate}`,
    ...(barred ? [] : [PERMIT]),
  ]);
}

/** The newest promotion of this model into this gate that has not come to its end. */
async function openPromotion(index: ProvenIndex, modelId: string, gate: string): Promise<string | null> {
  await index.catchUp();
  for (const id of index.promotions(modelId, gate).toReversed()) {
    const promotion = foldPromotion(await index.events(id));
    if (promotion?.result === null) return id;
  }
  return null;
}

/** On what a promotion stands, as the end of a sentence. */
export function evidenceSentence(canaryId: string | null): string {
  return canaryId === null ? 'without evidence, as the configuration allows' : `on the evidence of canary ${canaryId}`;
}

const PERMIT = 'Or allow promotions without evidence in lukhas.yaml: promotion: {requireCanary: false}';

function against({ canaryId, state, approvals }: CanaryOutcome): string {
  if (approvals && state === 'PROMOTED')
    return `its newest canary for this gate, ${canaryId}, requires approvals: only approving that canary promotes it`;
  const what = state === 'PROMOTED' ? 'was promoted without proof, as its policy allows' : `ended as ${state}`;
  return `its newest canary for this gate, ${canaryId}, ${what}`;
}

function refused(modelId: string, gate: string, why: string, suggestions: readonly string[]): Eligibility {
  const error = new LukhasError('NO_EVIDENCE', `${modelId} cannot be promoted to ${gate}: ${why}`, { suggestions });
  return { kind: 'refused', error };
}
