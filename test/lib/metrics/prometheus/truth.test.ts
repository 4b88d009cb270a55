import fc from 'fast-check';
import { lookAtArm, type SeenArm } from '../../../../src/lib/metrics/prometheus/look.js';
import { newestOf, placesOf } from '../../../../src/lib/metrics/prometheus/places.js';
import { cases } from '../../../cases.js';
import { type Behaviour, signalsOf, type World } from '../counting/service.js';
import { ANY, behaviour, checkHistory, type Reads, shownName } from '../counting/truth.js';
import type { StubSeries } from './stub.js';

const REACH_MS = 300_000;
const STALE_MS = 60_000;

/** What a Prometheus holds of all that it scraped, at the time of each look. */
class Store {
  private readonly series = new Map<string, StubSeries>();
  private taken = 0;

  constructor(private readonly world: World) {}

  at(time: number): StubSeries[] {
    for (const { place, t, samples } of this.world.scrapes.slice(this.taken)) {
      const put = (name: string, labels: Record<string, string>, value: number): void => {
        const metric: Record<string, string> = { __name__: name, instance: place, job: 'j', ...labels };
        const key = JSON.stringify(metric);
        const known: StubSeries = this.series.get(key) ?? { metric, values: [] };
        this.series.set(key, known);
        known.values.push([t / 1000, String(value)]);
      };
      put('up', {}, samples === null ? 0 : 1);
      for (const { name, labels, value } of samples ?? []) put(name, labels, value);
    }
    this.taken = this.world.scrapes.length;
    const within = ([t]: [number, string]) => t * 1000 > time - REACH_MS;
    const then = [...this.series.values()].map(({ metric, values }) => ({ metric, values: values.filter(within) }));
    return then.filter(({ values }) => values.length > 0);
  }
}

function through(given: Behaviour, world: World): Reads {
  const signals = signalsOf(given);
  const store = new Store(world);
  let seen: SeenArm | null = null;
  return {
    shown: (place) => `{instance="${place}",job="j"}`,
    look(i) {
      const { at } = world.look(i);
      const places = placesOf(store.at(at), { once: false, whole: false });
      const newest = newestOf(places.values());
      const look = { at, there: at, staleBefore: at - STALE_MS, newest, reach: REACH_MS, staleMs: STALE_MS };
      const { reading, cursor, unseen } = lookAtArm(places, signals, seen, look);
      // What is in doubt at the end of a look takes with it what the same look counted before.
      const doubted = [reading.errors, reading.latency].some(
        (one) => one?.state === 'unstable' || one?.state === 'implausible',
      );
      if (doubted && cursor.held === null) {
        // Of a difference also what waited to be given out.
        const from = given.failures === 'difference' ? null : Math.min(...Object.values(seen?.seen ?? {}));
        unseen.push({ process: ANY, from, to: at, reason: 'in turn' });
      }
      // A series that was away while the others fell begins where it stands when it returns.
      for (const [id, { series }] of Object.entries(seen?.counters?.processes ?? {})) {
        const now = cursor.counters?.processes[id];
        const returned = Object.keys(series).some(
          (key) => series[key] === null && typeof now?.series[key] === 'number',
        );
        if (returned) unseen.push({ process: shownName(id, now!.target), from: null, to: at, reason: 'in turn' });
      }
      seen = JSON.parse(JSON.stringify(cursor)) as SeenArm;
      return { reading, cursor: seen.counters!, unseen, held: seen.held };
    },
  };
}

describe('what is counted through Prometheus', () => {
  it('differs from what happened by no more than what could not be seen', () => {
    const property = fc.property(behaviour, (given) => {
      // Prometheus 2 keeps no times of creation; of several processes of one target it cannot be told when each began.
      const starts = given.starts && !given.places.includes('pods');
      checkHistory({ ...given, scraped: true, created: false, starts }, through);
    });
    fc.assert(property, { numRuns: cases(2500), includeErrorInReport: true });
  }).timeout(600_000);
});
