import type { EventData, EventKind } from './events.js';

/** What a reader relies on of a member; `?` before it: it may be null; `~`: it may be missing. */
type Shape =
  | 'text'
  | 'number'
  | 'flag'
  | 'object'
  | 'list'
  | 'actor'
  | `?${'text' | 'number' | 'object' | 'list' | 'actor'}`
  | '~list';

/**
 * The members of each kind's data, as far as readers would fail without them. Entries are checked in full when they are
 * appended (event-schemas.ts); this is for what somebody else has put into the file, and costs no start-up.
 */
const SHAPES: { readonly [K in EventKind]: { readonly [M in keyof EventData[K]]-?: Shape } } = {
  'canary.requested': {
    modelId: 'text',
    fromGate: 'text',
    toGate: 'text',
    policy: 'object',
    policyDigest: 'text',
    source: 'object',
    dryRun: 'flag',
    requestedBy: 'actor',
    notes: '~list',
  },
  'canary.started': { startedAt: 'number' },
  'canary.extended': { tick: 'number', windowEndsAt: 'number', reason: 'text' },
  'canary.held': { tick: 'number', objective: 'text' },
  'fallback.engaged': { tick: 'number', since: 'number', total: 'flag', states: 'object' },
  'fallback.released': { tick: 'number', seconds: 'number' },
  'canary.decided': { verdict: 'object', observations: 'object' },
  'canary.acted': { action: 'text', ok: 'flag', failed: '?text', hooks: 'number' },
  'canary.retried': { by: 'actor', action: 'text' },
  'canary.aborted': { by: 'actor', reason: 'text' },
  'canary.overridden': { by: 'actor', reason: 'text' },
  'canary.failed': { code: 'text', message: 'text' },
  'hook.intended': { action: 'text', hook: 'text', index: 'number', attempt: 'number', key: 'text' },
  'hook.finished': {
    action: 'text',
    hook: 'text',
    index: 'number',
    attempt: 'number',
    ok: 'flag',
    detail: 'text',
    durationMs: 'number',
  },
  'gate.changed': { gate: 'text', modelId: 'text', previous: '?text', canaryId: '?text', by: 'actor' },
  'promotion.requested': {
    modelId: 'text',
    gate: 'text',
    fromGate: 'text',
    previous: '?text',
    canaryId: '?text',
    requestedBy: 'actor',
  },
  'promotion.finished': { ok: 'flag', failed: '?text', hooks: 'number', changed: 'flag' },
  'job.queued': {
    taskId: 'text',
    configId: '?text',
    dryRun: 'flag',
    command: '?list',
    timeoutSeconds: 'number',
    requestedBy: 'actor',
  },
  'job.running': { pid: '?number', processStartedAt: '?text' },
  'job.completed': { durationMs: 'number', exitCode: '?number', metrics: '?object', output: '?object' },
  'job.failed': {
    reason: 'text',
    message: 'text',
    durationMs: '?number',
    exitCode: '?number',
    output: '?object',
    by: '?actor',
  },
  'evidence.failed': { by: 'actor', from: '?number', to: '?number', reason: 'text', message: 'text' },
  'canary.approved': {
    by: 'actor',
    reason: 'text',
    digest: 'text',
    gate: 'object',
    count: 'number',
    required: 'number',
  },
  'canary.rejected': { by: 'actor', reason: 'text' },
  'canary.lapsed': { cause: 'text', holder: '?text', begun: 'flag' },
  'canary.forced': { by: 'actor', reason: 'text', reviewDueAt: 'number' },
  'canary.reviewed': { by: 'actor', reason: 'text' },
  'canary.pruned': { by: 'actor', olderThanDays: 'number', observations: 'object' },
  'maintenance.finished': {
    by: 'actor',
    canaries: 'number',
    observations: 'number',
    freedBytes: 'number',
    durationMs: 'number',
  },
  'backup.made': {
    by: 'actor',
    file: '?text',
    bytes: 'number',
    sha256: 'text',
    size: 'number',
    root: 'text',
    durationMs: 'number',
  },
  'backup.restored': { by: 'actor', sha256: 'text', size: 'number', root: 'text', replaced: '?number' },
};

/** Members inside those, of the two that the judge makes. */
const INSIDE: { readonly [K in EventKind]?: Readonly<Record<string, Readonly<Record<string, Shape>>>> } = {
  'canary.requested': {
    policy: {
      targets: 'object',
      alpha: 'object',
      windowSeconds: 'number',
      intervalSeconds: 'number',
      objectives: 'list',
    },
  },
  'canary.decided': {
    verdict: {
      decision: 'text',
      reason: 'text',
      certainty: 'text',
      objectives: 'list',
      tick: 'number',
    },
    observations: { count: 'number', digest: 'text' },
  },
  'canary.pruned': { observations: { count: 'number', digest: 'text' } },
};

/** The first member that is not of its shape, as `data.by`; null: all are. */
export function misshapen(kind: EventKind, data: unknown): string | null {
  if (!isObject(data)) return 'data';
  const wrong = wrongMember(SHAPES[kind], data);
  if (wrong !== null) return `data.${wrong}`;
  for (const [member, shapes] of Object.entries(INSIDE[kind] ?? {})) {
    const inside = wrongMember(shapes, data[member] as Record<string, unknown>);
    if (inside !== null) return `data.${member}.${inside}`;
  }
  return null;
}

function wrongMember(shapes: Readonly<Record<string, Shape>>, object: Record<string, unknown>): string | null {
  for (const member in shapes) if (!fits(shapes[member] as Shape, object[member])) return member;
  return null;
}

function fits(shape: Shape, value: unknown): boolean {
  if (shape.startsWith('~')) return value === undefined || fits(shape.slice(1) as Shape, value);
  if (shape.startsWith('?')) return value === null || fits(shape.slice(1) as Shape, value);
  switch (shape) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number';
    case 'flag':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'actor':
      return isObject(value) && typeof value['who'] === 'string' && typeof value['how'] === 'string';
    default:
      return isObject(value);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
