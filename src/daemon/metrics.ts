import { readdir, stat, statfs } from 'node:fs/promises';
import { Counter, Gauge, Registry } from 'prom-client';
import { type App, folderOf, lastOf } from '../lib/app/index.js';
import type { Tick } from '../lib/canary/index.js';
import { nextDue } from '../lib/canary/index.js';
import { LukhasError } from '../lib/errors.js';
import type { Observation } from '../lib/judge/index.js';
import type { FeedItem, StoredEvent } from '../lib/ledger/index.js';
import { ENDED_KINDS } from '../lib/readings/index.js';
import { FallbackTime } from './fallback-time.js';
import { countStates } from './health.js';
import type { Answered, Route } from './http/index.js';
import { Overdue } from './overdue.js';

export interface SseNumbers {
  clients: number;
  opened: number;
  sent: number;
  dropped: number;
}

interface MetricsOptions {
  app: Pick<App, 'clock' | 'ledger' | 'canaries' | 'config'>;
  version: string;
  /** Routes whose request counters start at 0. */
  routes: readonly Route[];
  sse: () => SseNumbers;
  /** Since when not every witness and anchor has the newest checkpoint, ms since the epoch; null: they have it. */
  witnessBehindSince: () => number | null;
}

/** States in which the source failed; other states mean that it had no data. */
const SOURCE_ERRORS = ['unreachable', 'refused', 'invalid', 'unstable', 'implausible'] as const;
const HOOK_ACTIONS = ['promote', 'rollback'] as const;
/** Reasons of verdicts that rest on missing metrics. */
const NO_METRICS: readonly string[] = ['no_data', 'source_unreachable'];
/** Errors that say that the log is not as it was recorded. */
const NOT_AS_RECORDED: readonly string[] = ['VERIFICATION', 'LEDGER_CORRUPT'];
/** A check that comes later than this share of its interval is late. */
const LATE_SHARE = 0.5;

