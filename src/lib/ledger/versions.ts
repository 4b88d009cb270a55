import { LukhasError } from '../errors.js';
import type { EventDraft, EventKind, StoredEvent } from './events.js';
import { misshapen } from './shapes.js';

/** Brings the data of one version of a kind to the next version. */
export type Upgrade = (data: unknown) => unknown;

/** For each kind: how version 1 becomes 2, 2 becomes 3, and so on. A kind's version is one more than it has upgrades. */
export type Upgrades = { readonly [K in EventKind]: readonly Upgrade[] };

/** A new shape of a kind is a new upgrade here; `EventData` and the schema then have the new shape alone. */
export const UPGRADES: Upgrades = {
  'canary.requested': [],
  'canary.started': [],
  'canary.extended': [],
  'canary.held': [],
  'fallback.engaged': [],
  'fallback.released': [],
  'canary.decided': [],
  'canary.acted': [],
  'canary.retried': [],
  'canary.aborted': [],
  'canary.overridden': [],
  'canary.failed': [],
  'hook.intended': [],
  'hook.finished': [],
  'gate.changed': [],
  'promotion.requested': [],
  'promotion.finished': [],
  'job.queued': [],
  'job.running': [],
  'job.completed': [],
  'job.failed': [],
  'evidence.failed': [],
  'canary.approved': [],
  'canary.rejected': [],
  'canary.lapsed': [],
  'canary.forced': [],
  'canary.reviewed': [],
  'canary.pruned': [],
  'maintenance.finished': [],
  'backup.made': [],
  'backup.restored': [],
};

/** Every kind of entry. */
export const EVENT_KINDS = Object.keys(UPGRADES) as readonly EventKind[];

/** Version in which a kind is recorded. */
export function versionOf(kind: EventKind, upgrades: Upgrades = UPGRADES): number {
  return upgrades[kind].length + 1;
}

/** Whether this version can read an entry of this kind and version. */
export function isReadable(kind: string, v: number): boolean {
  return Object.hasOwn(UPGRADES, kind) && v <= versionOf(kind as EventKind);
}

/** An entry as it will stand in the log. */
export function asStored<K extends EventKind>(
  draft: Extract<EventDraft, { kind: K }>,
  seq: number,
): Extract<StoredEvent, { kind: K }> {
  return { ...draft, seq, v: versionOf(draft.kind) } as Extract<StoredEvent, { kind: K }>;
}

/**
 * A recorded entry in the shape that this version works with: the one way by which entries reach their readers.
 * @param entry as parsed from its recorded bytes
 * @throws LukhasError LEDGER_TOO_NEW for a kind or version that is not known here; LEDGER_CORRUPT for no version at all
 */
export function upgraded(entry: StoredEvent, upgrades: Upgrades = UPGRADES): StoredEvent {
  const { kind, v } = entry;
  const steps: readonly Upgrade[] | undefined = Object.hasOwn(upgrades, kind) ? upgrades[kind] : undefined;
  if (steps !== undefined && v === steps.length + 1) return shaped(entry);
  if (!Number.isSafeInteger(v) || v < 1) {
    throw new LukhasError('LEDGER_CORRUPT', `Log entry ${entry.seq} (${kind}) has no valid version: ${String(v)}`, {
      suggestions: ['Run `lukhas verify --db FILE` to see what is damaged.'],
    });
  }
  if (steps === undefined || v > steps.length + 1) {
    const known = steps === undefined ? 'does not know this kind' : `knows version ${steps.length + 1}`;
    throw new LukhasError(
      'LEDGER_TOO_NEW',
      `Log entry ${entry.seq} was written by a newer lukhas: ${kind} version ${v}, and this lukhas ${known}`,
      { suggestions: ['Upgrade lukhas, then run the command again.'] },
    );
  }
  const data = steps.slice(v - 1).reduce<unknown>((before, upgrade) => upgrade(before), entry.data);
  return shaped({ ...entry, v: steps.length + 1, data } as StoredEvent);
}

function shaped(entry: StoredEvent): StoredEvent {
  const wrong = misshapen(entry.kind, entry.data);
  if (wrong === null) return entry;
  throw new LukhasError('LEDGER_CORRUPT', `Log entry ${entry.seq} (${entry.kind}) is malformed: ${wrong}`, {
    suggestions: ['Run `lukhas verify --db FILE` to see what is damaged.'],
  });
}
