import fc from 'fast-check';
import type { ArmReading } from '../../../../src/lib/judge/index.js';
import type { ArmCursor, Unseen } from '../../../../src/lib/metrics/counting/index.js';
import { type Behaviour, type Happened, World } from './service.js';

/** Of all kinds of services. */
export const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }),
  looks: fc.integer({ min: 2, max: 25 }),
  places: fc.array(fc.constantFrom('plain', 'forked', 'balanced', 'pods'), { minLength: 1, maxLength: 3 }),
  starts: fc.boolean(),
  created: fc.boolean(),
  failures: fc.constantFrom('label', 'counter', 'late', 'difference'),
  leaks: fc.boolean(),
  fast: fc.boolean(),
  restarts: fc.constantFrom(0, 0.1, 0.4),
  outages: fc.constantFrom(0, 0.1, 0.4),
  scraped: fc.boolean(),
});

/** In place of a process: each of the arm. */
export const ANY = 'any process';

/** What of all that happened cannot have been counted, and what may not have been. */
interface Blind {
  sure: (one: Happened) => boolean;
  maybe: (one: Happened) => boolean;
}

const PARTIAL = new Set<Unseen['reason']>(['restart', 'too large', 'in turn', 'torn']);

/** What messages call a process of a cursor. */
export function shownName(id: string, target: string): string {
  const instance = id.slice(target.length + 1);
  return instance === '' ? target : `${instance} of ${target}`;
}

function blindness(unseen: readonly Unseen[], cursor: ArmCursor, begin: number): Blind {
  const read = new Map<string, { seen: number; sure: number }>();
  for (const [id, { target, seen, other }] of Object.entries(cursor.processes)) {
    read.set(shownName(id, target), { seen, sure: other?.held ? other.seen : seen });
  }
  const within = ({ t, process }: Happened, one: Unseen, edge: number) =>
    (one.process === process || one.process === ANY) &&
    t > (one.from ?? Number.NEGATIVE_INFINITY) - edge &&
    t <= one.to + edge;
  const waits = ({ t, process }: Happened, edge: number) =>
    t + edge > (read.get(process)?.sure ?? Number.NEGATIVE_INFINITY);
  return {
    sure: (one) =>
      one.t < begin || waits(one, -1) || unseen.some((gap) => !PARTIAL.has(gap.reason) && within(one, gap, -1)),
    maybe: (one) => one.torn || waits(one, 1) || unseen.some((gap) => within(one, gap, 1)),
  };
}

/** What one look tells, and where the counters stood. */
export interface Told {
  reading: ArmReading;
  cursor: ArmCursor;
  unseen: Unseen[];
  /** Counted already, and told by a later look. */
  held: ArmReading | null;
}

/** How a history is read, look by look. */
export interface Reads {
  look(i: number): Told;
  /** What readings call a place. */
  shown(place: string): string;
}

/** Without what no counter can tell apart. */
function tellable(given: Behaviour): Behaviour {
  const fast = given.fast && given.failures !== 'difference';
  // Thousands hide that a sum fell, and are as many as another process had counted.
  const places = given.places.map((kind) => (fast && kind !== 'pods' ? 'plain' : kind));
  return { ...given, fast, places };
}

/** @throws Error where what is counted is not what happened, but for what is said to be unseen */
export function checkHistory(raw: Behaviour, readsOf: (given: Behaviour, world: World) => Reads): void {
  const given = tellable(raw);
  const world = new World(given);
  const reads = readsOf(given, world);
  const unseen: Unseen[] = [];
  const counted = { requests: 0, failures: 0, latencies: 0 };
  const place = (i: number): string => reads.shown(`http://p${i}`);
  // Of two processes behind one address only one is read at a time, and without a start a first switch may pass unnoticed.
  const balanced = new Set(given.places.flatMap((kind, i) => (kind === 'balanced' ? [place(i)] : [])));
  const mixed = given.starts || given.created ? 0 : 700 * balanced.size;
  const add = ({ errors, latency }: ArmReading, to: typeof counted): void => {
    if (errors?.state === 'ok') {
      to.requests += errors.total;
      to.failures += errors.bad;
    }
    if (latency?.state === 'ok') to.latencies += latency.counts.reduce((all, count) => all + count, 0);
  };
  for (let i = 0; i <= given.looks; i++) {
    const { reading, cursor, unseen: more, held } = reads.look(i);
    unseen.push(...more);
    add(reading, counted);
    if (i % 5 !== 4 && i < given.looks) continue;
    const so = { ...counted };
    if (held !== null) add(held, so);
    const { sure, maybe } = blindness(unseen, cursor, 0);
    const all = world.happened.map((one) => ({ ...one, process: one.process.replace(/http:\/\/p\d+/, reads.shown) }));
    const surely = all.filter((one) => !maybe(one) && !balanced.has(one.process));
    const possibly = all.filter((one) => !sure(one));
    const failed = ({ failed }: Happened): boolean => failed;
    const many = (events: readonly Happened[]): number => events.reduce((sum, { times }) => sum + times, 0);
    // Of a difference: what may have failed, and requests that are not given out before it is known how they ended.
    const open = cursor.settling?.open ?? { bad: 0, total: 0 };
    const late = (cursor.settling?.total ?? 0) - (cursor.settling?.givenTotal ?? 0);
    const say = (what: string, got: number, low: number, high: number): void => {
      if (got < low || got > high + mixed)
        throw new Error(`look ${i}: counted ${got} ${what}, ${low} to ${high} happened where it could see`);
    };
    say('requests', so.requests + cursor.carry.total + late, many(surely), many(possibly));
    const failures = so.failures + cursor.carry.bad;
    if (given.failures !== 'difference')
      say('failures', failures, many(surely.filter(failed)), many(possibly.filter(failed)));
    else {
      // Four counters are read one after the other, at the start and now, and requests come meanwhile.
      const between = 8 * given.places.length;
      say('failures at least', failures, 0, many(possibly.filter(failed)) + between);
      say('failures at most', failures + open.bad + between, many(surely.filter(failed)), Infinity);
    }
    say('latencies', so.latencies, many(surely), many(possibly));
  }
}
