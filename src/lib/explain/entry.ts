import type { StoredEvent } from '../ledger/index.js';
import { type FoundEvent, isFound, unhandled } from '../readings/index.js';
import { why } from './cause.js';
import { howSure } from './certainty.js';
import { moment, seconds } from './words.js';

/** What an entry of the log says: in a few words, then in lines of more. Not yet fit to be shown: `oneLine` makes it so. */
export interface EntryWords {
  what: string;
  lines: string[];
}

const DECISIONS = { promote: 'promote', rollback: 'roll back', block: 'block', continue: 'block' } as const;

/** An entry in words; pure. */
export function entryWords(event: StoredEvent): EntryWords {
  return isFound(event) ? decisionWords(event) : { what: stepWords(event), lines: [] };
}

/** Who did it; null: lukhas itself. */
export function whoOf({ data }: StoredEvent): string | null {
  const actor = 'by' in data ? data.by : 'requestedBy' in data ? data.requestedBy : null;
  return actor === null || actor.how === 'lukhas' ? null : actor.who;
}

/** A decision, an act of a person or a change of a gate. */
export function decisionWords(event: FoundEvent): EntryWords {
  switch (event.kind) {
    case 'canary.decided': {
      const { verdict } = event.data;
      return {
        what: `decided to ${DECISIONS[verdict.decision]}`,
        lines: [`${why(verdict)}; ${howSure(verdict)}.`],
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

/** A step on the way. */
function stepWords(event: Exclude<StoredEvent, FoundEvent>): string {
  switch (event.kind) {
    case 'canary.requested': {
      const { modelId, fromGate, toGate, dryRun } = event.data;
      return `requested ${modelId} ${fromGate} -> ${toGate}${dryRun ? ' (dry run)' : ''}`;
    }
    case 'canary.started':
      return 'window started';
    case 'canary.extended':
      return `window extended to ${moment(event.data.windowEndsAt)}`;
    case 'canary.held':
      return `held: the baseline misses the same target (${event.data.objective})`;
    case 'fallback.engaged':
      return `data missing since ${moment(event.data.since)}`;
    case 'fallback.released':
      return `data again after ${seconds(event.data.seconds)}`;
    case 'canary.acted': {
      const { action, ok, failed } = event.data;
      return ok ? `${action} complete` : `${action} not complete: ${failed ?? 'failed'}`;
    }
    case 'canary.retried':
      return `${event.data.action} tried again`;
    case 'hook.intended':
      return `calls hook ${event.data.hook}, attempt ${event.data.attempt}`;
    case 'hook.finished': {
      const { hook, ok, detail } = event.data;
      return `hook ${hook} ${ok ? 'finished' : 'failed'}: ${detail}`;
    }
    case 'promotion.requested':
      return `requested ${event.data.modelId} for ${event.data.gate}`;
    case 'promotion.finished': {
      const { ok, changed, failed } = event.data;
      return ok ? (changed ? 'promoted' : 'unchanged') : `failed: ${failed ?? ''}`;
    }
    case 'job.queued':
      return `queued ${event.data.taskId}`;
    case 'job.running':
      return 'running';
    case 'job.completed':
      return `completed after ${seconds(event.data.durationMs / 1000)}`;
    case 'job.failed':
      return `failed (${event.data.reason}): ${event.data.message}`;
    case 'evidence.failed':
      return `export failed: ${event.data.message}`;
    case 'canary.pruned':
      return `${event.data.observations.count} observations pruned by retention (older than ${event.data.olderThanDays} days)`;
    case 'maintenance.finished':
      return `database maintained: ${event.data.observations} observations of ${event.data.canaries} canaries pruned`;
    case 'backup.made':
      return `backup of ${event.data.size} entries: ${event.data.file ?? 'given to a program'}`;
    case 'backup.restored':
      return `restored from a backup of ${event.data.size} entries`;
    default:
      return unhandled(event);
  }
}
