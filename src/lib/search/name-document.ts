import { clip, oneLine } from '../explain/index.js';
import type { Policy } from '../judge/index.js';
import type { Document, Ledger, StoredEvent } from '../ledger/index.js';

/** Canaries of a model, and changes of a gate, that are named in its document. */
const NEWEST = 20;

/** A model that the log knows as it can be found: the gates that it holds, and its newest canaries. */
export async function modelDocument(
  ledger: Ledger,
  modelId: string,
  holders: ReadonlyMap<string, readonly string[]>,
): Promise<Document> {
  const requests = await ledger.events({ kinds: ['canary.requested'], modelId, limit: NEWEST, newest: true });
  const canaries = requests.filter((e): e is Requested => e.kind === 'canary.requested').reverse();
  const held = holders.get(modelId) ?? [];
  return {
    id: `model:${modelId}`,
    title: oneLine(`model ${modelId}: ${held.length === 0 ? 'holds no gate' : `holds ${held.join(' and ')}`}`),
    body: canaries.map(({ subject, data }) => oneLine(`${subject} ${data.fromGate} -> ${data.toGate}`)).join('\n'),
  };
}

type Requested = Extract<StoredEvent, { kind: 'canary.requested' }>;

/** The gates that each model holds, by name; from the entries of the gates themselves. */
export async function holdersOf(ledger: Ledger): Promise<Map<string, string[]>> {
  const held = new Map<string, string[]>();
  for (const subject of await ledger.gateSubjects()) {
    const [last] = await ledger.events({ subject, kinds: ['gate.changed'], limit: 1, newest: true });
    if (last?.kind !== 'gate.changed') continue;
    const { modelId } = last.data;
    held.set(modelId, [...(held.get(modelId) ?? []), subject.slice('gate:'.length)].sort());
  }
  return held;
}

/** A gate as it can be found: who holds it, and who did. Null when no model ever held it. */
export async function gateDocument(ledger: Ledger, gate: string): Promise<Document | null> {
  const subject = `gate:${gate}`;
  const events = await ledger.events({ subject, kinds: ['gate.changed'], limit: NEWEST, newest: true });
  const changes = events.filter((e): e is Extract<StoredEvent, { kind: 'gate.changed' }> => e.kind === 'gate.changed');
  const last = changes.at(-1);
  if (last === undefined) return null;
  return {
    id: subject,
    title: oneLine(`gate ${gate}: held by ${last.data.modelId} since ${last.ts}`),
    body: changes
      .reverse()
      .map(({ ts, data }) => {
        const before = data.previous === null ? '' : ` in place of ${data.previous}`;
        return oneLine(`${ts} ${data.modelId}${before}, ${data.canaryId ?? `set by ${data.by.who}`}`);
      })
      .join('\n'),
  };
}

/** A policy as it can be found and read: its body is the policy. */
export function policyDocument(policy: Policy, digest: string): Document {
  const targets = Object.entries({ ...policy.targets, ...policy.relative }).map(([name, limit]) => `${name} ${limit}`);
  const own = policy.objectives.map((o) => `${o.name} ${o.op} ${o.value}`);
  const name = policy.name === undefined ? '' : ` "${clip(policy.name)}"`;
  return {
    id: `policy:${digest}`,
    title: oneLine(
      `policy${name} ${digest.slice(0, 12)}: ${[...targets, ...own].join(', ')} over ${policy.windowSeconds} s`,
    ),
    body: JSON.stringify(policy, null, 2),
  };
}
