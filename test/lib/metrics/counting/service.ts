import type { Sample, Signals, Target } from '../../../../src/lib/metrics/signals/index.js';
import { xorshift } from '../../../xorshift.js';
import { counters, errorsOf, histogram } from './given.js';

/** How generated services behave, and what their pages tell. */
export interface Behaviour {
  seed: number;
  looks: number;
  places: ('plain' | 'forked' | 'balanced' | 'pods')[];
  /** Whether pages say when their process began, and when each series was made. */
  starts: boolean;
  created: boolean;
  /**
   * Failures are a label of requests, a counter that is there from the start, one that appears with the first failure, or
   * what is missing in a counter of good ones: then requests count when they come, and good ones when they end.
   */
  failures: 'label' | 'counter' | 'late' | 'difference';
  /** Of differences: failures do not lower the gauge of requests in flight. */
  leaks: boolean;
  /** Requests come in thousands. */
  fast: boolean;
  /** Shares of looks at which a process restarts, a page does not answer. */
  restarts: number;
  outages: number;
  /** Through a Prometheus that scrapes every 7 s: samples have timestamps. */
  scraped: boolean;
}

/** What is measured of them. */
export function signalsOf({ failures }: Behaviour): Signals {
  const errors = {
    label: errorsOf('r_total{status=~"5.."}', true),
    counter: errorsOf('failed_total', false, 'zero'),
    late: errorsOf('failed_total', false, 'zero'),
    difference: errorsOf('r_total - good_total'),
  };
  return {
    requests: counters('r_total'),
    errors: errors[failures],
    histograms: { latency: histogram('took_seconds') },
    drift: null,
    inflight: failures === 'difference' ? { name: 'busy', matchers: [] } : null,
  };
}

/** One request, or many at once, as it happened. */
export interface Happened {
  t: number;
  times: number;
  /** Process as the engine calls it. */
  process: string;
  failed: boolean;
  /** Whether it happened while the page was being written: some of its counters may show it, and some not. */
  torn: boolean;
}

export const LOOK_MS = 10_000;
export const BEGIN = 1_700_000_000_000;
const BOUNDS = [0.1, 0.5, 2];
const SCRAPE_MS = 7000;

/** The counters of one process. */
class Process {
  readonly values = new Map<string, { name: string; labels: Record<string, string>; value: number; created: number }>();

  constructor(
    readonly startedAt: number,
    private readonly failures: Behaviour['failures'],
  ) {
    if (failures === 'counter') this.add('failed_total', {}, 0, startedAt);
    if (failures === 'difference') for (const name of ['good_total', 'busy']) this.add(name, {}, 0, startedAt);
  }

  add(name: string, labels: Record<string, string>, by: number, t: number): void {
    const key = JSON.stringify([name, labels]);
    const known = this.values.get(key) ?? { name, labels, value: 0, created: t };
    this.values.set(key, known);
    known.value += by;
  }

  serve(t: number, failed: boolean, seconds: number, times = 1): void {
    this.add('r_total', this.failures === 'label' ? { status: failed ? '500' : '200' } : {}, times, t);
    if (failed && (this.failures === 'counter' || this.failures === 'late')) this.add('failed_total', {}, times, t);
    for (const bound of [...BOUNDS, Infinity]) {
      const le = bound === Infinity ? '+Inf' : String(bound);
      this.add('took_seconds_bucket', { le }, seconds <= bound ? times : 0, t);
    }
  }
}

/** A request that is being served. */
interface Running {
  ends: number;
  process: Process;
  happened: Happened;
}

/** A page address: who answers there, and what it counted. */
class Place {
  /** All processes whose sum the page shows; of a balanced place, one of them answers. */
  processes: Process[] = [];
  pods = new Map<string, Process>();
  names = new Set(['a', 'b']);
  busy: number;
  running: Running[] = [];
  restarted = 0;
  shown = 0;

  constructor(
    readonly id: string,
    readonly kind: Behaviour['places'][number],
    private readonly behaviour: Behaviour,
    private readonly random: () => number,
  ) {
    this.busy = 5 + Math.floor(random() * 35);
    const count = kind === 'balanced' ? 2 : kind === 'forked' ? 2 + Math.floor(random() * 3) : 1;
    if (kind === 'pods') for (const pod of ['a', 'b']) this.pods.set(pod, this.old());
    else for (let i = 0; i < count; i++) this.processes.push(this.old());
  }

