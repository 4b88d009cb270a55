import { setMaxListeners } from 'node:events';
import type { App, Started, WhatIf, WhatIfRequest } from '../lib/app/index.js';
import { composePolicy } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import type { WhyMath } from '../lib/explain/index.js';
import { narrativeText, planLines } from '../lib/explain/index.js';
import { gatesWithPromotions } from '../lib/gates/index.js';
import { withAdvice } from '../lib/input/index.js';
import { type JobJson, jobJson } from '../lib/jobs/index.js';
import type { Actor, StoredEvent } from '../lib/ledger/index.js';
import type { VerifyReport } from '../lib/ledger/verify/index.js';
import { type Canary, isOpen, type Listing } from '../lib/readings/index.js';
import { Judging } from '../lib/stream/index.js';
import { Shared } from '../lib/threads/index.js';
import { Changes } from './changes.js';
import { Policies, type RecordedPolicy } from './policies.js';
import { type CanaryStatus, type CanaryStatusNow, statusNow, statusOf } from './status.js';
import { type WaitProgress, waitForChange } from './wait.js';
import { WhatIfs } from './what-if.js';

export interface StartCanary {
  modelId: string;
  fromGate: string;
  toGate: string;
  /** Seconds; default: that of the configured policy, or 300. */
  windowSeconds?: number | undefined;
  /** Targets, as in a policy. */
  targets: Readonly<Record<string, number | undefined>>;
  dryRun: boolean;
  allowMissing?: boolean | undefined;
  allowSharedSeries?: boolean | undefined;
}

/** What the first look found, and warnings in words, if there are any. */
export type StartedCanary = CanaryStatus & { firstLook: Started['firstLook']; warnings?: string[] };

export interface PlanRequest extends Pick<StartCanary, 'targets' | 'windowSeconds'> {
  /** That the canary will serve, above 0. */
  requestsPerSecond: number;
  /** Shares of failed and of slow requests, 0..1, that a healthy canary shows. */
  expected: { errorRate?: number; slowRate?: number };
}

export interface StatusOptions {
  /** How long to wait for the state to change, at most 25 s: clients give up on a call after 60 s. */
  waitSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: WaitProgress) => void) | undefined;
}

const LONGEST_WAIT_SECONDS = 25;
const GIVE_TARGETS = 'Give targets, e.g. {"latency_p95_ms": 250, "max_error_rate": 0.02}.';

export interface ServiceOptions {
  /** Called when this process has requested or changed a canary: the runner checks at once. */
  onStarted?: () => void;
  /** A verification of the whole log has come to its end. */
  onVerified?: (report: VerifyReport) => void;
  /** Errors that no caller gets to see. */
  onError?: (error: unknown) => void;
}

/** What HTTP and MCP call: the operations of the library, with results in their wire format. */
export class Service {
  /** Commits to the log, as they happen. */
  readonly changes: Changes;
  private readonly policies: Policies;
  private readonly closing = new AbortController();
  private readonly verification: Shared<VerifyReport>;
  private readonly whatIfs: WhatIfs;
  /** How canaries stand that nobody has decided. */
  readonly judging: Judging;

  constructor(
    readonly app: App,
    private readonly options: ServiceOptions = {},
  ) {
    this.changes = new Changes(app.ledger, app.follower, options.onError ?? (() => undefined));
    this.policies = new Policies(app.ledger);
    this.judging = new Judging(app.ledger);
    this.whatIfs = new WhatIfs(app.config.dbPath, this.closing.signal);
    const task = { path: app.config.dbPath, summaries: true };
    this.verification = new Shared(async (signal) => {
      const { verifyInThread } = await import('../lib/app/verify-in-thread.js');
      const report = await verifyInThread(task, signal);
      options.onVerified?.(report);
      return report;
    });
    // Every waiting call adds a listener.
    setMaxListeners(0, this.closing.signal);
  }

