import { HttpError } from '../http/index.js';

const FORM = /^(?:jobs|canaries|metrics|gates|(?:job|canary)\/(?:\*|[\w.:-]{1,128})|gate\/(?:\*|[\w.:/@-]{1,128}))$/;
const MOST = 32;
const FORMS = 'jobs, canaries, metrics, gates, job/ID, canary/ID, gate/NAME, job/*, canary/*, gate/*';

/**
 * The topics of `?topic=A&topic=B`, sorted and without duplicates.
 * @throws HttpError 400 that lists the forms
 */
export function parseTopics(given: readonly string[]): string[] {
  const topics = [...new Set(given)].sort();
  if (topics.length === 0) throw new HttpError(400, `topic is required, e.g. /sse?topic=canaries; topics: ${FORMS}`);
  if (topics.length > MOST)
    throw new HttpError(400, `too many topics: ${topics.length}, at most ${MOST} in one stream`);
  for (const topic of topics)
    if (!FORM.test(topic))
      throw new HttpError(400, `unknown topic ${JSON.stringify(topic.slice(0, 80))}; topics: ${FORMS}`);
  return topics;
}

/** The one canary, job or gate that a topic names. */
export interface Named {
  type: 'canary' | 'job' | 'gate';
  /** A full id, or the start of one; for a gate its name. */
  id: string;
}

/** Null when the topic covers all of them. */
export function namedBy(topic: string): Named | null {
  const slash = topic.indexOf('/');
  const id = topic.slice(slash + 1);
  return slash < 0 || id === '*' ? null : { type: topic.slice(0, slash) as Named['type'], id };
}

/** The canary or job that a stream follows, when it follows only one; else null. */
export function onlySubject(topics: readonly string[]): string | null {
  const [topic, ...more] = topics;
  const named = topic === undefined || more.length > 0 ? null : namedBy(topic);
  return named === null || named.type === 'gate' ? null : named.id;
}
