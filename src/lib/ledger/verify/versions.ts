/** Newest version of each kind that a verifier of this version can read: a list of its own, as it believes no writer. */
const NEWEST: Readonly<Record<string, number>> = {
  'canary.requested': 1,
  'canary.started': 1,
  'canary.extended': 1,
  'canary.held': 1,
  'fallback.engaged': 1,
  'fallback.released': 1,
  'canary.decided': 1,
  'canary.acted': 1,
  'canary.retried': 1,
  'canary.aborted': 1,
  'canary.overridden': 1,
  'canary.failed': 1,
  'hook.intended': 1,
  'hook.finished': 1,
  'gate.changed': 1,
  'promotion.requested': 1,
  'promotion.finished': 1,
  'job.queued': 1,
  'job.running': 1,
  'job.completed': 1,
  'job.failed': 1,
  'evidence.failed': 1,
  'canary.approved': 1,
  'canary.rejected': 1,
  'canary.lapsed': 1,
  'canary.forced': 1,
  'canary.reviewed': 1,
  'canary.pruned': 1,
  'maintenance.finished': 1,
  'backup.made': 1,
  'backup.restored': 1,
};

/** What keeps this version from reading an entry of this kind and version; null: nothing. */
export function unreadable(kind: unknown, v: unknown): string | null {
  if (typeof v !== 'number' || !Number.isSafeInteger(v) || v < 1) return `its version is ${JSON.stringify(v)}`;
  const newest = typeof kind === 'string' && Object.hasOwn(NEWEST, kind) ? NEWEST[kind] : undefined;
  if (newest !== undefined && v <= newest) return null;
  const known = newest === undefined ? 'does not know this kind' : `knows version ${newest}`;
  return `a newer lukhas wrote it (${String(kind)} version ${v}, and this lukhas ${known}): upgrade lukhas to verify it`;
}