/** The daemon's own metrics, for Prometheus. Counters start at 0 with the process, and are listed from the start. */
export class DaemonMetrics {
  readonly #options: MetricsOptions;
  readonly #registry = new Registry();
  readonly #m: ReturnType<typeof register>;
  readonly #fallback: FallbackTime;
  readonly #overdue = new Overdue();
  /** When each canary was checked last, to see whether its next check is late. */
  readonly #checkedAt = new Map<string, number>();
  /** Canaries promoted by break-glass that nobody has reviewed. */
  readonly #unreviewed = new Set<string>();

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#m = register(this.#registry);
    this.#fallback = new FallbackTime(options.app.clock.now());
    this.#m.build.set({ version: options.version, node: process.versions.node }, 1);
    this.#m.processStart.set(Math.round(Date.now() / 1000 - process.uptime()));
    for (const state of SOURCE_ERRORS) this.#m.sourceErrors.inc({ state }, 0);
    for (const action of HOOK_ACTIONS) for (const result of ['ok', 'failed']) this.#m.hooks.inc({ action, result }, 0);
    for (const { path, methods } of [...options.routes, this.route])
      for (const method of methods) this.#m.requests.inc({ route: path, method, status: '200' }, 0);
  }

  /** Loads the open canaries, and those without a required review. Call once `take` gets all new commits. */
  async begin(): Promise<void> {
    const { ledger, canaries } = this.#options.app;
    for (const subject of await ledger.openSubjects('canary', ENDED_KINDS)) {
      const canary = await canaries.get(subject);
      this.#overdue.open(canary);
      if (canary.fallbackSince !== null) this.#fallback.engaged(subject, canary.fallbackSince);
    }
    for (const { subject, data } of await ledger.summaries({ type: 'canary', states: ['PROMOTED'] }))
      if (data['breakGlass'] === 'not reviewed') this.#unreviewed.add(subject);
    for (const kind of ['backup.made', 'maintenance.finished'] as const) {
      const last = await lastOf(ledger, kind);
      if (last !== null) this.#note(last);
    }
  }

  #note({ kind, ts }: Pick<StoredEvent, 'kind' | 'ts'>): void {
    if (kind === 'backup.made') this.#m.backedUp.set(Date.parse(ts) / 1000);
    if (kind === 'maintenance.finished') this.#m.maintained.set(Date.parse(ts) / 1000);
  }

  /** Call with everything that is committed. */
  take(items: readonly FeedItem[]): void {
    this.#fallback.take(items);
    this.#overdue.take(items);
    for (const item of items) {
      if (item.type !== 'event') continue;
      this.#note(item.event);
      if (item.event.kind === 'canary.forced') this.#unreviewed.add(item.event.subject);
      if (item.event.kind === 'evidence.failed') this.#m.exports.inc();
      if (item.event.kind === 'canary.decided' && NO_METRICS.includes(item.event.data.verdict.reason))
        this.#m.blind.inc();
      if (item.event.kind === 'canary.reviewed') this.#unreviewed.delete(item.event.subject);
      if (item.event.kind !== 'hook.finished') continue;
      const { action, ok } = item.event.data;
      this.#m.hooks.inc({ action, result: ok ? 'ok' : 'failed' });
    }
  }

  /** A check that this process made. */
  onTick({ session: { canary }, observation }: Tick): void {
    const state = SOURCE_ERRORS.find((wanted) => statesOf(observation).has(wanted));
    if (state !== undefined) this.#m.sourceErrors.inc({ state });
    const before = this.#checkedAt.get(canary.id);
    if (canary.state === 'PENDING' || canary.state === 'RUNNING') this.#checkedAt.set(canary.id, observation.t);
    else this.#checkedAt.delete(canary.id);
    if (before === undefined || canary.startedAt === null || canary.source['kind'] === 'ndjson') return;
    const lateMs = observation.t - nextDue(canary.policy, canary.startedAt, before);
    if (lateMs > canary.policy.intervalSeconds * 1000 * LATE_SHARE) this.#m.late.inc();
  }

  /** A step of a canary, a job or a stream that failed because of the daemon itself. */
  onError(error: unknown): void {
    this.#m.errors.inc();
    if (error instanceof LukhasError && NOT_AS_RECORDED.includes(error.code)) this.onVerificationFailed();
  }

  onVerificationFailed(): void {
    this.#m.verification.inc();
  }

  /** An export failed, and the log could not say so; those that it has are counted from there. */
  onUnrecordedExport(): void {
    this.#m.exports.inc();
  }

  onAnswered({ route, method, status }: Answered): void {
    // Clients can invent paths and methods, which must not become time series.
    const known = /^(GET|HEAD|POST|DELETE|OPTIONS)$/.test(method) ? method : 'other';
    this.#m.requests.inc({ route: route ?? 'none', method: known, status: String(status) });
  }

  readonly route: Route = {
    methods: ['GET'],
    path: '/metrics',
    handle: async (_, response) => {
      await this.#refresh();
      response.setHeader('Content-Type', this.#registry.contentType);
      response.end(await this.#registry.metrics());
    },
  };

  async #refresh(): Promise<void> {
    const { app, sse, witnessBehindSince } = this.#options;
    const now = app.clock.now();
    const [counts, running, size, bytes, disk] = await Promise.all([
      countStates(app.ledger),
      app.ledger.summaries({ type: 'canary', states: ['RUNNING'] }),
      app.ledger.size(),
      databaseBytes(app.config.dbPath),
      statfs(folderOf(app.config.dbPath)),
    ]);
    const m = this.#m;
    for (const [state, count] of Object.entries(counts.canaries)) m.canaries.set({ state }, count);
    for (const [state, count] of Object.entries(counts.jobs)) m.jobs.set({ state }, count);
    const oldest = running.reduce((least, { createdAt }) => Math.min(least, Date.parse(createdAt)), now);
    m.oldestRunning.set((now - oldest) / 1000);
    m.overdue.set(this.#overdue.longestSeconds(now));
    m.unreviewed.set(this.#unreviewed.size);
    m.events.set(size);
    m.bytes.set(bytes);
    m.diskFree.set(disk.bavail * disk.bsize);
    m.diskSize.set(disk.blocks * disk.bsize);
    m.witnessBehind.set((now - (witnessBehindSince() ?? now)) / 1000);
    const { totalSeconds, longestSeconds } = this.#fallback.read(now);
    setCounter(m.fallbackTotal, totalSeconds);
    m.fallbackLongest.set(longestSeconds);
    const { clients, opened, sent, dropped } = sse();
    m.sseClients.set(clients);
    setCounter(m.sseOpened, opened);
    setCounter(m.sseSent, sent);
    setCounter(m.sseDropped, dropped);
    await this.#refreshProcess();
  }

  async #refreshProcess(): Promise<void> {
    const { user, system } = process.cpuUsage();
    setCounter(this.#m.cpu, (user + system) / 1e6);
    const { rss, heapUsed } = process.memoryUsage();
    this.#m.resident.set(rss);
    this.#m.heap.set(heapUsed);
    const fds = await openFiles();
    if (fds !== null) this.#m.fds.set(fds);
  }
}

function register(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  return {
    build: gauge('lukhas_build_info', 'Version of lukhas and of Node.js; always 1.', ['version', 'node']),
    canaries: gauge('lukhas_canaries', 'Canaries in the log by state.', ['state']),
    oldestRunning: gauge(
      'lukhas_canary_oldest_running_seconds',
      'Age of the oldest RUNNING canary; 0 if there is none.',
    ),
    overdue: gauge(
      'lukhas_canary_overdue_seconds',
      'How long the most overdue RUNNING canary is past the end of its window; 0 if none is.',
    ),
    unreviewed: gauge('lukhas_breakglass_unreviewed', 'Break-glass promotions not reviewed yet, overdue or not.'),
    late: counter('lukhas_ticks_late_total', 'Canary checks made more than half an interval late.'),
    sourceErrors: counter('lukhas_source_errors_total', 'Canary checks in which the metrics source failed, by state.', [
      'state',
    ]),
    errors: counter('lukhas_errors_total', 'Steps that failed because of the daemon itself: database, disk, bugs.'),
    verification: counter(
      'lukhas_verification_failures_total',
      'Times the log, or what a promotion depends on, was not as it was recorded.',
    ),
    witnessBehind: gauge(
      'lukhas_witness_behind_seconds',
      'How long the newest checkpoint has been missing at a witness or anchor; 0 if it is at all of them.',
    ),
    fallbackTotal: counter('lukhas_fallback_engaged_seconds_total', 'Total time canaries were without readings.'),
    fallbackLongest: gauge(
      'lukhas_fallback_longest_seconds',
      'Longest time a canary has been without readings now; 0 if none is.',
    ),
    blind: counter('lukhas_no_data_verdicts_total', 'Canaries decided because their metrics were missing.'),
    sseClients: gauge('lukhas_sse_clients', 'Clients of the event stream.'),
    sseOpened: counter('lukhas_sse_clients_opened_total', 'Clients that opened an event stream.'),
    sseSent: counter('lukhas_sse_events_sent_total', 'Events sent to clients of the event stream.'),
    sseDropped: counter(
      'lukhas_sse_clients_dropped_total',
      'Clients of the event stream disconnected because they were too slow.',
    ),
    hooks: counter('lukhas_hook_results_total', 'Hooks called, by action and result.', ['action', 'result']),
    jobs: gauge('lukhas_jobs', 'Evaluation jobs in the log by state.', ['state']),
    events: gauge('lukhas_ledger_events', 'Entries in the log.'),
    bytes: gauge('lukhas_database_bytes', 'Size of the database and its write-ahead log.'),
    diskFree: gauge('lukhas_disk_free_bytes', 'Free space on the disk of the database.'),
    diskSize: gauge('lukhas_disk_size_bytes', 'Size of the disk of the database.'),
    backedUp: gauge(
      'lukhas_backup_last_success_timestamp_seconds',
      'When the newest backup of the database was made, seconds since the epoch; 0 if none was.',
    ),
    maintained: gauge(
      'lukhas_maintenance_last_success_timestamp_seconds',
      'When the database was maintained last, seconds since the epoch; 0 if it never was.',
    ),
    exports: counter('lukhas_export_failures_total', 'Evidence exports that failed, of commands too.'),
    requests: counter('lukhas_http_requests_total', 'Requests answered, by route.', ['route', 'method', 'status']),
    cpu: counter('process_cpu_seconds_total', 'Processor time, user and system.'),
    resident: gauge('process_resident_memory_bytes', 'Resident memory.'),
    heap: gauge('nodejs_heap_used_bytes', 'Used JavaScript heap.'),
    processStart: gauge('process_start_time_seconds', 'Start of the process, seconds since the epoch.'),
    fds: gauge('process_open_fds', 'Open file descriptors.'),
  };
}

/** Sets a counter to a total that is counted elsewhere. */
function setCounter(counter: Counter, total: number): void {
  counter.reset();
  counter.inc(total);
}

function statesOf({ canary, baseline, scalars = {} }: Observation): Set<string> {
  const arms = [canary, ...(baseline ? [baseline] : [])];
  const signals = arms.flatMap(({ errors, latency, score }) => [errors, latency, score]);
  return new Set([...signals, ...Object.values(scalars)].flatMap((signal) => signal?.state ?? []));
}

async function databaseBytes(path: string): Promise<number> {
  const sizes = await Promise.all([path, `${path}-wal`].map((file) => stat(file).then(sizeOf, absent)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const sizeOf = ({ size }: { size: number }): number => size;

/** The write-ahead log may be missing. */
function absent(error: NodeJS.ErrnoException): number {
  if (error.code === 'ENOENT') return 0;
  throw error;
}

/** Null where the system has no /proc (Linux has). */
async function openFiles(): Promise<number | null> {
  try {
    return (await readdir('/proc/self/fd')).length;
  } catch {
    return null;
  }
}
