import type { StoredEvent } from '../../ledger/index.js';
import { callsOf, type EventOf, type GateEntry } from '../../readings/index.js';
import { type Narrative, narrateUnknown, section } from '../section.js';
import { clip, moment, oneLine } from '../words.js';
import { gateChange, hookCall } from './actions.js';
import { person } from './request.js';

/** What the log holds about one promotion, or held at a time. */
export interface PromotionHistory {
  id: string;
  /** In order; the first is `promotion.requested`. */
  events: readonly StoredEvent[];
  /** Every change of the gate, in order. */
  gate: readonly GateEntry[];
  /** ms since the epoch; null: all there is. */
  asOf: number | null;
}

interface PromotionEvents {
  requested: EventOf<'promotion.requested'>;
  finished: EventOf<'promotion.finished'> | null;
}

/** A promotion requested by `lukhas gate promote`, in words: who, on what evidence, how it was carried out; pure. */
export function narratePromotion({ id, events, gate, asOf }: PromotionHistory): Narrative {
  const requested = events.find((e) => e.kind === 'promotion.requested');
  if (!requested) return narrateUnknown(id, asOf);
  const promotion = { requested, finished: events.find((e) => e.kind === 'promotion.finished') ?? null };
  return {
    id,
    about: 'promotion',
    state: null,
    title: oneLine(`${asOf === null ? '' : `As of ${moment(asOf)}: `}${title(promotion)}`),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [
      ...section('Request', 'prose', asked(id, requested)),
      ...section('Actions', 'prose', actions(promotion, id, events, gate)),
      ...section('Next steps', 'list', next(promotion)),
    ],
  };
}

function title({ requested, finished }: PromotionEvents): string {
  const { modelId, gate } = requested.data;
  if (!finished) return `${modelId} is being promoted into ${gate}: not complete yet`;
  if (finished.data.ok) return `${modelId} was promoted into ${gate}`;
  return `${modelId} was not promoted into ${gate}: ${finished.data.failed === null ? 'the promotion was abandoned' : 'a hook failed'}`;
}

function asked(id: string, { ts, data }: PromotionEvents['requested']): string[] {
  const { requestedBy, modelId, gate, previous, canaryId } = data;
  const before = previous === null ? `${gate} was empty then.` : `${previous} held ${gate} then.`;
  return [
    `${person(requestedBy)} requested promotion ${id} on ${moment(Date.parse(ts))}: ${modelId} into ${gate}.`,
    canaryId === null ? 'It has no evidence, as the configuration allows.' : `Its evidence is canary ${canaryId}.`,
    before,
  ];
}

function actions(
  { requested, finished }: PromotionEvents,
  id: string,
  events: readonly StoredEvent[],
  gate: readonly GateEntry[],
) {
  const day = Date.parse(requested.ts);
  const calls = callsOf(events);
  const own = gate.filter((change) => change.promotion?.id === id);
  const steps = [...calls.map((_, i) => hookCall(calls, i, day)), ...own.map((change) => gateChange(change, day))];
  if (!finished) return [...steps, 'The promotion is not complete yet.'];
  const { ok, failed, hooks } = finished.data;
  if (failed !== null)
    return [...steps, `Hook "${clip(failed)}" failed: the hooks after it were not called and the gate did not change.`];
  if (!ok) return [...steps, 'It was abandoned: the gate or the evidence changed before it was carried out.'];
  const silent = hooks === 0 ? ['No promote hook was configured: no hook or webhook was notified.'] : [];
  const already = own.length === 0 ? ['The model already held the gate by then, so the gate did not change.'] : [];
  return [...silent, ...steps, ...already];
}

function next({ requested, finished }: PromotionEvents): string[] {
  const { modelId, gate, canaryId } = requested.data;
  const again = `lukhas gate promote ${modelId} ${gate}`;
  const steps = !finished
    ? `If no process drives it: ${again}`
    : finished.data.ok
      ? 'Nothing to do.'
      : finished.data.failed === null
        ? `To see who entered the gate: lukhas gate history ${gate}`
        : `Fix the hook "${clip(finished.data.failed)}", then run: ${again}`;
  return [steps, ...(canaryId === null ? [] : [`For the canary: lukhas why ${canaryId}`])];
}
