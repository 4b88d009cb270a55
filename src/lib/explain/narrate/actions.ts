import type { Facts, GateEntry, HookCallFacts } from '../../readings/index.js';
import { clip, seconds, timeOn } from '../words.js';
import { entryMeans, person } from './request.js';

/** How the decision was carried out: every call of a hook and every change of the gate, in order. */
export function actionSentences(facts: Facts, gate: readonly GateEntry[]): string[] {
  const none = noActions(facts);
  if (none !== null) return [none];
  const day = Date.parse(facts.requested.ts);
  const actions = [
    ...facts.calls.map((call, i) => ({ seq: call.intended.seq, text: hookCall(facts.calls, i, day) })),
    ...facts.retried.map((event) => ({
      seq: event.seq,
      text: `At ${timeOn(Date.parse(event.ts), day)} ${person(event.data.by)} retried the failed hooks.`,
    })),
    ...gate.filter((g) => g.canaryId === facts.id).map((g) => ({ seq: g.seq, text: gateChange(g, day) })),
  ].sort((a, b) => a.seq - b.seq);
  return [
    ...withoutHooks(facts),
    ...actions.map((action) => action.text),
    ...outcome(facts, gate),
    ...since(facts, gate, day),
  ];
}

function noActions({ requested, state, action }: Facts): string | null {
  if (state === 'PENDING' || state === 'RUNNING') return 'None yet: there is no decision.';
  if (action === null) return 'None: hooks are called and gates change only on a promotion or rollback.';
  return requested.data.dryRun ? 'None: it is a dry run.' : null;
}

function withoutHooks({ acted, calls, action }: Facts): string[] {
  if (!acted || acted.data.hooks > 0 || calls.length > 0) return [];
  return [`No ${action} hook was configured: no hook or webhook was notified.`];
}

/** One call of a hook and how it ended; times on `day` are shown without their date. */
export function hookCall(calls: readonly HookCallFacts[], index: number, day: number): string {
  const { action, hook, attempt, intended, finished } = calls[index]!;
  const at = timeOn(Date.parse(intended.ts), day);
  const before = calls.slice(0, index).findLast((c) => c.action === action && c.hook === hook);
  const name = `"${clip(hook)}"`;
  const called = before
    ? `${name} was called again at ${at} (call ${attempt}, with the same key)`
    : `The ${action} hook ${name} was called at ${at}`;
  const why = before && !before.finished ? ', because the result of the previous call is unknown,' : '';
  if (!finished)
    return `${called}${why}; its result is not recorded: lukhas stopped before it finished, or it is still running.`;
  const { ok, detail, durationMs } = finished.data;
  const after = `${ok ? 'finished' : 'FAILED'} after ${seconds(durationMs / 1000)}`;
  return `${called}${why} and ${after}: ${clip(detail).replace(/\.$/, '')}.`;
}

/** One change of a gate's holder. */
export function gateChange({ gate, modelId, previous, ts }: GateEntry, day: number): string {
  const before = previous === null ? 'which was empty before' : `replacing ${previous}`;
  return `At ${timeOn(Date.parse(ts), day)} ${modelId} became the holder of ${gate}, ${before}.`;
}

function outcome({ acted, action, requested, id, state }: Facts, gate: readonly GateEntry[]): string[] {
  const what = action === 'promote' ? 'promotion' : 'rollback';
  if (!acted && state === 'BLOCKED') return ['The promotion was not carried out: its approvals lapsed.'];
  if (!acted) return [`The ${what} is not carried out yet.`];
  if (!acted.data.ok) {
    const failed = acted.data.failed === null ? 'A hook' : `Hook "${clip(acted.data.failed)}"`;
    const left = action === 'promote' ? ` and ${requested.data.toGate} did not change` : '';
    return [`${failed} failed: the hooks after it were not called${left}.`];
  }
  if (action === 'promote' && !gate.some((g) => g.canaryId === id))
    return [`${requested.data.modelId} already held ${requested.data.toGate}, so the gate did not change.`];
  if (action === 'rollback') return [`${requested.data.toGate} did not change.`];
  return [];
}

/** Who holds the gate since, when another model entered it later. */
function since({ id }: Facts, gate: readonly GateEntry[], day: number): string[] {
  const own = gate.findLastIndex((g) => g.canaryId === id);
  const last = gate.at(-1);
  if (own < 0 || !last || own === gate.length - 1) return [];
  return [`Since ${timeOn(Date.parse(last.ts), day)} ${last.modelId} holds ${last.gate}, ${entryMeans(last)}.`];
}
