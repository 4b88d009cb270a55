import { begin, glance, type Observation, observe, type Policy, rule } from '../../src/lib/judge/index.js';
import { parsePolicy } from '../../src/lib/judge/policy-schema.js';
import type { StoredEvent } from '../../src/lib/ledger/index.js';
import { canonicalJson } from '../../src/lib/ledger/tree/index.js';
import { streamEvent, subjectOf } from '../../src/lib/stream/index.js';
import { emptyOverview, type OverviewJson, type Told, take } from '../../src/lib/view/index.js';

const START = Date.parse('2026-03-01T12:00:00Z');
const BY = { who: 'bench', how: 'os-user' } as const;
const LATENCIES = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];
const SCORES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

function policy(windowSeconds: number): Policy {
  const targets = { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 };
  return parsePolicy({ windowSeconds, intervalSeconds: 5, targets });
}

/** A check of a healthy canary beside its baseline. */
export function check(tick: number): Observation {
  const arm = (t: number): Observation['canary'] =>
    tick === 0
      ? { errors: { state: 'first' }, latency: { state: 'first' }, score: { state: 'first' } }
      : {
          errors: { state: 'ok', bad: t % 4 === 0 ? 1 : 0, total: 180 + (t % 40) },
          latency: { state: 'ok', bounds: LATENCIES, counts: [0, 10, 40, 60, 60, 9 + (t % 40), 1, 0, 0, 0, 0] },
          score: { state: 'ok', bounds: SCORES, counts: [10, 20, 30, 30 + (t % 5), 30, 20, 10, 10, 10, 10] },
        };
  const t = START + tick * 5000;
  return { v: 1, tick, t, from: tick === 0 ? t : t - 5000, canary: arm(tick), baseline: arm(tick + 1) };
}

/** What is recorded of a canary whose window has started. */
export function canary(id: string, modelId: string, windowSeconds: number): StoredEvent[] {
  const head = { v: 1, subject: id, ts: new Date(START).toISOString() };
  const requested = {
    ...{ modelId, fromGate: 'stage', toGate: 'production', policy: policy(windowSeconds), policyDigest: 'x' },
    ...{ source: { kind: 'none' }, dryRun: false, requestedBy: BY },
  };
  return [
    { ...head, seq: 0, kind: 'canary.requested', data: requested },
    { ...head, seq: 1, kind: 'canary.started', data: { startedAt: START } },
  ] as StoredEvent[];
}

export const idOf = (i: number): string => `c-bench${String(i).padStart(6, '0')}`;

/** How a canary stands after each of its first checks, as its events tell it. */
function metrics(count: number): Record<string, unknown>[] {
  const events = canary('c-0', 'm-0', count * 5);
  const judgement = begin(policy(count * 5), START);
  return Array.from({ length: count }, (_, tick) => {
    const observation = check(tick);
    observe(judgement, observation);
    const judged = glance(judgement, rule(judgement, observation.t), observation.t);
    const item = { type: 'observation', canaryId: 'c-0', observation, position: { seq: 2, row: 1 } } as const;
    return streamEvent(item, subjectOf(events[0]!), judged)!.data;
  });
}

/** Events of many canaries that are checked again and again. */
export class Traffic {
  readonly #metrics = metrics(400);
  #row = 1;
  #round = 0;
  #next = 0;

  constructor(readonly canaries: number) {}

  /** Id of the newest event. */
  get position(): string {
    return `${2 * this.canaries}.${this.#row}`;
  }

  next(): Told {
    const i = this.#next;
    this.#next = (i + 1) % this.canaries;
    if (this.#next === 0) this.#round++;
    this.#row++;
    const data = this.#metrics[this.#round % this.#metrics.length]!;
    const modelId = `model-${i}`;
    // The check's number grows on, so that each event tells something new.
    return { id: this.position, name: 'metric', data: { ...data, canaryId: idOf(i), modelId, tick: this.#round + 1 } };
  }

  overview(): OverviewJson {
    const overview = emptyOverview();
    for (let i = 0; i < this.canaries; i++) {
      for (const event of canary(idOf(i), `model-${i}`, 3600)) {
        const position = { seq: event.seq + 1, row: 1 };
        const told = streamEvent(
          { type: 'event', event, position },
          subjectOf(canary(idOf(i), `model-${i}`, 3600)[0]!),
        );
        if (told !== null) take(overview, { id: `${position.seq}.1`, ...told });
      }
      const told = { id: '2.1', name: 'metric', data: { ...this.#metrics[1]!, canaryId: idOf(i), tick: 1 } };
      take(overview, told);
    }
    const { canaries, older, warning } = overview;
    // Open as long as the measurement takes.
    const rows = [...canaries.values()].map((row) => ({ ...row, endsAt: Date.now() + 3_600_000 }));
    return { position: this.position, canaries: rows, jobs: [], gates: [], older, warning };
  }
}

/** Recorded lines of a canary's checks after one. */
export function lines(after: number, end: number): string {
  let text = '';
  for (let tick = after + 1; tick < Math.min(end, after + 501); tick++) text += `${canonicalJson(check(tick))}\n`;
  return text;
}
