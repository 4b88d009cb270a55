import type { Policy, Verdict } from '../judge/index.js';

/** Who asked, and how that is known. */
export interface Actor {
  who: string;
  /**
   * `os-user`: the account that ran the command; `api-key`: a key of the daemon, named by its fingerprint; `loopback`: a
   * client of a daemon without keys; `lukhas`: the product itself.
   */
  how: 'os-user' | 'api-key' | 'loopback' | 'lukhas';
}

export const CANARY_STATES = ['PENDING', 'RUNNING', 'PROMOTED', 'ROLLED_BACK', 'BLOCKED', 'ABORTED', 'FAILED'] as const;
export type CanaryState = (typeof CANARY_STATES)[number];

export type HookAction = 'promote' | 'rollback';

/**
 * Why a job has no result: its program ended with another code than 0 (`exit`), could not be started (`start`), took too
 * long (`timeout`), was stopped by somebody (`cancelled`), ended without metrics that can be read (`metrics`), or the
 * process that ran it died (`lost`).
 */
export type JobFailure = 'exit' | 'start' | 'timeout' | 'cancelled' | 'metrics' | 'lost';

/** What a job's program wrote on stdout and stderr together. */
export interface JobOutput {
  /** Everything it wrote, also what was not kept. */
  bytes: number;
  /** The newest of it, valid UTF-8, at most 8 KiB. */
  tail: string;
  truncated: boolean;
}

/**
 * What each kind of event says. A kind's meaning never changes: a new shape gets a new `v`.
 * Times inside data are ms since the epoch; the event's own `ts` is RFC 3339 UTC.
 */
