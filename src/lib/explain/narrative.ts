import { type CanaryHistory, factsOf, verdictOf } from '../readings/index.js';
import {
  actionSentences,
  approvalSentences,
  courseSentences,
  decisionSentences,
  gapSentences,
  looksSentence,
  nextSentences,
  requestSentences,
  sourceSentences,
  title,
} from './narrate/index.js';
import { type Narrative, narrateUnknown, section } from './section.js';
import { moment } from './words.js';

/**
 * Tells a canary from its events: who asked for what, what was watched, what happened, what decided it, what was done,
 * what was not known, what to do next. Pure: the same history gives the same text.
 */
export function narrateCanary(history: CanaryHistory): Narrative {
  const { id, events, gate, interim: standing, asOf } = history;
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
      ...section('What was done', 'prose', actionSentences(facts, gate)),
      ...section('What was not known', 'prose', gapSentences(facts, standing, verdict)),
      ...section('What to do next', 'list', asOf === null ? nextSentences(facts, verdict) : [later(id)]),
    ],
  };
}

function later(id: string): string {
  return `This is the past; how it stands now: lukhas why ${id}`;
}
