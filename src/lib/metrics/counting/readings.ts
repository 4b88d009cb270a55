import type { ArmReading, CategorySignal, CountSignal, HistogramSignal, Missing } from '../../judge/index.js';
import type { Selector } from '../promql/index.js';
import type { Sample, Signals } from '../signals/index.js';
import type { ProcessStep } from './advance.js';
import type { ArmCursor } from './cursor.js';
import { doubtIn } from './doubt.js';
import { withoutErrors } from './failures.js';
import { countProblem, sumHistograms } from './histogram.js';
import { leftOut, setWaiting, waitingIn } from './left.js';
import { partialOf, startsAmong } from './partial.js';
import { DRIFT, type Plan } from './plan.js';
import { contradictionOf, tooManyFailures } from './sanity.js';
import { settle } from './settling.js';
import { newestOf, nothingYet, problemOf, type Sum, showShort, type Tally, tell } from './tally.js';
import type { Unseen } from './unseen.js';

interface Context {
  steps: readonly ProcessStep[];
  cursor: ArmCursor;
  previous: ArmCursor | null;
  signals: Signals;
  plan: Plan;
  staleBefore: number;
  notes: string[];
  unseen: Unseen[];
}

/** The signals of one arm, out of what each of its processes counted. */
export class ArmSignals {
  constructor(private readonly context: Context) {}

  reading(): ArmReading {
    const { signals, plan } = this.context;
    const reading: ArmReading = {};
    const contradiction = contradictionOf(this.context);
    if (contradiction !== null) this.unseen();
    if (signals.requests !== null && signals.errors !== null) reading.errors = contradiction?.missing ?? this.errors();
    plan.histograms.forEach(({ signal }, i) => {
      const found = contradiction?.histogram === i ? contradiction.missing : this.histogram(i);
      if (signal === DRIFT) reading.score = found;
      else if (signal === 'latency') reading.latency = found;
      else reading.histograms = { ...reading.histograms, [signal]: found };
    });
    if (signals.drift?.kind === 'categories') reading.categories = this.categories(signals.drift.by);
    const inflight = signals.inflight === null ? null : this.gauge(signals.inflight);
    if (inflight !== null) reading.inflight = inflight;
    const { steps, cursor, previous } = this.context;
    setWaiting(steps, cursor, this.context);
    const left = leftOut(steps, previous, this.context);
    if (left !== null) reading.leftOut = left;
    const waiting = waitingIn(cursor);
    if (waiting !== null) reading.waiting = waiting;
    return reading;
  }

  private unseen(): void {
    const { steps, previous, unseen } = this.context;
    for (const { look } of steps) {
      const from = previous?.processes[look.id]?.seen ?? null;
      unseen.push({ process: look.shown, from, to: look.time, reason: 'implausible' });
    }
  }

  private errors(): CountSignal {
    const { plan, signals, cursor, notes } = this.context;
    const requests = this.samplesOf(plan.requests);
    const errors = this.samplesOf(plan.errors);
    if (this.unchanged('errors', [...requests, ...errors])) return { state: 'unchanged' };
    doubtIn(this.context);
    const tally = nothingYet();
    const starting = new Set(this.context.steps.filter((step) => startsAmong(step, plan)));
    const total = this.sum(plan.requests, requests, signals.requests!.text, tally, starting);
    const bad =
      errors.length > 0 ? this.sum(plan.errors, errors, signals.errors!.text, tally, starting) : this.none(requests);
    cursor.carry.total += total.increment;
    cursor.carry.bad += bad.increment;
    const missing = total.missing ?? bad.missing;
    if (missing !== null) return this.missing('errors', missing);
    const since = cursor.since['errors'];
    const started = since !== undefined;
    const not = this.notCounted('errors', tally);
    if (not?.state === 'first' && !started) {
      cursor.carry = { bad: 0, total: 0 };
      delete cursor.running;
      delete cursor.doubtful;
      cursor.began = this.inflightNow();
    }
    if (not !== null) return not;
    const waits = partialOf(this.context) ?? (plan.subtracts ? null : tooManyFailures(cursor.carry, signals));
    if (waits === null) return plan.subtracts ? settle(cursor, notes) : this.takeCarry();
    // Neither half is lost: later checks may bring the requests.
    if (since !== undefined) cursor.since['errors'] = since;
    return waits;
  }