export interface EventData {
  'canary.requested': {
    modelId: string;
    fromGate: string;
    toGate: string;
    policy: Policy;
    /** sha256 of the policy's canonical bytes, hex. */
    policyDigest: string;
    /** SourceDescriptor: no secret in it. */
    source: Record<string, unknown>;
    dryRun: boolean;
    requestedBy: Actor;
    /** What a first look at the source found, and what was accepted, one line each; left out where nobody looked. */
    notes?: string[];
  };
  'canary.started': { startedAt: number };
  'canary.extended': { tick: number; windowEndsAt: number; reason: string };
  /** Rollback evidence held back because the baseline shows the same incident. */
  'canary.held': { tick: number; objective: string };
  'fallback.engaged': { tick: number; since: number; total: boolean; states: Record<string, string> };
  'fallback.released': { tick: number; seconds: number };
  'canary.decided': {
    verdict: Verdict;
    /** Exactly the rows that were judged: sha256 over their canonical lines, each followed by \n, hex. */
    observations: { count: number; firstAt: number | null; lastAt: number | null; digest: string };
  };
  /** Hooks and registry have caught up with the decision, or a hook failed (`ok: false`: may be tried again). */
  'canary.acted': { action: HookAction; ok: boolean; failed: string | null; hooks: number };
  /** An operator asks for the failed hooks to be called again. */
  'canary.retried': { by: Actor; action: HookAction };
  'canary.aborted': { by: Actor; reason: string };
  'canary.overridden': { by: Actor; reason: string };
  'canary.failed': { code: string; message: string };
  'hook.intended': { action: HookAction; hook: string; index: number; attempt: number; key: string };
  'hook.finished': {
    action: HookAction;
    hook: string;
    index: number;
    attempt: number;
    ok: boolean;
    detail: string;
    durationMs: number;
  };
  /** A gate's holder changed; subject is `gate:<name>`. */
  'gate.changed': { gate: string; modelId: string; previous: string | null; canaryId: string | null; by: Actor };
  /** Somebody asks for a model to hold a gate on evidence that is there already; subject is the promotion's id. */
  'promotion.requested': {
    modelId: string;
    gate: string;
    fromGate: string;
    /** Holder of the gate at that time. */
    previous: string | null;
    /** The canary that proved it; null where the configuration asks for none. */
    canaryId: string | null;
    requestedBy: Actor;
  };
  'promotion.finished': { ok: boolean; failed: string | null; hooks: number; changed: boolean };
  'job.queued': {
    taskId: string;
    configId: string | null;
    dryRun: boolean;
    /** Program and arguments as they will be run; null for a built-in task. */
    command: string[] | null;
    timeoutSeconds: number;
    requestedBy: Actor;
  };
  'job.running': { pid: number | null; processStartedAt: string | null };
  'job.completed': {
    durationMs: number;
    exitCode: number | null;
    metrics: Record<string, number | string | boolean | null> | null;
    output: JobOutput | null;
  };
  'job.failed': {
    reason: JobFailure;
    message: string;
    durationMs: number | null;
    exitCode: number | null;
    output: JobOutput | null;
    /** Who cancelled it. */
    by: Actor | null;
  };
  /** An evidence pack was asked for and did not come to its end; the entries are those it was to hold, null: none were chosen yet. */
  'evidence.failed': {
    by: Actor;
    from: number | null;
    to: number | null;
    reason: 'interrupted' | 'error';
    message: string;
  };
  /** One person's approval of a promotion that the policy asks approvals for. */
  'canary.approved': {
    by: Actor;
    reason: string;
    /** sha256 of what is approved, hex: canary, gates, model, policy, evidence, and the holder of the gate below. */
    digest: string;
    /** The gate as it was then: its holder, and the entry that made it so (-1: no model has held it). */
    gate: { holder: string | null; seq: number };
    /** Valid approvals of this digest by different people with this one, and how many are needed. */
    count: number;
    required: number;
  };
  /** A person refuses the promotion: it is over. */
  'canary.rejected': { by: Actor; reason: string };
  /**
   * Approvals were complete, but before it was carried out the gate had changed or the time had run out. `begun`: hooks had
   * been called, so that nobody knows what calling the others would come to: it is over.
   */
  'canary.lapsed': { cause: 'gate' | 'time'; holder: string | null; begun: boolean };
  /** Break-glass: a person promotes without the approvals that the policy asks for; another has to review it. */
  'canary.forced': { by: Actor; reason: string; reviewDueAt: number };
  /** Another person has reviewed a break-glass promotion. */
  'canary.reviewed': { by: Actor; reason: string };
  /**
   * All observations of a canary that has ended were deleted on purpose, in the transaction of this entry: how many they
   * were, and the SHA-256 over their lines, which were compared with the verdict first.
   */
  'canary.pruned': { by: Actor; olderThanDays: number; observations: { count: number; digest: string } };
  /** The database was maintained; what it came to. Subject of this and the next two: `database`. */
  'maintenance.finished': {
    by: Actor;
    /** Canaries whose observations were pruned, and how many observations those were. */
    canaries: number;
    observations: number;
    /** Bytes given back to the file system. */
    freedBytes: number;
    durationMs: number;
  };
  /** An encrypted copy of the database was written. */
  'backup.made': {
    by: Actor;
    /** The file's name, without its folder; null: given to a program. */
    file: string | null;
    /** Of the encrypted copy. */
    bytes: number;
    sha256: string;
    /** Entries in the copy, and the root hash of its log, hex. */
    size: number;
    root: string;
    durationMs: number;
  };
  /** This log is a copy that took the place of another database. */
  'backup.restored': {
    by: Actor;
    /** Of the encrypted copy. */
    sha256: string;
    /** Entries in the copy, and the root hash of its log, hex. */
    size: number;
    root: string;
    /** Entries of the log that it replaced; null: there was none, or it could not be read. */
    replaced: number | null;
  };
}

export type EventKind = keyof EventData;

export type EventDraft = {
  [K in EventKind]: { kind: K; subject: string; ts: string; data: EventData[K] };
}[EventKind];

export type StoredEvent = {
  [K in EventKind]: {
    seq: number;
    kind: K;
    v: number;
    subject: string;
    ts: string;
    data: EventData[K];
  };
}[EventKind];
