import { z } from 'zod';
import { escapeRegex, type Matcher, writeSelector } from '../promql/index.js';
import type { PrometheusAnswers } from './answers.js';
import { type Place, placeKey, placesOf } from './places.js';
import { PROCESS_START, UP } from './plan.js';

const pairSchema = z.object({ job: z.string(), instance: z.string() });
type Pair = z.infer<typeof pairSchema>;

/** Places of each arm whose `up` does not carry the arm's labels, so that it has to be asked for by `job` and `instance`. */
export const identitySchema = z.object({
  places: z.array(z.array(pairSchema)),
  /** Until when not to ask for others, as there was no answer; milliseconds since the epoch. */
  pauseUntil: z.number(),
});
export type Identity = z.infer<typeof identitySchema>;

export const NO_IDENTITY: Identity = { places: [], pauseUntil: 0 };

interface Asking {
  /** When the look is taken and how far back it reads, milliseconds. */
  at: number;
  reach: number;
  signal: AbortSignal | undefined;
}

/** Series that were pushed or federated have no `up`: it is asked for again after this long. */
const PAUSE_MS = 300_000;
/** Above, all instances of the jobs are asked for. */
const MOST_INSTANCES = 200;

/**
 * Since when the processes of the arms run, and whether Prometheus can scrape them. Both are asked for with the arm's own
 * labels as far as they are labels of the target. Where they are labels of the series, `up` lacks them: then places known
 * from the last look are asked for meanwhile, and new ones afterwards.
 */
export async function readIdentity(
  api: Pick<PrometheusAnswers, 'samples'>,
  known: Identity,
  asking: Asking,
): Promise<{ complete(arms: readonly Map<string, Place>[]): Promise<Identity> }> {
  const before = known.places.flat();
  const found = await ask(api, before, asking);
  return {
    async complete(arms) {
      for (const [arm, places] of arms.entries()) attach(places, known.places[arm] ?? [], found);
      const lacking = arms.flatMap((places) => [...places.values()].filter(lacksUp));
      const fresh = lacking.filter(({ id }) => !before.some((pair) => keyOf(pair) === id));
      const asked = fresh.length > 0 && asking.at >= known.pauseUntil;
      const more = asked ? await ask(api, fresh, asking) : new Map<string, Place>();
      const added = arms.map((places) => {
        const own = [...places.values()].filter(lacksUp);
        attach(places, own, more);
        return own.filter(({ up }) => up.length > 0).map(({ job, instance }) => ({ job, instance }));
      });
      const places = arms.map((_, arm) => [
        ...(known.places[arm] ?? []).filter((pair) => found.has(keyOf(pair))),
        ...added[arm]!,
      ]);
      const nothing = asked && added.every((own) => own.length === 0);
      return { places, pauseUntil: nothing ? asking.at + PAUSE_MS : known.pauseUntil };
    },
  };
}

const keyOf = ({ job, instance }: Pair): string => placeKey(job, instance);

const lacksUp = ({ up, instance }: Place): boolean => up.length === 0 && instance !== '';

async function ask(
  api: Pick<PrometheusAnswers, 'samples'>,
  pairs: readonly Pair[],
  { reach, signal }: Asking,
): Promise<Map<string, Place>> {
  if (pairs.length === 0) return new Map();
  const answer = await api.samples(selectorOf(pairs), reach, signal);
  // Without it counters are read all the same, only less is known of them.
  if (!answer.ok || answer.type !== 'matrix') return new Map();
  return placesOf(answer.series, { once: false, whole: false });
}

function selectorOf(pairs: readonly Pair[]): string {
  const matcher = (label: 'job' | 'instance'): Matcher => {
    const values = [...new Set(pairs.map((pair) => pair[label]))].sort();
    if (values.length === 1) return { label, op: '=', value: values[0]! };
    return { label, op: '=~', value: values.map(escapeRegex).join('|') };
  };
  const few = pairs.length <= MOST_INSTANCES;
  return writeSelector([UP, PROCESS_START], [matcher('job'), ...(few ? [matcher('instance')] : [])]);
}

/** Adds what was found of these places; one that shows nothing else is there all the same, and may be down. */
function attach(places: Map<string, Place>, pairs: readonly Pair[], found: ReadonlyMap<string, Place>): void {
  for (const { job, instance } of pairs) {
    const key = placeKey(job, instance);
    const known = found.get(key);
    if (known === undefined || known.up.length === 0) continue;
    const place = places.get(key) ?? { id: known.id, job, instance, tracks: [], up: [], started: [] };
    places.set(key, place);
    // Arms that share a process must not share what is noted of its series.
    const copies = (tracks: Place['up']) => tracks.map((track) => ({ ...track }));
    place.up = copies(known.up);
    if (place.started.length === 0) place.started = copies(known.started);
  }
}
