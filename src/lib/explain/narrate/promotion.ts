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

/** Tells a promotion that was asked for apart from a canary's own: by whom, on what evidence, what was done; pure. */
export function narratePromotion({ id, events, gate, asOf }: PromotionHistory): Narrative {
  const requested = events.find((e) => e.kind === 'promotion.requested');
  if (!requested) return narrateUnknown(id, asOf);
  const told = { requested, finished: events.find((e) => e.kind === 'promotion.finished') ?? null };
  return {
    id,
    about: 'promotion',
    state: null,
    title: oneLine(`${asOf === null ? '' : `As it was known at ${moment(asOf)}: `}${title(told)}`),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [
      ...section('What was asked', 'prose', asked(id, requested)),
      ...section('What was done', 'prose', done(told, id, events, gate)),
      ...section('What to do next', 'list', next(told)),
    ],
  };
}

function title({ requested, finished }: PromotionEvents): string {
  const { modelId, gate } = requested.data;
  if (!finished) return `${modelId} is to be promoted into ${gate}, but that is not complete yet`;
  if (finished.data.ok) return `${modelId} was promoted into ${gate}`;
  return `${modelId} was not promoted into ${gate}: ${finished.data.failed === null ? 'it was given up' : 'a hook failed'}`;
}

function asked(id: string, { ts, data }: PromotionEvents['requested']): string[] {
  const { requestedBy, modelId, gate, previous, canaryId } = data;
  const before = previous === null ? `No model held ${gate} then.` : `${gate} was held by ${previous} then.`;
  return [
    `${person(requestedBy)} asked on ${moment(Date.parse(ts))} that ${modelId} be promoted into ${gate}; this is promotion ${id}.`,
    canaryId === null
      ? 'It was asked for without evidence, as the configuration permits.'
      : `It stands on the evidence of canary ${canaryId}.`,
    before,
  ];
}

function done(
  { requested, finished }: PromotionEvents,
  id: string,
  events: readonly StoredEvent[],
  gate: readonly GateEntry[],
) {
  const day = Date.parse(requested.ts);
  const calls = callsOf(events);
  const own = gate.filter((change) => change.promotion?.id === id);
  const told = [...calls.map((_, i) => hookCall(calls, i, day)), ...own.map((change) => gateChange(change, day))];
  if (!finished) return [...told, 'The promotion is not complete yet.'];
  const { ok, failed, hooks } = finished.data;
  if (failed !== null)
    return [...told, `Hook "${clip(failed)}" failed: those after it were not called and the gate was left as it is.`];
  if (!ok)
    return [
      ...told,
      'It was given up: the gate, or what is known of the model, had changed before it was carried out.',
    ];
  const silent = hooks === 0 ? ['No promote hook was configured, so nobody else was told.'] : [];
  const already = own.length === 0 ? ['The model held the gate by then, so the gate did not change.'] : [];
  return [...silent, ...told, ...already];
}

function next({ requested, finished }: PromotionEvents): string[] {
  const { modelId, gate, canaryId } = requested.data;
  const again = `lukhas gate promote ${modelId} ${gate}`;
  const steps = !finished
    ? `If nobody drives it, go on with it: ${again}`
    : finished.data.ok
      ? 'Nothing is left to be done.'
      : finished.data.failed === null
        ? `See who entered the gate: lukhas gate history ${gate}`
        : `Mend the hook "${clip(finished.data.failed)}", then ask again: ${again}`;
  return [steps, ...(canaryId === null ? [] : [`The canary in full: lukhas why ${canaryId}`])];
}
