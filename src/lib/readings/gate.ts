import type { Actor, EventData, StoredEvent, SubjectSummary, SummaryDraft } from '../ledger/index.js';

/** One change of a gate's holder. */
export interface GateChange {
  seq: number;
  /** RFC 3339 UTC. */
  ts: string;
  modelId: string;
  previous: string | null;
  /** The canary that decided it; null when a person set it. */
  canaryId: string | null;
  by: Actor;
}

/** The listing's row of a gate after a change; also what rebuilds it from the log. */
export function gateSummary(change: EventData['gate.changed']): SummaryDraft {
  const { gate, modelId, previous, canaryId } = change;
  return {
    subject: gateSubject(gate),
    type: 'gate',
    state: 'held',
    modelId,
    open: false,
    data: { gate, previous, canaryId },
  };
}

export function changeOf(event: StoredEvent): GateChange | null {
  if (event.kind !== 'gate.changed') return null;
  const { modelId, previous, canaryId, by } = event.data;
  return { seq: event.seq, ts: event.ts, modelId, previous, canaryId, by };
}

/** The subject of a gate's entries in the log. */
export function gateSubject(gate: string): string {
  return `gate:${gate}`;
}

export function gateName(head: SubjectSummary): string {
  return head.subject.slice('gate:'.length);
}
