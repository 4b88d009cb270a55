import { type CanaryHistory, factsOf, verdictOf } from '../readings/index.js';
import {
  actionSentences,
  approvalSentences,
  checksSentence,
  courseSentences,
  decisionSentences,
  gapSentences,
  nextSentences,
  requestSentences,
  sourceSentences,
  title,
} from './narrate/index.js';
import { type Narrative, narrateUnknown, section } from './section.js';
import { moment } from './words.js';

/**
 * A canary's history in words: request, measurements, timeline, decision, approvals, actions, gaps, next steps. Pure: the
 * same history gives the same text.
 */
export function narrateCanary(history: CanaryHistory): Narrative {
  const { id, events, gate, interim, asOf } = history;
  const facts = factsOf(id, events);
  if (!facts) return narrateUnknown(id, asOf);
  const verdict = verdictOf(facts, interim);
  const over = facts.decided !== null || facts.aborted !== null || facts.failed !== null;
  return {
    id,
    about: 'canary',
    state: facts.state,
    title: `${asOf === null ? '' : `As of ${moment(asOf)}: `}${title(facts, interim)}`,
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [
      ...section('Request', 'prose', requestSentences(facts)),
      ...section('Measurements', 'prose', [...sourceSentences(facts), verdict && checksSentence(verdict)]),
      ...section('Timeline', 'list', courseSentences(facts, events)),
      ...section(over ? 'Decision' : 'Status', 'list', decisionSentences(facts, interim)),
      ...section('Approvals', 'list', approvalSentences(facts, gate)),
      ...section('Actions', 'list', actionSentences(facts, gate)),
      ...section('Missing data and assumptions', 'list', gapSentences(facts, interim, verdict)),
      ...section('Next steps', 'list', asOf === null ? nextSentences(facts, verdict) : [later(id)]),
    ],
  };
}

function later(id: string): string {
  return `For the current state: lukhas why ${id}`;
}