  private none(requests: readonly Sample[]): Sum {
    const { signals, cursor, notes } = this.context;
    const { missing, note } = withoutErrors(signals, requests);
    if (note !== null && cursor.since['errors'] === undefined) notes.push(`errors: ${note}`);
    return { increment: 0, missing };
  }

  /**
   * Two counters of one service are not read in the same instant: an error may be counted a moment before its request.
   * What exceeds the requests waits for the next look, so that no error is lost.
   */
  private takeCarry(): CountSignal {
    const { cursor, notes } = this.context;
    const { bad, total } = cursor.carry;
    if (bad > total) notes.push(`errors: ${bad} errors in ${total} requests; the excess counts in the next check`);
    cursor.carry = { bad: Math.max(0, bad - total), total: 0 };
    return { state: 'ok', bad: Math.min(bad, total), total };
  }

  private histogram(index: number): HistogramSignal {
    const { plan, steps, notes } = this.context;
    const { signal, shown, source } = plan.histograms[index]!;
    const samples = steps.flatMap(({ look }) => look.samples[index]!);
    if (this.unchanged(signal, samples)) return { state: 'unchanged' };
    const selector = { name: `${source.name}_bucket`, matchers: [...source.matchers] };
    const nothing = this.noData(showShort(selector), samples);
    if (nothing !== null) return this.missing(signal, nothing);
    const tally = nothingYet();
    const parts = [];
    let buckets = false;
    for (const step of steps) {
      const { look, verdict, histograms } = step;
      const found = look.histograms[index]!;
      if (!(found instanceof Map)) return this.missing(signal, found);
      if (found.size > 0) buckets = true;
      if (verdict === null || found.size === 0) continue;
      const before = tally.counted;
      const part = histograms[index]!;
      if (part.torn)
        tally.broken.push({ state: 'invalid', detail: `${source.name}: buckets contradict the previous check` });
      parts.push(...part.parts);
      tally.counted += part.parts.length;
      tally.started += part.started;
      tell(tally, step, tally.counted > before, steps.length === 1);
    }
    if (!buckets) return this.missing(signal, { state: 'absent', detail: `no series ${showShort(selector)}` });
    const not = this.notCounted(signal, tally, shown);
    if (not !== null) return not;
    const merged = sumHistograms(parts);
    if (merged === null)
      return { state: 'invalid', detail: `${source.name}: its series have no bucket bound in common` };
    if (!merged.same)
      notes.push(
        `${source.name}: series differ in bucket bounds, read at the ${merged.sum.bounds.length} that all have`,
      );
    return { state: 'ok', ...merged.sum };
  }

  private categories(by: string): CategorySignal {
    const { plan, signals } = this.context;
    const index = plan.drift!;
    const samples = this.samplesOf([index]);
    if (this.unchanged(DRIFT, samples)) return { state: 'unchanged' };
    const tally = nothingYet();
    const { counts } = signals.drift as { counts: Selector };
    const sum = this.sum([index], samples, showShort(counts), tally);
    if (sum.missing !== null) return this.missing(DRIFT, sum.missing);
    const not = this.notCounted(DRIFT, tally, 'drift');
    if (not !== null) return not;
    const found: Record<string, number> = {};
    for (const { look, verdict } of this.context.steps) {
      if (verdict === null) continue;
      for (const { sample, delta } of look.terms[index]!) {
        if (delta === null) continue;
        const value = sample.labels[by] ?? '';
        found[value] = (found[value] ?? 0) + delta;
      }
    }
    return { state: 'ok', counts: found };
  }

  /** Sum of a gauge; null, with a note, when it is not a number one can count with. */
  private gauge(selector: Selector): number | null {
    const { notes } = this.context;
    const sum = this.gaugeSum();
    if (sum === null) return null;
    const problem = countProblem(sum);
    if (problem === null) return sum;
    notes.push(`${selector.name} is ${problem}: left out`);
    return null;
  }

