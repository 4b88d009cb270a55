import { howSure, objectiveLine, oneLine, title as outcome, why } from '../explain/index.js';
import type { Document, StoredEvent } from '../ledger/index.js';
import { type Facts, factsOf } from '../readings/index.js';

/** Said once each; hooks may be called again and again. */
const MOST_LINES = 100;

/** `fraud-v2 stage -> production`, as titles name a canary's way. */
export function wayOf({ requested }: Facts): string {
  const { modelId, fromGate, toGate } = requested.data;
  return `${modelId} ${fromGate} -> ${toGate}`;
}

/** A canary as it can be found: who, what, how it ended and why. Null when the events hold no request. */
export function canaryDocument(id: string, events: readonly StoredEvent[]): Document | null {
  const facts = factsOf(id, events);
  if (facts === null) return null;
  const { dryRun } = facts.requested.data;
  return {
    id: `canary:${id}`,
    title: oneLine(`${wayOf(facts)}: ${facts.state}${dryRun ? ' (dry run)' : ''} (${id})`),
    body: [...new Set(lines(facts, events).map(oneLine))].slice(0, MOST_LINES).join('\n'),
  };
}

function lines(facts: Facts, events: readonly StoredEvent[]): string[] {
  const { requestedBy, policy, policyDigest, source } = facts.requested.data;
  return [
    `${outcome(facts, null)}.`,
    ...verdictLines(facts),
    ...byHand(facts),
    ...saidLines(facts),
    ...courseLines(facts, events),
    `Requested by ${requestedBy.who}; policy ${policy.name ?? ''} ${policyDigest.slice(0, 12)}: ${Object.keys(policy.targets).join(', ')}; source ${String(source['kind'])}.`,
  ];
}

function verdictLines({ decided }: Facts): string[] {
  if (decided === null) return [];
  const { verdict } = decided.data;
  return [`${why(verdict)}; ${howSure(verdict)} (${verdict.reason}).`, ...verdict.objectives.map(objectiveLine)];
}

function byHand({ overridden, aborted, failed }: Facts): string[] {
  return [
    ...(overridden ? [`Promoted by hand by ${overridden.data.by.who}: ${overridden.data.reason}`] : []),
    ...(aborted ? [`Aborted by ${aborted.data.by.who}: ${aborted.data.reason}`] : []),
    ...(failed ? [`Failed (${failed.data.code}): ${failed.data.message}`] : []),
  ];
}

function saidLines({ approvals, rejected, forced, reviewed }: Facts): string[] {
  return [
    ...approvals.map(({ data }) => `Approved by ${data.by.who}: ${data.reason}`),
    ...(rejected ? [`Rejected by ${rejected.data.by.who}: ${rejected.data.reason}`] : []),
    ...(forced ? [`Promoted by break-glass by ${forced.data.by.who}: ${forced.data.reason}`] : []),
    ...(reviewed ? [`Break-glass reviewed by ${reviewed.data.by.who}: ${reviewed.data.reason}`] : []),
  ];
}

function courseLines({ calls, silences, extended, retried }: Facts, events: readonly StoredEvent[]): string[] {
  return [
    ...calls.flatMap(({ action, hook, finished }) =>
      finished ? `${action} hook ${hook} ${finished.data.ok ? 'finished' : 'failed'}: ${finished.data.detail}` : [],
    ),
    ...silences.map(({ engaged }) => `No metrics, fallback engaged: ${Object.keys(engaged.data.states).join(', ')}`),
    ...(extended ? [`Window extended: ${extended.data.reason}`] : []),
    ...retried.map(({ data }) => `Hooks called again for ${data.by.who}`),
    ...events.flatMap((e) => (e.kind === 'canary.held' ? `Held: the baseline misses ${e.data.objective} too` : [])),
  ];
}