  /** A process with a past: it began long ago. */
  old(): Process {
    const process = new Process(BEGIN - 1000 * Math.floor(1e5 + this.random() * 1e6), this.behaviour.failures);
    const past = 5000 + Math.floor(this.random() * (this.random() < 0.5 ? 20_000 : 1e6));
    const failed = Math.floor(past * this.random() * 0.1);
    process.serve(process.startedAt + 5000, false, 0.05, past - failed);
    if (failed > 0) process.serve(process.startedAt + 9000, true, 1, failed);
    if (this.behaviour.failures === 'difference') process.add('good_total', {}, past - failed, process.startedAt);
    return process;
  }

  fresh(t: number): Process {
    return new Process(t, this.behaviour.failures);
  }
}

/** Generated services, second by second, with all that happened. */
export class World {
  readonly happened: Happened[] = [];
  /** Of services behind a Prometheus: what it has scraped, in order of time; null: the page did not answer. */
  readonly scrapes: { place: string; t: number; samples: Sample[] | null }[] = [];
  readonly random: () => number;
  private readonly places: Place[];
  private readonly pages = new Map<string, { samples: Sample[]; startedAt?: number }>();

  constructor(private readonly behaviour: Behaviour) {
    this.random = xorshift(behaviour.seed + 1);
    for (let i = 0; i < 10; i++) this.random();
    this.places = behaviour.places.map((kind, i) => new Place(`http://p${i}`, kind, behaviour, this.random));
  }

  /** Lives until look `i`, and shows what that look sees. */
  look(i: number): { at: number; targets: Target[] } {
    const at = BEGIN + i * LOOK_MS;
    const targets = this.places.map((place) => this.lookAt(place, i, at));
    return { at, targets };
  }

  private lookAt(place: Place, i: number, at: number): Target {
    const { behaviour, random } = this;
    const from = at - LOOK_MS;
    const changeAt = from + Math.floor(random() * LOOK_MS);
    const lost = random() < behaviour.outages;
    const changes = i > 0 && random() < behaviour.restarts;
    const traffic = i === 0 || random() < 0.1 ? 0 : Math.floor(place.busy * (0.5 + random()));
    const timeline: [number, () => void][] = [];
    for (let n = 0; n < traffic; n++) {
      const t = from + 1 + Math.floor(random() * (LOOK_MS - 2));
      timeline.push([t, () => this.serve(place, t, false)]);
    }
    if (changes) timeline.push([changeAt, () => this.change(place, i, changeAt)]);
    if (behaviour.scraped) {
      for (const t of timesWithin(from, at, SCRAPE_MS, place.id.length * 500 + 1))
        timeline.push([t, () => this.scrape(place, t, lost)]);
    }
    for (const [t, act] of timeline.sort(([a], [b]) => a - b)) {
      this.end(place, t);
      act();
    }
    this.end(place, at);
    if (behaviour.scraped) {
      const page = this.pages.get(place.id);
      return page
        ? { id: place.id, state: { state: 'ok' }, ...page }
        : { id: place.id, state: { state: 'absent' }, samples: [] };
    }
    if (lost)
      return { id: place.id, state: { state: 'unreachable', detail: `${place.id} does not answer` }, samples: [] };
    return { id: place.id, state: { state: 'ok' }, ...this.page(place, at, false) };
  }

  private scrape(place: Place, t: number, lost: boolean): void {
    const page = lost ? null : this.page(place, t, true);
    if (page !== null) this.pages.set(place.id, page);
    this.scrapes.push({ place: place.id, t, samples: page?.samples ?? null });
  }

  /** Where nothing names the processes, the first looks are of one, so that its rate is known. */
  private settled(place: Place): boolean {
    return this.behaviour.starts || this.behaviour.created || ++place.shown > (this.behaviour.scraped ? 8 : 4);
  }

  private serve(place: Place, t: number, torn: boolean): void {
    const { random } = this;
    const failed = random() < 0.08;
    const seconds = random() * 3;
    const times = this.behaviour.fast ? 1000 : 1;
    const accept = (process: Process, name: string): void => {
      process.serve(t, failed, seconds, times);
      const happened = { t, times, process: name, failed, torn };
      this.happened.push(happened);
      if (this.behaviour.failures !== 'difference') return;
      process.add('busy', {}, 1, t);
      place.running.push({ ends: t + 5000 * seconds, process, happened });
    };
    if (place.kind === 'pods') {
      const pods = [...place.pods];
      if (pods.length === 0) return;
      const [pod, process] = pods[Math.floor(random() * pods.length)]!;
      accept(process, `{pod="${pod}"} of ${place.id}`);
      return;
    }
    accept(place.processes[Math.floor(random() * place.processes.length)]!, place.id);
  }

