import type { CanaryState, EventKind, StoredEvent } from '../ledger/index.js';

/** Whose story an entry belongs to; `hook`: of the canary or promotion that called it; `log`: of the log itself. */
type About = 'canary' | 'hook' | 'promotion' | 'gate' | 'job' | 'log';

interface Meaning {
  about: About;
  /** States of a canary in which it may come; empty: only first. Of canaries and their hooks. */
  canary?: readonly CanaryState[];
  /** It ends a canary, or changes how it has ended. */
  decision?: true;
  /** It is found by itself in a search, beside what it is about. */
  found?: true;
  /** It ends the time in which readings are taken. */
  endsWindow?: true;
  /** After it nothing is to be carried out on a gate. */
  idle?: true;
  /** After it nothing of the canary, promotion or job is under way any more. */
  ends?: true;
  /** What a person does by it: "cannot be ...". */
  verb?: string;
}

const OVER = ['PROMOTED', 'ROLLED_BACK'] as const;

/**
 * What each kind of entry means. A new kind begins here; what has to speak of it by itself (the folds below, explain/,
 * the stream, the search) does not compile until it does.
 */
const MEANINGS = {
  'canary.requested': { about: 'canary', canary: [], idle: true },
  'canary.started': { about: 'canary', canary: ['PENDING'], idle: true },
  'canary.extended': { about: 'canary', canary: ['RUNNING'], idle: true },
  'canary.held': { about: 'canary', canary: ['RUNNING'], idle: true },
  'fallback.engaged': { about: 'canary', canary: ['PENDING', 'RUNNING'], idle: true },
  'fallback.released': { about: 'canary', canary: ['RUNNING'], idle: true },
  'canary.decided': { about: 'canary', canary: ['RUNNING'], decision: true, found: true, endsWindow: true },
  'canary.acted': { about: 'canary', canary: OVER, idle: true, ends: true },
  'canary.retried': { about: 'canary', canary: OVER },
  'canary.aborted': {
    about: 'canary',
    canary: ['PENDING', 'RUNNING'],
    decision: true,
    found: true,
    endsWindow: true,
    ends: true,
    verb: 'aborted',
  },
  'canary.overridden': { about: 'canary', canary: ['BLOCKED'], decision: true, found: true, verb: 'promoted by hand' },
  'canary.failed': {
    about: 'canary',
    canary: ['PENDING', 'RUNNING'],
    decision: true,
    found: true,
    endsWindow: true,
    ends: true,
  },
  'canary.approved': { about: 'canary', canary: ['BLOCKED'], decision: true, found: true, verb: 'approved' },
  'canary.rejected': {
    about: 'canary',
    canary: ['BLOCKED'],
    decision: true,
    found: true,
    ends: true,
    verb: 'rejected',
  },
  'canary.lapsed': { about: 'canary', canary: ['PROMOTED'], decision: true, found: true, ends: true },
  'canary.forced': {
    about: 'canary',
    canary: ['BLOCKED'],
    decision: true,
    found: true,
    verb: 'promoted by break-glass',
  },
  'canary.reviewed': { about: 'canary', canary: ['PROMOTED'], found: true, verb: 'reviewed' },
  'canary.pruned': {
    about: 'canary',
    canary: ['PROMOTED', 'ROLLED_BACK', 'BLOCKED', 'ABORTED', 'FAILED'],
    idle: true,
    ends: true,
  },
  'hook.intended': { about: 'hook', canary: OVER },
  'hook.finished': { about: 'hook', canary: OVER },
  'gate.changed': { about: 'gate', idle: true, found: true },
  'promotion.requested': { about: 'promotion' },
  'promotion.finished': { about: 'promotion', idle: true, ends: true },
  'job.queued': { about: 'job', idle: true },
  'job.running': { about: 'job', idle: true },
  'job.completed': { about: 'job', ends: true },
  'job.failed': { about: 'job', ends: true },
  'evidence.failed': { about: 'log' },
  'maintenance.finished': { about: 'log' },
  'backup.made': { about: 'log' },
  'backup.restored': { about: 'log' },
} as const satisfies { readonly [K in EventKind]: Meaning };

type Meanings = typeof MEANINGS;
type KindWith<M> = { [K in EventKind]: Meanings[K] extends M ? K : never }[EventKind];

export type EventOf<K extends EventKind> = Extract<StoredEvent, { kind: K }>;

/** Entries of a canary's story, hooks among them. */
export type CanaryEvent = EventOf<KindWith<{ about: 'canary' | 'hook' }>>;
export type JobEvent = EventOf<KindWith<{ about: 'job' }>>;
export type PromotionEvent = EventOf<KindWith<{ about: 'promotion' | 'hook' }>>;
/** Kinds that end a canary, or change how it has ended. */
export type DecisionKind = KindWith<{ decision: true }>;
export type DecisionEvent = EventOf<DecisionKind>;
/** Entries that a search finds by themselves. */
export type FoundEvent = EventOf<KindWith<{ found: true }>>;

export function meaningOf(kind: EventKind): Meaning {
  return MEANINGS[kind];
}

function kindsWith<K extends EventKind>(is: (meaning: Meaning) => boolean): readonly K[] {
  return (Object.keys(MEANINGS) as EventKind[]).filter((kind) => is(MEANINGS[kind])) as K[];
}

export const DECISION_KINDS = kindsWith<DecisionKind>(({ decision }) => decision === true);
/** The newest entry of a subject for which nothing is to be carried out on a gate. */
export const IDLE_KINDS = kindsWith<EventKind>(({ idle }) => idle === true);
/** The newest entry of a subject that nobody has to drive. A forced promotion may be reviewed before it is carried out. */
export const ENDED_KINDS = kindsWith<EventKind>(({ ends }) => ends === true);
export const JOB_KINDS = kindsWith<JobEvent['kind']>(({ about }) => about === 'job');

export function isCanaryEvent(event: StoredEvent): event is CanaryEvent {
  const { about } = meaningOf(event.kind);
  return about === 'canary' || about === 'hook';
}

export function isJobEvent(event: StoredEvent): event is JobEvent {
  return meaningOf(event.kind).about === 'job';
}

export function isPromotionEvent(event: StoredEvent): event is PromotionEvent {
  const { about } = meaningOf(event.kind);
  return about === 'promotion' || about === 'hook';
}

export function isDecision(event: StoredEvent): event is DecisionEvent {
  return meaningOf(event.kind).decision === true;
}

/** Whether a search finds the entry by itself. */
export function isFound(event: StoredEvent): event is FoundEvent {
  return meaningOf(event.kind).found === true;
}

/** Whether no reading is taken for the canary after it. */
export function endsWindow(event: StoredEvent): boolean {
  return meaningOf(event.kind).endsWindow === true;
}

/** For the end of a switch: a kind that it does not name does not compile. */
export function unhandled(event: never): never {
  throw new Error(`unhandled kind of entry: ${(event as StoredEvent).kind}`);
}