  /** @throws LukhasError POLICY, USAGE, CONFIG (a hook), SOURCE_*, FIRST_LOOK (what can never work), SHARED_SERIES */
  async startCanary(request: StartCanary, by: Actor): Promise<StartedCanary> {
    const { app } = this;
    const { modelId, fromGate, toGate, dryRun, targets, windowSeconds } = request;
    const { policy } = await composePolicy({
      file: app.config.policyPath,
      targets,
      windowSeconds,
      where: 'arguments',
      onlyTighten: true,
      suggestion: GIVE_TARGETS,
    });
    const { source } = app.config;
    if (source.kind === 'ndjson' && source.input === '-')
      throw new LukhasError('CONFIG', 'The configured source is standard input, which the daemon cannot read.', {
        suggestions: ['Configure a file, scrape or Prometheus source: see docs/metrics.md'],
      });
    const { startCanary } = await import('../lib/app/start-canary.js');
    const { allowMissing, allowSharedSeries } = request;
    const { canary, firstLook, warnings } = await startCanary(app, {
      ...{ modelId, fromGate, toGate, policy, source, dryRun, by, allowMissing, allowSharedSeries },
    });
    this.options.onStarted?.();
    return { ...statusOf(canary), firstLook, ...(warnings.length === 0 ? {} : { warnings }) };
  }

  /**
   * Status of a canary. With `waitSeconds`, waits until its state changes or the time is over; returns immediately when the
   * canary has ended.
   * @throws LukhasError NOT_FOUND, AMBIGUOUS_ID
   */
  async canaryStatus(id: string, options: StatusOptions = {}): Promise<CanaryStatusNow> {
    const wait = Math.min(options.waitSeconds ?? 0, LONGEST_WAIT_SECONDS);
    const canary = await this.canary(id);
    if (wait <= 0 || !isOpen(canary)) return this.statusNow(canary);
    const signals = options.signal ? [this.closing.signal, options.signal] : [this.closing.signal];
    const { onProgress } = options;
    return this.statusNow(await waitForChange(this.app, this.changes, canary, { seconds: wait, signals, onProgress }));
  }

  /** Judges what was recorded only where there is something that nobody has decided. */
  private async statusNow(canary: Canary): Promise<CanaryStatusNow> {
    if (canary.verdict !== null || canary.startedAt === null) return statusNow(canary, canary.verdict);
    return statusNow(canary, await this.judging.verdict(canary.id));
  }

  /** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID, ILLEGAL_TRANSITION, USAGE (no reason) */
  async abortCanary(id: string, reason: string, by: Actor): Promise<CanaryStatus> {
    const { canaries } = this.app;
    const canary = await canaries.abort(await canaries.resolve(id), by, reason);
    this.options.onStarted?.();
    return statusOf(canary);
  }

  /**
   * The narrative, or a sentence that says that nothing, or more than one thing, has this name.
   * @param advice rewrites what it says to do next, which are commands
   */
  async why(id: string, advice: (text: string) => string = (text) => text): Promise<string> {
    const { why } = await import('../lib/app/explanations.js');
    try {
      return narrativeText(withAdvice(await why(this.app, id), advice));
    } catch (error) {
      if (!(error instanceof LukhasError) || !['AMBIGUOUS_ID', 'USAGE'].includes(error.code)) throw error;
      return [error.message, ...error.suggestions.map(advice)].join('\n');
    }
  }

  /** @throws LukhasError AMBIGUOUS_ID, USAGE (the start of an id is too short) */
  async whyMath(id: string): Promise<WhyMath> {
    const { whyMath } = await import('../lib/app/explanations.js');
    return whyMath(this.app, id);
  }

  async listCanaries(filter: { limit: number; states?: readonly string[]; modelId?: string }): Promise<Listing> {
    return this.app.canaries.listing(filter);
  }

  /** Ids of canaries that start with `prefix`, in order; the newest canaries where it is empty. */
  async canaryIds(prefix: string, limit: number): Promise<string[]> {
    if (prefix !== '') return this.app.ledger.findSubjects(prefix, 'canary.requested', limit);
    return (await this.listCanaries({ limit })).summaries.map(({ subject }) => subject);
  }

