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

/** Tells a model: the gates it holds and held, and what became of its canaries; pure. */
export function narrateModel({ id, gates, canaries, older, asOf }: ModelHistory): Narrative {
  const held = holdings(id, gates);
  const now = [...held].sort();
  const holds = now.length === 0 ? 'holds no gate' : `holds ${now.join(' and ')}`;
  return {
    id,
    about: 'model',
    state: null,
    title: oneLine(`${asOf === null ? '' : `As it was known at ${moment(asOf)}: `}${id} ${holds}`),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [
      ...section(
        'Its gates',
        'list',
        gates.flatMap((g) => gateSentence(id, g)),
      ),
      ...section('Its canaries, newest first', 'list', [
        ...canaries.map(canarySentence),
        older > 0
          ? `${plural(older, 'older canary', 'older canaries')} not shown: lukhas canary list --model ${id}`
          : null,
      ]),
      ...section('What to do next', 'list', [
        canaries[0] ? `The newest canary in full: lukhas why ${canaries[0].id}` : null,
        asOf === null ? null : `This is the past; how it stands now: lukhas why ${id}`,
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
    return [`${at} – it entered ${gate}${through}${previous === null ? '' : `, in place of ${previous}`}.`];
  return previous === id ? [`${at} – it left ${gate}: ${modelId} took its place${through}.`] : [];
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