  /** Of differences: requests that all processes serve. */
  private inflightNow(): number {
    const { steps, cursor } = this.context;
    return steps.reduce((all, { look }) => all + (cursor.processes[look.id]?.inflight ?? 0), 0);
  }

  private gaugeSum(): number | null {
    const { steps, staleBefore } = this.context;
    const gauges = steps.flatMap(({ look }) => look.gauges).filter(({ t }) => t === undefined || t >= staleBefore);
    return gauges.length === 0 ? null : gauges.reduce((all, { value }) => all + value, 0);
  }

  /** Sum of the terms over all processes; a process that does not count is told in the tally. */
  private sum(
    terms: readonly number[],
    samples: readonly Sample[],
    text: string,
    tally: Tally,
    starting?: ReadonlySet<ProcessStep>,
  ): Sum {
    const sum: Sum = { increment: 0, missing: this.noData(text, samples) };
    const { steps } = this.context;
    for (const step of steps) {
      const { look, verdict } = step;
      if (verdict === null) continue;
      let any = false;
      const before = tally.counted;
      for (const term of terms) {
        const { sign } = this.context.plan.terms[term]!;
        for (const { sample, good, delta } of look.terms[term]!) {
          any = true;
          if (!good) sum.missing ??= problemOf(sample);
          else if (delta === null || starting?.has(step)) tally.started += 1;
          else {
            tally.counted += 1;
            sum.increment += sign * delta;
          }
        }
      }
      if (any) tell(tally, step, tally.counted > before, steps.length === 1);
    }
    return sum;
  }

  private samplesOf(terms: readonly number[]): Sample[] {
    return this.context.steps.flatMap(({ look }) =>
      terms.flatMap((term) => look.terms[term]!.map(({ sample }) => sample)),
    );
  }

  private noData(shown: string, samples: readonly Sample[]): Missing | null {
    if (samples.length === 0) return { state: 'absent', detail: `no series ${shown}` };
    const { cursor, staleBefore } = this.context;
    const newest = newestOf(samples) ?? cursor.at;
    if (newest >= staleBefore) return null;
    const age = Math.round((cursor.at - newest) / 1000);
    return { state: 'stale', detail: `newest sample of ${shown} is ${age} s old` };
  }

  /** Whether the source gives timestamps, and the same ones as at the previous look. */
  private unchanged(signal: string, samples: readonly Sample[]): boolean {
    const { cursor, previous, staleBefore } = this.context;
    const newest = samples.length === 0 ? null : newestOf(samples);
    if (newest === null || newest < staleBefore) return false;
    if (previous?.newest[signal] !== newest) {
      cursor.newest[signal] = newest;
      return false;
    }
    if (cursor.since[signal] === previous.at) cursor.since[signal] = cursor.at;
    return true;
  }

  /**
   * A signal that is absent while the arm shows others starts from zero: its series are made when first used. Of an
   * arm that shows nothing, or of a stale or broken signal, nobody knows what it has counted already.
   */
  private missing(signal: string, why: Missing): Missing {
    const { cursor, steps } = this.context;
    if (why.state === 'absent' && steps.length > 0) cursor.since[signal] ??= cursor.at;
    return why;
  }

  /** Marks the signal as given out up to now. @returns why nothing was counted; null: something was */
  private notCounted(
    signal: string,
    { counted, started, fresh, broken, waits }: Tally,
    shown = signal,
  ): Missing | null {
    const { cursor, previous, notes } = this.context;
    const from = cursor.since[signal] ?? (fresh && counted > 0 ? cursor.begin : undefined);
    const [problem] = broken;
    if (counted === 0 && problem !== undefined) {
      if (!waits) cursor.since[signal] = cursor.at;
      return problem;
    }
    for (const detail of new Set(broken.map(({ state, detail = state }) => detail))) notes.push(`${shown}: ${detail}`);
    cursor.since[signal] = cursor.at;
    if (from === undefined || (counted === 0 && started > 0)) return { state: 'first' };
    if (previous !== null && from < previous.at)
      notes.push(`${shown}: counts cover ${Math.round((cursor.at - from) / 1000)} s, since it was last there`);
    return null;
  }
}