  /** Numbers of entries that start with `prefix`, newest first. */
  async entryNumbers(prefix: string, limit: number): Promise<string[]> {
    const size = await this.app.ledger.size();
    const found: number[] = [];
    const add = (from: number, to: number) => {
      for (let seq = Math.min(to, size) - 1; seq >= from && found.length < limit; seq--) found.push(seq);
    };
    if (prefix === '') add(0, size);
    else if (/^(0|[1-9]\d*)$/.test(prefix))
      for (let step = prefix === '0' ? 1 : 10 ** String(size).length; step >= 1; step /= 10)
        add(Number(prefix) * step, (Number(prefix) + 1) * step);
    return found.map(String);
  }

  /** @throws LukhasError NOT_FOUND */
  async logEntry(seq: number): Promise<StoredEvent> {
    const [event] = await this.app.ledger.events({ from: seq, to: seq + 1 });
    if (event !== undefined) return event;
    const size = await this.app.ledger.size();
    throw new LukhasError('NOT_FOUND', `Entry ${seq} not found: the log has ${size} entries, numbered from 0.`);
  }

  /** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID */
  async policy(digest: string): Promise<RecordedPolicy> {
    return this.policies.get(digest);
  }

  /** Policies of canaries, newest first. */
  async listPolicies(limit: number): Promise<RecordedPolicy[]> {
    return this.policies.list(limit);
  }

  /** Every gate that has a holder, by name, with the promotion or canary that made it so. */
  async listGates() {
    return gatesWithPromotions(this.app.ledger);
  }

  /** How long the policy of a canary needs at a traffic, and its words. @throws LukhasError POLICY, USAGE (no policy) */
  async plan({ targets, windowSeconds, requestsPerSecond, expected }: PlanRequest) {
    const { policy } = await composePolicy({
      file: this.app.config.policyPath,
      targets,
      windowSeconds,
      where: 'arguments',
      suggestion: GIVE_TARGETS,
    });
    const { planPolicy } = await import('../lib/judge/plan.js');
    const plan = planPolicy(policy, { requestsPerSecond, expected });
    return { ...plan, says: planLines(plan) };
  }

  /** What another policy would have decided of a canary. @throws LukhasError as `WhatIfs.ask` */
  async whatIf(request: WhatIfRequest, signal?: AbortSignal): Promise<WhatIf> {
    return this.whatIfs.ask({ ...request, canaryId: (await this.canary(request.canaryId)).id }, signal);
  }

  /** @throws LukhasError USAGE that lists the available tasks */
  async runEval(request: { taskId: string; configId: string | null; dryRun: boolean }, by: Actor): Promise<JobJson> {
    const job = await this.app.jobs.start({ ...request, by });
    return jobJson(job);
  }

  /** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID */
  async jobStatus(id: string): Promise<JobJson> {
    return jobJson(await this.app.jobs.get(id));
  }

  /** Gives a gate to a model that an earlier canary has proven for it. @throws LukhasError as `Promotions.promote` */
  async promoteModel(request: { modelId: string; gate: string; dryRun: boolean }, by: Actor) {
    return this.app.promotions.promote({ ...request, by });
  }

  async search(query: string, limit: number) {
    return this.app.search.results({ query, limit });
  }

  /** @throws LukhasError NOT_FOUND */
  async fetch(id: string) {
    return this.app.search.fetch(id);
  }

  /**
   * Checks every hash of the log, in a thread of its own. Concurrent callers share one run, which ends when all of them have gone.
   * @throws LukhasError STOPPED when the caller has gone or the daemon stops; as `verifyAll`
   */
  async verifyLog(signal?: AbortSignal): Promise<VerifyReport> {
    const stop = AbortSignal.any([this.closing.signal, ...(signal === undefined ? [] : [signal])]);
    try {
      return await this.verification.join(stop);
    } catch (error) {
      if (!stop.aborted) throw error;
      throw new LukhasError(
        'STOPPED',
        'The verification was stopped before its end; it changes nothing, so call it again.',
      );
    }
  }

  /** Makes all waiting calls return. */
  close(): void {
    this.closing.abort();
  }

  private async canary(id: string): Promise<Canary> {
    const { canaries } = this.app;
    try {
      return await canaries.get(id);
    } catch (error) {
      if (!(error instanceof LukhasError) || error.code !== 'NOT_FOUND') throw error;
      return canaries.get(await canaries.resolve(id));
    }
  }
}
