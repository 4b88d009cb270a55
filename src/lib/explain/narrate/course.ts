import type { Verdict } from '../../judge/index.js';
import type { StoredEvent } from '../../ledger/index.js';
import { type CanaryEvent, type Facts, hasOwnTimes, isCanaryEvent, unhandled } from '../../readings/index.js';
import { clip, moment, percent, plural, seconds, timeOn } from '../words.js';

/** How much was looked at. */
export function looksSentence(verdict: Verdict): string {
  const { looked, withData } = verdict.ticks;
  const data = withData === looked ? 'all with data' : `${withData} of them with data`;
  const covered = `readings cover ${percent(verdict.coverage)} of the time since the start`;
  return looked === 0
    ? 'No look was taken but the first, which sets the starting point.'
    : `${plural(looked, 'look')} were taken, ${data}; ${covered}.`.replace(/^1 look were/, '1 look was');
}

/** What happened when, one line an event. */
export function courseSentences(facts: Facts, events: readonly StoredEvent[]): string[] {
  const day = Date.parse(facts.requested.ts);
  return events.flatMap((event) => {
    const said = isCanaryEvent(event) ? what(facts, event, day) : null;
    return said === null ? [] : `${timeOn(Date.parse(event.ts), day)} – ${said}.`;
  });
}

function what(facts: Facts, event: CanaryEvent, day: number): string | null {
  switch (event.kind) {
    case 'canary.started':
      return hasOwnTimes(facts)
        ? `reading began; the window begins at ${moment(event.data.startedAt)} by the input's own times`
        : 'the first look was taken: the window began';
    case 'fallback.engaged': {
      const { since, total, states } = event.data;
      const which = total ? 'all readings' : 'readings';
      return `fallback engaged: ${which} had been missing since ${timeOn(since, day)}${stateWords(states)}, and nothing is promoted on missing readings`;
    }
    case 'fallback.released':
      return `fallback released: readings were back after ${seconds(event.data.seconds)}`;
    case 'canary.held':
      return `held: the evidence on ${event.data.objective} does not count against the canary, because the baseline shows the same incident`;
    case 'canary.extended':
      return `extended until ${timeOn(event.data.windowEndsAt, day)}: ${clip(event.data.reason)}`;
    case 'canary.decided':
      return `decided: ${DECISIONS[event.data.verdict.decision]}`;
    case 'canary.overridden':
      return facts.requested.data.policy.approvals && !facts.requested.data.dryRun
        ? 'to be promoted by hand'
        : 'promoted by hand';
    case 'canary.approved':
      return `approved, ${event.data.count} of ${event.data.required}`;
    case 'canary.rejected':
      return 'rejected';
    case 'canary.lapsed':
      return 'approvals lapsed before it was carried out';
    case 'canary.forced':
      return 'BREAK-GLASS: promoted without the approvals that the policy wants';
    case 'canary.reviewed':
      return 'break-glass reviewed';
    case 'canary.aborted':
      return 'aborted';
    case 'canary.failed':
      return 'given up: it could not be run';
    // Told where it was asked for, and with what was done about the decision.
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
  continue: 'go on watching',
} as const;

/** ` (error_rate unreachable: connection refused)`; the same reason is given once. */
export function stateWords(states: Record<string, string>): string {
  const byState = new Map<string, string[]>();
  for (const [name, state] of Object.entries(states)) byState.set(state, [...(byState.get(state) ?? []), name]);
  const words = [...byState].map(([state, names]) => `${names.join(', ')} ${clip(state, 120)}`);
  return words.length === 0 ? '' : ` (${words.join('; ')})`;
}
