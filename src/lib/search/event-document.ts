import { howSure, objectiveLine, oneLine, why } from '../explain/index.js';
import type { Document, StoredEvent } from '../ledger/index.js';
import { type FoundEvent, factsOf, isFound, unhandled } from '../readings/index.js';
import { wayOf } from './canary-document.js';

const DECISIONS = { promote: 'promote', rollback: 'roll back', block: 'block', continue: 'block' } as const;

/** What an entry of the log is called: `fraud-v2 stage -> production: decided to roll back (entry 12 of c-m8k2x0)`. */
export function eventTitle(event: StoredEvent, request: StoredEvent | null): string {
  const facts = request && factsOf(event.subject, [request]);
  const what = isFound(event) ? found(event).what : event.kind;
  if (event.kind === 'gate.changed') return oneLine(`${what} (entry ${event.seq})`);
  return oneLine(`${facts ? `${wayOf(facts)}: ` : ''}${what} (entry ${event.seq} of ${event.subject})`);
}

/** A decision, an act of a person or a change of a gate as it can be found. */
export function eventDocument(event: FoundEvent, request: StoredEvent | null): Document {
  const said = found(event);
  return {
    id: `event:${event.seq}`,
    title: eventTitle(event, request),
    body: [...said.lines, `${event.kind}, ${event.ts}`].map(oneLine).join('\n'),
  };
}

function found(event: FoundEvent): { what: string; lines: string[] } {
  switch (event.kind) {
    case 'canary.decided': {
      const { verdict } = event.data;
      return {
        what: `decided to ${DECISIONS[verdict.decision]}`,
        lines: [`${why(verdict)}; ${howSure(verdict)}.`, ...verdict.objectives.map(objectiveLine)],
      };
    }
    case 'canary.overridden':
      return { what: `promoted by hand by ${event.data.by.who}`, lines: [event.data.reason] };
    case 'canary.approved': {
      const { by, reason, count, required } = event.data;
      return { what: `approved by ${by.who} (${count} of ${required})`, lines: [reason] };
    }
    case 'canary.rejected':
      return { what: `rejected by ${event.data.by.who}`, lines: [event.data.reason] };
    case 'canary.lapsed': {
      const cause = { gate: 'the gate changed', time: 'they expired' }[event.data.cause];
      return { what: 'approvals lapsed', lines: [`before the promotion was complete, ${cause}`] };
    }
    case 'canary.forced':
      return { what: `promoted by break-glass by ${event.data.by.who}`, lines: [event.data.reason] };
    case 'canary.reviewed':
      return { what: `break-glass reviewed by ${event.data.by.who}`, lines: [event.data.reason] };
    case 'canary.aborted':
      return { what: `aborted by ${event.data.by.who}`, lines: [event.data.reason] };
    case 'canary.failed':
      return { what: `failed (${event.data.code})`, lines: [event.data.message] };
    case 'gate.changed': {
      const { gate, modelId, previous, canaryId, by } = event.data;
      const before = previous === null ? '' : ` in place of ${previous}`;
      return {
        what: `gate ${gate}: ${modelId}${before}`,
        lines: [canaryId === null ? `set by ${by.who}` : `through canary ${canaryId}`],
      };
    }
    default:
      return unhandled(event);
  }
}
