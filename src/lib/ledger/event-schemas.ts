import { z } from 'zod';
import { LukhasError } from '../errors.js';
import type { EventDraft, EventKind } from './events.js';

const text = z.string().min(1);
const ms = z.number();
const count = z.int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in hex');
const action = z.enum(['promote', 'rollback']);
const output = z.strictObject({ bytes: count, tail: z.string().max(8192), truncated: z.boolean() }).nullable();
const actor = z.strictObject({ who: text, how: z.enum(['os-user', 'api-key', 'loopback', 'lukhas']) });

/** Policy and verdict are built by the judge's own types; here only what readers of the log rely on. */
const policy = z.looseObject({
  version: z.literal(1),
  windowSeconds: z.number().positive(),
  intervalSeconds: z.number().positive(),
  targets: z.looseObject({}),
  alpha: z.looseObject({ rollback: z.number(), promote: z.number() }),
});
const verdict = z.looseObject({
  judge: z.int(),
  decision: z.enum(['continue', 'promote', 'rollback', 'block']),
  certainty: z.enum(['certified', 'uncertified', 'undecided']),
  reason: text,
  decidedBy: z.string().nullable(),
  tick: z.int(),
  at: ms,
  startedAt: ms,
  objectives: z.array(z.looseObject({ type: z.enum(['rate', 'drift', 'reading']), name: text })),
});

const SCHEMAS: { readonly [K in EventKind]: z.ZodType } = {
  'canary.requested': z.strictObject({
    modelId: text,
    fromGate: text,
    toGate: text,
    policy,
    policyDigest: digest,
    source: z.looseObject({ kind: text }),
    dryRun: z.boolean(),
    requestedBy: actor,
    notes: z.array(text.max(2000)).max(100).optional(),
  }),
  'canary.started': z.strictObject({ startedAt: ms }),
  'canary.extended': z.strictObject({ tick: count, windowEndsAt: ms, reason: text }),
  'canary.held': z.strictObject({ tick: count, objective: text }),
  'fallback.engaged': z.strictObject({
    tick: count,
    since: ms,
    total: z.boolean(),
    states: z.record(z.string(), z.string()),
  }),
  'fallback.released': z.strictObject({ tick: count, seconds: z.number().min(0) }),
  'canary.decided': z.strictObject({
    verdict,
    observations: z.strictObject({ count, firstAt: ms.nullable(), lastAt: ms.nullable(), digest }),
  }),
  'canary.acted': z.strictObject({ action, ok: z.boolean(), failed: z.string().nullable(), hooks: count }),
  'canary.retried': z.strictObject({ by: actor, action }),
  'canary.aborted': z.strictObject({ by: actor, reason: z.string() }),
  'canary.overridden': z.strictObject({ by: actor, reason: text }),
  'canary.failed': z.strictObject({ code: text, message: text }),
  'hook.intended': z.strictObject({ action, hook: text, index: count, attempt: count, key: text }),
  'hook.finished': z.strictObject({
    action,
    hook: text,
    index: count,
    attempt: count,
    ok: z.boolean(),
    detail: z.string(),
    durationMs: z.number().min(0),
  }),
  'gate.changed': z.strictObject({
    gate: text,
    modelId: text,
    previous: z.string().nullable(),
    canaryId: z.string().nullable(),
    by: actor,
  }),
  'promotion.requested': z.strictObject({
    modelId: text,
    gate: text,
    fromGate: z.string(),
    previous: z.string().nullable(),
    canaryId: z.string().nullable(),
    requestedBy: actor,
  }),
  'promotion.finished': z.strictObject({
    ok: z.boolean(),
    failed: z.string().nullable(),
    hooks: count,
    changed: z.boolean(),
  }),
  'job.queued': z.strictObject({
    taskId: text,
    configId: z.string().nullable(),
    dryRun: z.boolean(),
    command: z.array(z.string()).min(1).nullable(),
    timeoutSeconds: z.number().positive(),
    requestedBy: actor,
  }),
  'job.running': z.strictObject({ pid: count.nullable(), processStartedAt: z.string().nullable() }),
  'job.completed': z.strictObject({
    durationMs: z.number().min(0),
    exitCode: z.int().nullable(),
    metrics: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])).nullable(),
    output,
  }),
  'job.failed': z.strictObject({
    reason: z.enum(['exit', 'start', 'timeout', 'cancelled', 'metrics', 'lost']),
    message: text,
    durationMs: z.number().min(0).nullable(),
    exitCode: z.int().nullable(),
    output,
    by: actor.nullable(),
  }),
  'evidence.failed': z.strictObject({
    by: actor,
    from: count.nullable(),
    to: count.nullable(),
    reason: z.enum(['interrupted', 'error']),
    message: text,
  }),
  'canary.approved': z.strictObject({
    by: actor,
    reason: text,
    digest,
    gate: z.strictObject({ holder: z.string().nullable(), seq: z.int().min(-1) }),
    count: z.int().min(1),
    required: z.int().min(1),
  }),
  'canary.rejected': z.strictObject({ by: actor, reason: text }),
  'canary.lapsed': z.strictObject({
    cause: z.enum(['gate', 'time']),
    holder: z.string().nullable(),
    begun: z.boolean(),
  }),
  'canary.forced': z.strictObject({ by: actor, reason: text, reviewDueAt: ms }),
  'canary.reviewed': z.strictObject({ by: actor, reason: text }),
  'canary.pruned': z.strictObject({
    by: actor,
    olderThanDays: z.number().min(0),
    observations: z.strictObject({ count: z.int().min(1), digest }),
  }),
  'maintenance.finished': z.strictObject({
    by: actor,
    canaries: count,
    observations: count,
    freedBytes: count,
    durationMs: z.number().min(0),
  }),
  'backup.made': z.strictObject({
    by: actor,
    file: text.nullable(),
    bytes: count,
    sha256: digest,
    size: count,
    root: digest,
    durationMs: z.number().min(0),
  }),
  'backup.restored': z.strictObject({
    by: actor,
    sha256: digest,
    size: count,
    root: digest,
    replaced: count.nullable(),
  }),
};

const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

/** @throws LukhasError USAGE with the first thing that does not fit the event's kind */
export function checkEvent({ kind, subject, ts, data }: EventDraft): void {
  const schema: z.ZodType | undefined = Object.hasOwn(SCHEMAS, kind) ? SCHEMAS[kind] : undefined;
  if (schema === undefined) throw invalid(kind, subject, 'unknown kind');
  if (typeof subject !== 'string' || subject === '') throw invalid(kind, subject, 'the subject is empty');
  if (!RFC3339_UTC.test(ts)) throw invalid(kind, subject, `ts is not RFC 3339 in UTC: ${ts}`);
  const issue = schema.safeParse(data).error?.issues[0];
  if (issue !== undefined) throw invalid(kind, subject, `${['data', ...issue.path].join('.')}: ${issue.message}`);
}

function invalid(kind: string, subject: string, why: string): LukhasError {
  return new LukhasError('USAGE', `The event ${kind} of ${subject} cannot be recorded: ${why}`);
}
