import type { Verdict } from '../../judge/index.js';
import type { StoredEvent } from '../../ledger/index.js';
import { type CanaryEvent, type Facts, hasOwnTimes, isCanaryEvent, unhandled } from '../../readings/index.js';
import { clip, moment, percent, plural, seconds, timeOn } from '../words.js';

/** How many checks there were, and what they covered. */
export function checksSentence(verdict: Verdict): string {
  const warmup = verdict.warmup
    ? ` ${plural(verdict.warmup.looked, 'check')} in the warm-up ${verdict.warmup.looked === 1 ? 'does' : 'do'} not count.`
    : '';
  const { looked, withData } = verdict.ticks;
  const data =
    withData === looked ? (looked === 1 ? 'with data' : 'all with data') : `${withData || 'none'} of them with data`;
  return looked === 0
    ? 'Only the first check took place, which sets the starting point of the counters.'
    : `${plural(looked, 'check')}, ${data}; readings cover ${percent(verdict.coverage)} of the time since the ${verdict.warmup ? 'warm-up' : 'start'}.${warmup}`;
}

/** The timeline, one line an event. */
export function courseSentences(facts: Facts, events: readonly StoredEvent[]): string[] {
  const day = Date.parse(facts.requested.ts);
  return events.flatMap((event) => {
    const text = isCanaryEvent(event) ? eventText(facts, event, day) : null;
    return text === null ? [] : `${timeOn(Date.parse(event.ts), day)} – ${text}.`;
  });
}

function eventText(facts: Facts, event: CanaryEvent, day: number): string | null {
  switch (event.kind) {
    case 'canary.started':
      return hasOwnTimes(facts)
        ? `started reading the input; by its times the window starts at ${moment(event.data.startedAt)}`
        : 'first check; the window starts';
    case 'fallback.engaged': {
      const { since, total, states } = event.data;
      return `fallback engaged: ${total ? 'all data' : 'data'} missing since ${timeOn(since, day)}${stateWords(states)}; lukhas does not promote while data is missing`;
    }
    case 'fallback.released':
      return `fallback released: data was back after ${seconds(event.data.seconds)}`;
    case 'canary.held':
      return `held: ${event.data.objective} is too high on the baseline as well, so it does not count against the canary`;
    case 'canary.extended':
      return `extended until ${timeOn(event.data.windowEndsAt, day)}: ${clip(event.data.reason)}`;
    case 'canary.decided':
      return `decision: ${DECISIONS[event.data.verdict.decision]}`;
    case 'canary.overridden':
      return facts.requested.data.policy.approvals && !facts.requested.data.dryRun
        ? 'promotion by hand requested'
        : 'promoted by hand';
    case 'canary.approved':
      return `approved, ${event.data.count} of ${event.data.required}`;
    case 'canary.rejected':
      return 'rejected';
    case 'canary.lapsed':
      return 'approvals lapsed before the promotion was carried out';
    case 'canary.forced':
      return 'BREAK-GLASS: promoted without the approvals that the policy requires';
    case 'canary.reviewed':
      return 'break-glass reviewed';
    case 'canary.pruned':
      return `${plural(event.data.observations.count, 'recorded check')} pruned by retention (older than ${plural(event.data.olderThanDays, 'day')})`;
    case 'canary.aborted':
      return 'aborted';
    case 'canary.failed':
      return 'failed: the canary could not be checked';
    // Reported with the request and with the actions.
    case 'canary.requested':
    case 'canary.acted':
    case 'canary.retried':
    case 'hook.intended':
    case 'hook.finished':
      return null;
    default:
      return unhandled(event);
  }
}

const DECISIONS = {
  promote: 'promote',
  rollback: 'roll back',
  block: 'block',
  continue: 'keep checking',
} as const;

/** ` (error_rate unreachable: connection refused)`; each reason once. */
export function stateWords(states: Record<string, string>): string {
  const byState = new Map<string, string[]>();
  for (const [name, state] of Object.entries(states)) byState.set(state, [...(byState.get(state) ?? []), name]);
  const words = [...byState].map(([state, names]) => `${names.join(', ')} ${clip(state, 120)}`);
  return words.length === 0 ? '' : ` (${words.join('; ')})`;
}