  /** Requests end up to `t`; those of a process that is gone have failed. */
  private end(place: Place, t: number): void {
    const alive = new Set([...place.processes, ...place.pods.values()]);
    place.running = place.running.filter(({ ends, process, happened }) => {
      if (!alive.has(process)) happened.failed = true;
      else if (ends > t) return true;
      else if (!happened.failed) process.add('good_total', {}, 1, ends);
      if (!happened.failed || !this.behaviour.leaks) process.add('busy', {}, -1, ends);
      return false;
    });
  }

  private change(place: Place, i: number, t: number): void {
    const { random, behaviour } = this;
    if (place.kind === 'forked') {
      // A worker with a past ends: what it counted is in the sum no more.
      // One with a past stays, or what is left could be what a restart leaves.
      const worn = place.processes.flatMap((process, at) => (process.startedAt < BEGIN ? [at] : []));
      if (worn.length > 1) place.processes.splice(worn[0]!, 1, place.fresh(t));
      return;
    }
    if (place.kind === 'balanced') return;
    if (place.kind === 'pods') {
      const name = 'abcdef'[Math.floor(random() * 6)]!;
      // An old process under the name of another, and without a start, cannot be told from that.
      const known = behaviour.starts || behaviour.created || !place.names.has(name);
      place.names.add(name);
      if (!place.pods.has(name)) place.pods.set(name, known && random() < 0.5 ? place.old() : place.fresh(t));
      else if (random() < 0.5) place.pods.delete(name);
      return;
    }
    // Without a start, a young process that restarts cannot be told from one that goes on.
    if (!behaviour.starts && !behaviour.created && i - place.restarted < 8) return;
    place.restarted = i;
    place.processes = [place.fresh(t)];
  }

  /** The page of this moment. Requests may be served while it is written. */
  private page(place: Place, at: number, stamped: boolean): { samples: Sample[]; startedAt?: number } {
    const { random, behaviour } = this;
    const shown: [Record<string, string>, Process[]][] =
      place.kind === 'pods'
        ? [...place.pods].map(([pod, process]) => [{ pod }, [process]])
        : place.kind === 'balanced'
          ? [[{}, [place.processes[this.settled(place) ? Math.floor(random() * 2) : 0]!]]]
          : [[{}, place.processes]];
    const samples: Sample[] = [];
    const more = behaviour.failures === 'difference' ? ['good_total', 'busy'] : ['failed_total'];
    const names = ['r_total', ...more, 'took_seconds_bucket'].sort(() => random() - 0.5);
    for (const name of names) {
      for (const [labels, processes] of shown) {
        samples.push(...sumOf(processes, name, labels, behaviour.created && place.kind !== 'forked'));
        if (behaviour.starts && name === 'r_total')
          samples.push({ name: 'process_start_time_seconds', labels, value: startOf(place, processes) / 1000 });
      }
      if (random() < 0.2) this.serve(place, at + 0.5, true);
    }
    if (stamped) for (const one of samples) one.t = at;
    return { samples };
  }
}

/** A forked place is as old as its first process, which only forks. */
function startOf(place: Place, processes: Process[]): number {
  return place.kind === 'forked' ? BEGIN - 5_000_000 : processes[0]!.startedAt;
}

function sumOf(processes: Process[], name: string, labels: Record<string, string>, created: boolean): Sample[] {
  const sums = new Map<string, Sample>();
  for (const process of processes) {
    for (const [key, one] of process.values) {
      if (one.name !== name) continue;
      const sum = sums.get(key) ?? { name, labels: { ...one.labels, ...labels }, value: 0 };
      sums.set(key, sum);
      sum.value += one.value;
      if (created) sum.created = one.created;
    }
  }
  return [...sums.values()];
}

function timesWithin(from: number, to: number, every: number, offset: number): number[] {
  const times = [];
  for (let t = Math.ceil((from - offset + 1) / every) * every + offset; t <= to; t += every) times.push(t);
  return times;
}
