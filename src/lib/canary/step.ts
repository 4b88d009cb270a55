import { timestamp } from '../clock.js';
import type { Observation } from '../judge/index.js';
import { heldObjective, noData, report, rule, windowEndsAt } from '../judge/index.js';
import type { EventDraft } from '../ledger/index.js';
import type { Session } from './session.js';

/**
 * The events that one freshly taken observation gives rise to, in order; pure. The deciding event commits to exactly
 * the observations that were judged.
 */
export function eventsOfTick(session: Session, observation: Observation, now: number): EventDraft[] {
  const { judgement, canary } = session;
  if (!judgement) return [];
  const ts = timestamp(now);
  const subject = canary.id;
  const { tick, t } = observation;
  const events: EventDraft[] = [];
  const ruling = rule(judgement, t);
  const silent = noData(judgement, t);
  const lacking = ['no_data', 'source_unreachable', 'no_source'].includes(ruling.reason);
  const engaged = silent !== null && (lacking || silent.seconds >= canary.policy.noDataSeconds);

  if (silent && engaged && canary.fallbackSince === null) {
    const { since, total, states } = silent;
    events.push({ kind: 'fallback.engaged', subject, ts, data: { tick, since, total, states } });
  } else if (!engaged && canary.fallbackSince !== null) {
    const seconds = (t - canary.fallbackSince) / 1000;
    events.push({ kind: 'fallback.released', subject, ts, data: { tick, seconds } });
  }
  const held = heldObjective(judgement);
  if (held && held !== canary.held) events.push({ kind: 'canary.held', subject, ts, data: { tick, objective: held } });
  if (ruling.decision !== 'continue') {
    const observations = {
      count: session.count,
      firstAt: session.firstAt,
      lastAt: t,
      digest: session.digest.copy().digest('hex'),
    };
    events.push({ kind: 'canary.decided', subject, ts, data: { verdict: report(judgement, ruling, t), observations } });
  } else if (canary.policy.onInconclusive === 'extend' && !canary.extended && t >= windowEndsAt(judgement)) {
    const end = judgement.startedAt + canary.policy.maxWindowSeconds * 1000;
    events.push({
      kind: 'canary.extended',
      subject,
      ts,
      data: { tick, windowEndsAt: end, reason: 'undecided at the end of the window' },
    });
  }
  return events;
}
