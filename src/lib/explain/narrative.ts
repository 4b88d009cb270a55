import { type CanaryHistory, type Facts, factsOf, type Standing, verdictOf } from './history.js';
import { approvalOutcome, approvalSentences } from './narrate-approvals.js';
import { courseSentences, looksSentence } from './narrate-course.js';
import { decisionSentences } from './narrate-decision.js';
import { deedSentences } from './narrate-deeds.js';
import { gapSentences } from './narrate-gaps.js';
import { nextSentences } from './narrate-next.js';
import { requestSentences, sourceSentences } from './narrate-request.js';
import { type Narrative, section, unknownSentence } from './section.js';
import { moment, oneLine } from './words.js';

/**
 * Tells a canary from its events: who asked for what, what was watched, what happened, what decided it, what was done,
 * what was not known, what to do next. Pure: the same history gives the same text.
 */
export function narrateCanary(history: CanaryHistory): Narrative {
  const { id, events, gate, standing, asOf } = history;
  const facts = factsOf(id, events);
  if (!facts) return narrateUnknown(id, asOf);
  const verdict = verdictOf(facts, standing);
  const over = facts.decided !== null || facts.aborted !== null || facts.failed !== null;
  return {
    id,
    about: 'canary',
    state: facts.state,
    title: `${asOf === null ? '' : `As it was known at ${moment(asOf)}: `}${title(facts, standing)}`,
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [
      ...section('What was asked', 'prose', requestSentences(facts)),
      ...section('What was watched', 'prose', [...sourceSentences(facts), verdict && looksSentence(verdict)]),
      ...section('What happened', 'list', courseSentences(facts, events)),
      ...section(over ? 'What decided it' : 'How it stands', 'prose', decisionSentences(facts, standing)),
      ...section('Who approved it', 'prose', approvalSentences(facts, gate)),
      ...section('What was done', 'prose', deedSentences(facts, gate)),
      ...section('What was not known', 'prose', gapSentences(facts, standing, verdict)),
      ...section('What to do next', 'list', asOf === null ? nextSentences(facts, verdict) : [later(id)]),
    ],
  };
}

function later(id: string): string {
  return `This is the past; how it stands now: lukhas why ${id}`;
}

/** Nothing in the log goes by this name. */
export function narrateUnknown(id: string, asOf: number | null): Narrative {
  return {
    id,
    about: 'unknown',
    state: null,
    title: unknownSentence(id, asOf),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [],
  };
}

/** One sentence without its stop on what became of a canary. */
export function title(facts: Facts, standing: Standing): string {
  const { modelId, fromGate, toGate, dryRun } = facts.requested.data;
  const way = `from ${fromGate} to ${toGate}`;
  return oneLine(`${modelId} ${outcome(facts, standing, way)}${dryRun ? ' (dry run)' : ''}`);
}

function outcome(facts: Facts, standing: Standing, way: string): string {
  const { state, acted, overridden, requested } = facts;
  const { dryRun } = requested.data;
  const carried = dryRun || acted?.data.ok;
  const hand = overridden ? ' by hand, against the verdict' : '';
  const but = acted ? ', but a hook failed' : ', but that is not carried out yet';
  const people = approvalOutcome(facts, way);
  if (people !== null) return acted?.data.ok || state === 'BLOCKED' ? people : `${people}${but}`;
  switch (state) {
    case 'PENDING':
      return `wants to pass ${way}: nobody has looked yet`;
    case 'RUNNING':
      return `wants to pass ${way}: ${typeof standing === 'object' && standing?.reason === 'not_attributable' ? 'held, because the baseline shows the same trouble' : 'undecided so far'}`;
    case 'PROMOTED':
      if (dryRun) return `would have been promoted ${way}${hand}`;
      return carried ? `was promoted ${way}${hand}` : `is to be promoted ${way}${hand}${but}`;
    case 'ROLLED_BACK':
      if (dryRun) return `would have been rolled back on its way ${way}`;
      return carried ? `was rolled back on its way ${way}` : `is to be rolled back on its way ${way}${but}`;
    case 'BLOCKED':
      return `was blocked on its way ${way}: nothing proved it safe`;
    case 'ABORTED':
      return `was stopped by hand on its way ${way}, before anything was decided`;
    case 'FAILED':
      return `could not be judged on its way ${way}`;
  }
}
