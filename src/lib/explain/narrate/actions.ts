import type { Facts, GateEntry, HookCallFacts } from '../../readings/index.js';
import { clip, seconds, timeOn } from '../words.js';
import { entryMeans, person } from './request.js';

/** What was done about the decision: every call of a hook, and what became of the gate, in order. */
export function actionSentences(facts: Facts, gate: readonly GateEntry[]): string[] {
  const idle = nothing(facts);
  if (idle !== null) return [idle];
  const day = Date.parse(facts.requested.ts);
  const actions = [
    ...facts.calls.map((call, i) => ({ seq: call.intended.seq, said: hookCall(facts.calls, i, day) })),
    ...facts.retried.map((event) => ({
      seq: event.seq,
      said: `At ${timeOn(Date.parse(event.ts), day)} ${person(event.data.by)} asked for the failed hooks to be called again.`,
    })),
    ...gate.filter((g) => g.canaryId === facts.id).map((g) => ({ seq: g.seq, said: gateChange(g, day) })),
  ].sort((a, b) => a.seq - b.seq);
  return [...withoutHooks(facts), ...actions.map((d) => d.said), ...outcome(facts, gate), ...since(facts, gate, day)];
}

function nothing({ requested, state, action }: Facts): string | null {
  if (state === 'PENDING' || state === 'RUNNING') return 'Nothing yet: it is not decided.';
  if (action === null)
    return 'Nothing: no hook is called and no gate changes where nothing is promoted or rolled back.';
  return requested.data.dryRun ? 'Nothing: it is a dry run.' : null;
}

function withoutHooks({ acted, calls, action }: Facts): string[] {
  if (!acted || acted.data.hooks > 0 || calls.length > 0) return [];
  return [`No ${action} hook was configured, so nobody else was told.`];
}

/** One call of a hook and how it ended; `day` is the day that need not be said. */
export function hookCall(calls: readonly HookCallFacts[], index: number, day: number): string {
  const { action, hook, attempt, intended, finished } = calls[index]!;
  const at = timeOn(Date.parse(intended.ts), day);
  const before = calls.slice(0, index).findLast((c) => c.action === action && c.hook === hook);
  const name = `"${clip(hook)}"`;
  const called = before
    ? `${name} was called again at ${at} (call ${attempt}, with the same key)`
    : `The ${action} hook ${name} was called at ${at}`;
  const why = before && !before.finished ? ', because it cannot be known whether the call before it came through,' : '';
  if (!finished)
    return `${called}${why}; its end is not recorded: lukhas was stopped before it, or it has not ended yet.`;
  const { ok, detail, durationMs } = finished.data;
  const after = `${ok ? 'finished' : 'FAILED'} after ${seconds(durationMs / 1000)}`;
  return `${called}${why} and ${after}: ${clip(detail).replace(/\.$/, '')}.`;
}

/** One change of a gate's holder. */
export function gateChange({ gate, modelId, previous, ts }: GateEntry, day: number): string {
  const before = previous === null ? 'which no model had held before' : `which ${previous} had held before`;
  return `At ${timeOn(Date.parse(ts), day)} ${modelId} became the holder of ${gate}, ${before}.`;
}

function outcome({ acted, action, requested, id, state }: Facts, gate: readonly GateEntry[]): string[] {
  const what = action === 'promote' ? 'promotion' : 'rollback';
  if (!acted && state === 'BLOCKED') return ['The promotion was not completed: its approvals lapsed.'];
  if (!acted) return [`The ${what} is not complete yet.`];
  if (!acted.data.ok) {
    const failed = acted.data.failed === null ? 'A hook' : `Hook "${clip(acted.data.failed)}"`;
    const left = action === 'promote' ? ` and ${requested.data.toGate} was left as it is` : '';
    return [`${failed} failed: the hooks after it were not called${left}.`];
  }
  if (action === 'promote' && !gate.some((g) => g.canaryId === id))
    return [`${requested.data.toGate} was held by ${requested.data.modelId} already, so the gate did not change.`];
  if (action === 'rollback') return [`${requested.data.toGate} was left as it was.`];
  return [];
}

/** What became of the gate later, as far as that is known. */
function since({ id }: Facts, gate: readonly GateEntry[], day: number): string[] {
  const own = gate.findLastIndex((g) => g.canaryId === id);
  const last = gate.at(-1);
  if (own < 0 || !last || own === gate.length - 1) return [];
  return [`Since ${timeOn(Date.parse(last.ts), day)} ${last.gate} is held by ${last.modelId}, ${entryMeans(last)}.`];
}
