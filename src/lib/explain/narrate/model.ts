import type { StoredEvent } from '../../ledger/index.js';
import { factsOf, type GateEntry } from '../../readings/index.js';
import { type Narrative, section } from '../section.js';
import { moment, oneLine, plural } from '../words.js';
import { entryMeans } from './request.js';
import { title } from './title.js';

/** What the log holds about one model, or held at a time. */
export interface ModelHistory {
  id: string;
  /** Every change by which the model entered or left a gate, in order. */
  gates: readonly GateEntry[];
  /** Events of its newest canaries, newest first. */
  canaries: readonly { id: string; events: readonly StoredEvent[] }[];
  /** How many older canaries are left out. */
  older: number;
  /** ms since the epoch; null: all there is. */
  asOf: number | null;
}

/** A model in words: the gates it holds and held, and the outcomes of its canaries; pure. */
export function narrateModel({ id, gates, canaries, older, asOf }: ModelHistory): Narrative {
  const held = holdings(id, gates);
  const current = [...held].sort();
  const holds = current.length === 0 ? 'holds no gate' : `holds ${current.join(' and ')}`;
  return {
    id,
    about: 'model',
    state: null,
    title: oneLine(`${asOf === null ? '' : `As of ${moment(asOf)}: `}${id} ${holds}`),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [
      ...section(
        'Gates',
        'list',
        gates.flatMap((g) => gateSentence(id, g)),
      ),
      ...section('Canaries, newest first', 'list', [
        ...canaries.map(canarySentence),
        older > 0
          ? `${plural(older, 'older canary', 'older canaries')} not shown: lukhas canary list --model ${id}`
          : null,
      ]),
      ...section('Next steps', 'list', [
        canaries[0] ? `For the newest canary: lukhas why ${canaries[0].id}` : null,
        asOf === null ? null : `For the current state: lukhas why ${id}`,
      ]),
    ],
  };
}

function holdings(id: string, gates: readonly GateEntry[]): Set<string> {
  const held = new Set<string>();
  for (const { gate, modelId } of gates) {
    if (modelId === id) held.add(gate);
    else held.delete(gate);
  }
  return held;
}

function gateSentence(id: string, entry: GateEntry): string[] {
  const { ts, gate, modelId, previous, canaryId } = entry;
  const at = moment(Date.parse(ts));
  const through = canaryId === null ? `, ${entryMeans(entry)}` : ` through canary ${canaryId}`;
  if (modelId === id)
    return [`${at} – entered ${gate}${through}${previous === null ? '' : `, replacing ${previous}`}.`];
  return previous === id ? [`${at} – left ${gate}: replaced by ${modelId}${through}.`] : [];
}

function canarySentence({ id, events }: ModelHistory['canaries'][number]): string | null {
  const facts = factsOf(id, events);
  if (!facts) return null;
  const last =
    facts.forced ??
    facts.rejected ??
    facts.approvals.at(-1) ??
    facts.overridden ??
    facts.decided ??
    facts.aborted ??
    facts.failed ??
    facts.started ??
    facts.requested;
  return `${moment(Date.parse(last.ts))} – ${id} ${title(facts, null).slice(facts.requested.data.modelId.length + 1)}.`;
}
